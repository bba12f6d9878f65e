"""What README and docs claim is what the code does."""

import dataclasses
import re
from pathlib import Path

import numpy as np
import pytest

from fairaudit.auditing import audit
from fairaudit.checks import REMEDIES
from fairaudit.cli import EXIT_CODES, cli
from fairaudit.cli.options import LOG_OPTIONS
from fairaudit.config import AuditOptions, read_options
from fairaudit.discover import installed
from fairaudit.embeddings import read_vectors
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


def test_the_discoverer_of_the_docs_keeps_the_contract_and_finds_the_gap(tmp_path, monkeypatch):
    first, check, *_ = blocks("discoverers.md", "python")
    rows = frame()
    monkeypatch.chdir(tmp_path)
    rows.to_parquet("log.parquet")
    namespace = {}
    exec(first, namespace)
    exec(check, namespace)
    assert namespace["counts"].rows == len(rows)
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


def sections():
    """Return the sections of the page of commands by heading."""
    parts = re.split(r"^## (.*)\n", (DOCS / "commands.md").read_text("utf-8"), flags=re.M)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def shared_options():
    """Return the options that every command has which reads a log."""
    import click

    command = click.command()(lambda: None)
    for option in LOG_OPTIONS:
        command = option(command)
    return {name for parameter in command.params for name in parameter.opts}


#: Commands that have the options of the log.
READING = ("audit", "compare", "assign", "check", "score", "convert")


def options_of_commands():
    for name, command in cli.commands.items():
        for parameter in command.params:
            if parameter.param_type_name == "option":
                yield pytest.param(name, parameter, id=f"{name} {parameter.opts[-1]}")


@pytest.mark.parametrize(("command", "option"), list(options_of_commands()))
def test_every_option_is_documented_with_its_default(command, option):
    shared = set(option.opts) <= shared_options() and command in READING
    section = sections()["Options of the log" if shared else f"fairaudit {command}"]
    rows = [row for row in section.splitlines() if row.startswith("| `-")]
    names = ", ".join(f"`{name}`" for name in option.opts)
    (row,) = [row for row in rows if row.startswith(f"| {names} ")]
    _, _, default, text, _ = row.split("|")
    assert text.strip().endswith(".")
    assert ("(repeat)" in text) == option.multiple
    # Some defaults are those of the options of an audit, and some are said in the help only.
    told = re.search(r"\[default: ([0-9.]+)\]", option.help or "")
    given = option.default if isinstance(option.default, str | float | int) else told and told[1]
    if option.required:
        assert default.strip() == "required"
    elif given and not option.is_flag:
        assert default.strip() == str(given)


def test_every_key_of_a_configuration_is_documented(tmp_path):
    section = sections()["fairaudit audit"].partition("### A file of options")[2]
    keys = {field.name for field in dataclasses.fields(AuditOptions)} - {"parameters"}
    assert {key for key in keys if f"`{key}`" not in section} == set()
    (example,) = blocks("commands.md", "toml")
    (tmp_path / "audit.toml").write_text(example)
    assert read_options(tmp_path / "audit.toml")["parameters"] == {"geo": {"min_speakers": 50}}


def test_defaults_of_an_audit_are_those_of_its_options():
    rows = sections()["fairaudit audit"].splitlines()
    for field in dataclasses.fields(AuditOptions):
        if isinstance(field.default, int | float) and not isinstance(field.default, bool):
            (row,) = [row for row in rows if row.startswith(f"| `--{field.name.replace('_', '-')}`")]
            assert row.split("|")[2].strip() == str(field.default)


def test_every_exit_code_is_documented():
    codes = re.findall(r"^\| ([0-9]+) \|", sections()["Exit codes"], flags=re.M)
    assert tuple(map(int, codes)) == EXIT_CODES


def test_the_embeddings_of_the_docs_are_read(tmp_path, monkeypatch):
    page = (DOCS / "log.md").read_text("utf-8")
    for name in ("`NAME.parquet`", "`NAME.npz`", "`NAME.npy`", "`NAME.ids.txt`", "`ids`", "`embeddings`"):
        assert name in page
    monkeypatch.chdir(tmp_path)
    (example,) = blocks("log.md", "python")
    exec(example, {})
    ids, vectors = read_vectors("voices.npz")
    assert (ids.tolist(), vectors.shape) == (["ann", "bob"], (2, 2))


def every_page():
    return [ROOT / "README.md", *sorted(DOCS.rglob("*.md")), ROOT / "CONTRIBUTING.md"]


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
