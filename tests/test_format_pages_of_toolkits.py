"""The examples of the pages on the formats of toolkits and data sets work as they are printed."""

import re
import shlex
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from test_format_pages import unpack

from fairaudit.cli import cli

FORMATS = Path(__file__).parent.parent / "docs" / "formats"
#: Utterance to speaker, reference words and errors, by the page's commands.
SCORED = {
    "nemo": [
        {"a/ann-1.wav": ("ann", 2, 1), "a/bob-1.wav": ("bob", 3, 0)},
        {"a/bob.wav": ("bob", 3, 0), "a/bob.wav#7.25": ("bob", 2, 1)},
    ],
    "leaderboard": [{"sample_0": ("ann", 2, 1), "sample_1": ("bob", 3, 0)}],
    "whisper": [{"ann-1": ("ann", 2, 1), "bob-1": ("bob", 3, 0)}],
    "meeteval": [{"meet1": ("team-a", 8, 4), "meet2": ("team-b", 1, 0)}],
    "common_voice": [{"common_voice_en_1": ("ab12", 2, 1), "common_voice_en_2": ("cd34", 3, 0)}],
    "datasets": [{"ann-1": ("7", 2, 1), "bob-1": ("8", 3, 0)}] * 2,
    "icefall": [{"1089-134686-0000-0": ("1089", 2, 1), "1188-133604-0001-1": ("1188", 3, 0)}],
    "speechbrain": [{"ann-1": ("ann", 2, 1), "bob-1": ("bob", 3, 1)}],
}


def run(command):
    program, *arguments = shlex.split(command)
    assert program == "fairaudit"
    result = CliRunner().invoke(cli, arguments)
    assert result.exit_code == 0, result.output
    return pq.read_table(arguments[-1]).to_pylist()


@pytest.mark.parametrize("name", SCORED)
def test_the_commands_of_a_page_give_its_counts(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    page = (FORMATS / f"{name}.md").read_text("utf-8")
    commands = unpack(name, tmp_path)
    for code in re.findall(r"```python\n(.*?)```", page, flags=re.S):
        datasets = pytest.importorskip("datasets", reason="Hugging Face's datasets is not installed")
        datasets.disable_progress_bars()
        exec(code, {})
    assert len(commands) == len(SCORED[name])
    for command, expected in zip(commands, SCORED[name], strict=True):
        rows = run(command)
        found = {r["utterance_id"]: (r["speaker_id"], r["ref_words"], r["errors"]) for r in rows}
        assert found == expected
