"""The whole of a tiny audit as text, Markdown and JSON, against files that were looked at.

Where a report changes on purpose, write the files again and look at what changed:
python tests/test_report_golden.py
"""

import json
import os
from importlib.metadata import version
from pathlib import Path

import pandas as pd
import pytest

from fairaudit.auditing import audit
from fairaudit.provenance import DISTRIBUTION
from fairaudit.readers import read_log
from fairaudit.report import render

GOLDEN = Path(__file__).parent / "golden"
FILES = {"text": "audit.txt", "md": "report.md", "json": "audit.json"}
#: 2026-02-01, at midnight.
EPOCH = "1769904000"
#: Digits that count of a figure in JSON; the others differ between versions of numpy and scipy.
DIGITS = 9


def tiny_log():
    """Sixty speakers of three accents, one of which is served worse, and of two devices, some not known."""
    rows = []
    for number in range(60):
        accent = ("south", "north", "west")[number % 3]
        for turn in range(3):
            words = 40 + number % 5 * 10 + turn
            errors = words // (5 if accent == "south" else 12) + (number + turn) % 3
            rows.append(
                {
                    "speaker_id": f"s{number:02}",
                    "ref_words": words,
                    "substitutions": errors - errors // 3 - errors // 6,
                    "deletions": errors // 3,
                    "insertions": errors // 6,
                    "accent": accent,
                    "device": ("phone", "headset", "phone", "headset", None)[number % 5],
                }
            )
    return pd.DataFrame(rows)


def forms():
    """Return the forms of the audit, without what depends on the machine and the day."""
    os.environ["SOURCE_DATE_EPOCH"] = EPOCH
    result = audit(
        read_log(tiny_log()),
        by=["accent", "device"],
        splits=3,
        permutations=39,
        model="tiny",
        dataset="golden",
        min_speakers_shown=5,
    )
    made = {form: render(result, form, width=100) for form in ("text", "md")}
    plain = rounded(json.loads(result.to_json()))
    # The seal is of the figures with all their digits.
    plain["digest"] = "X"
    made["json"] = json.dumps(plain, indent=2, ensure_ascii=False) + "\n"
    versions = {f"{name} {number}": f"{name} X" for name, number in result.environment.items()}
    versions |= {f'"{name}": "{number}"': f'"{name}": "X"' for name, number in result.environment.items()}
    own = version(DISTRIBUTION)
    versions |= {
        f"fairaudit:{own}": "fairaudit:X",
        f"fairaudit {own}": "fairaudit X",
        f"**fairaudit: {own}": "**fairaudit: X",
        f"**fairaudit:** {own}": "**fairaudit:** X",
        f'"fairaudit_version": "{own}"': '"fairaudit_version": "X"',
    }
    for form, text in made.items():
        for found, put in versions.items():
            text = text.replace(found, put)
        made[form] = text
    return made


def rounded(value):
    if isinstance(value, float):
        return float(f"{value:.{DIGITS}g}")
    if isinstance(value, list):
        return [rounded(one) for one in value]
    return {key: rounded(one) for key, one in value.items()} if isinstance(value, dict) else value


@pytest.fixture(scope="module")
def made():
    before = os.environ.get("SOURCE_DATE_EPOCH")
    try:
        return forms()
    finally:
        os.environ.pop("SOURCE_DATE_EPOCH", None)
        if before is not None:
            os.environ["SOURCE_DATE_EPOCH"] = before


@pytest.mark.parametrize("form", FILES)
def test_a_tiny_audit_is_as_it_was(made, form):
    assert made[form] == (GOLDEN / FILES[form]).read_text("utf-8")


def test_nothing_in_a_golden_file_depends_on_the_machine():
    for file in FILES.values():
        assert str(Path.home()) not in (GOLDEN / file).read_text("utf-8")


if __name__ == "__main__":
    GOLDEN.mkdir(exist_ok=True)
    for form, text in forms().items():
        (GOLDEN / FILES[form]).write_text(text, "utf-8", newline="\n")
        print(f"{GOLDEN / FILES[form]} written: look at what changed")
