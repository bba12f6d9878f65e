"""What README and docs claim is what the code does."""

import dataclasses
import re
from pathlib import Path

import numpy as np
import pytest

from fairaudit.auditing import audit
from fairaudit.checks import REMEDIES
from fairaudit.cli import cli
from fairaudit.config import read_options
from fairaudit.counts import SpeakerCounts
from fairaudit.discover import installed
from fairaudit.log import CANONICAL
from fairaudit.readers import read_log

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"


def blocks(page, language):
    return re.findall(rf"```{language}\n(.*?)```", (DOCS / page).read_text("utf-8"), flags=re.S)


def frame(speakers=300):
    import pandas as pd

    rng = np.random.default_rng(4)
    latitude = rng.uniform(30, 45, speakers)
    rate = np.where(latitude < 37, 0.2, 0.1)
    return pd.DataFrame(
        {
            "speaker_id": [f"s{i:03}" for i in range(speakers)],
            "ref_words": 200,
            "errors": rng.poisson(200 * rate),
            "latitude": latitude,
            "longitude": rng.uniform(-100, -80, speakers),
        }
    )


def test_the_discoverer_of_the_docs_keeps_the_contract_and_finds_the_gap():
    first, check, *_ = blocks("discoverers.md", "python")
    rows = frame()
    cells = {name: np.floor(rows[name].to_numpy() / 0.05) for name in ("latitude", "longitude")}
    counts = SpeakerCounts.of(
        rows["speaker_id"], ref_words=rows["ref_words"], errors=rows["errors"], attributes=cells
    )
    namespace = {"counts": counts}
    exec(first, namespace)
    exec(check, namespace)
    result = audit(read_log(rows), by=[namespace["NorthSouth"](grid=0.1)])
    found = result.partition("north-south")
    assert found.bottom.cohorts == ("south",)
    assert found.gap.relative_low > 0.5


def test_the_configuration_of_the_docs_is_read(tmp_path):
    file = tmp_path / "audit.toml"
    file.write_text(blocks("discoverers.md", "toml")[0])
    assert read_options(file)["parameters"] == {"geo": {"max_regions": 40, "min_speakers": 50}}


def test_every_column_and_every_reason_is_documented():
    page = (DOCS / "log.md").read_text("utf-8")
    for name in (*CANONICAL, *REMEDIES):
        assert f"`{name}`" in page


def test_every_parameter_of_a_discoverer_is_documented_with_its_default():
    page = (DOCS / "methods.md").read_text("utf-8")
    for kind in installed().values():
        for field in dataclasses.fields(kind):
            assert f"`{field.name}`" in page


def every_page():
    return [ROOT / "README.md", *sorted(DOCS.glob("*.md")), ROOT / "CONTRIBUTING.md"]


@pytest.mark.parametrize("page", every_page(), ids=lambda p: p.name)
def test_every_option_that_a_page_names_exists(page):
    known = {option for command in cli.commands.values() for p in command.params for option in p.opts}
    text = page.read_text("utf-8")
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", text)) - {"--help", "--version"}
    of_other_tools = {"--quiet", "--strict"}
    assert named - of_other_tools <= known


@pytest.mark.parametrize("page", every_page(), ids=lambda p: p.name)
def test_links_between_pages_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text("utf-8")):
        if not target.startswith(("http://", "https://", "mailto:")):
            assert (page.parent / target).exists(), target
