"""What README and docs claim is what the code does."""

import dataclasses
import json
import os
import re
import subprocess
import sys
import tomllib
from importlib import import_module
from importlib.metadata import version
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import click
import numpy as np
import pytest

import fairaudit
from fairaudit.auditing import audit
from fairaudit.checks import REMEDIES
from fairaudit.cli import EXIT_CODES, cli
from fairaudit.cli.options import LOG_OPTIONS
from fairaudit.config import AuditOptions, read_options
from fairaudit.discover import installed
from fairaudit.embeddings import read_vectors
from fairaudit.log import CANONICAL
from fairaudit.readers import read_log
from fairaudit.schema import SCHEMA_VERSION

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


@pytest.mark.parametrize("command", list(cli.commands))
def test_every_option_that_a_section_lists_is_one_of_its_command(command):
    listed = re.findall(r"^\| `(?:-\w`, `)?(--[\w-]+)`", sections()[f"fairaudit {command}"], flags=re.M)
    known = {option for parameter in cli.commands[command].params for option in parameter.opts}
    assert set(listed) <= known
    assert len(listed) == len(set(listed))


def test_the_options_of_the_log_are_listed_once_and_are_those_of_every_command_that_reads_one():
    tables = re.split(r"^These too, except of `convert`.*\n", sections()["Options of the log"], flags=re.M)
    every, most = (re.findall(r"^\| `(--[\w-]+)`", table, flags=re.M) for table in tables)
    assert sorted(every + most) == sorted(shared_options())
    for name in READING:
        known = {option for parameter in cli.commands[name].params for option in parameter.opts}
        assert set(every) <= known
        assert set(most) <= known or (name == "convert" and not set(most) & known)


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
    above = [ROOT / f"{name}.md" for name in ("README", "CONTRIBUTING", "CHANGELOG")]
    return [*above, *sorted(DOCS.rglob("*.md")), *sorted((ROOT / "data").glob("*.md"))]


@pytest.mark.parametrize("page", every_page(), ids=lambda p: p.name)
def test_every_option_that_a_page_names_exists(page):
    known = {
        option
        for command in cli.commands.values()
        for p in command.get_params(click.Context(command))
        for option in p.opts
    }
    text = page.read_text("utf-8")
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", text)) - {"--help", "--version"}
    of_other_tools = {"--quiet", "--strict"}
    assert named - of_other_tools <= known


@pytest.mark.parametrize("page", every_page(), ids=lambda p: p.name)
def test_links_between_pages_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text("utf-8")):
        if not target.startswith(("http://", "https://", "mailto:")):
            assert (page.parent / target).exists(), target


def test_the_page_on_jupyter_leads_to_every_notebook():
    page = (DOCS / "jupyter.md").read_text("utf-8")
    linked = re.findall(r"\]\(\.\./notebooks/(\w+)\.md\)", page)
    assert sorted(linked) == sorted(file.stem for file in (ROOT / "notebooks").glob("*.ipynb"))


def test_the_home_page_tells_the_finding_of_the_example():
    home, start = (" ".join((DOCS / page).read_text("utf-8").split()) for page in ("index.md", "start.md"))
    (finding,) = re.findall(r"\*by voice, (.*?)\*", home)
    assert f"By voice: {finding.replace('100 words', '100 words,')}" in start


def test_every_public_name_is_in_the_reference():
    named = re.findall(r"^::: ([\w.]+)$", (DOCS / "reference.md").read_text("utf-8"), flags=re.M)
    whole = [name for name in named if name in ("fairaudit.partition", "fairaudit.exceptions")]
    known = {name.rpartition(".")[2] for name in named}
    known |= {name for module in whole for name in vars(import_module(module))}
    assert set(fairaudit.__all__) <= known


def test_every_example_log_has_a_datasheet_with_every_part():
    parts = ("Motivation", "Composition", "Collection", "Processing", "Uses", "Maintenance", "Known limits")
    logs = {
        file.stem.split("_")[0] for file in (ROOT / "data").iterdir() if file.suffix in (".csv", ".parquet")
    }
    for log in logs:
        sheet = (ROOT / "data" / f"{log}.md").read_text("utf-8")
        assert re.findall(r"^## (.*)", sheet, flags=re.M) == [
            *parts[:5],
            "Distribution and licence",
            *parts[5:],
        ]


def test_the_citation_is_complete_and_of_this_version():
    yaml = pytest.importorskip("yaml", reason="PyYAML is not installed")
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert {"message", "title", "abstract", "authors"} <= set(citation)
    assert citation["cff-version"] == "1.2.0"
    assert citation["version"] == project["version"] == version("fairaudit-asr")
    assert citation["license"] == project["license"]
    assert citation["authors"] == project["authors"]
    known = (DOCS / "methods.md").read_text("utf-8")
    for paper in citation["references"]:
        assert paper["title"].lower() in " ".join(known.lower().split())
        assert paper["identifiers"][0]["value"] in known
        assert all({"family-names", "given-names"} == set(author) for author in paper["authors"])


@pytest.fixture
def site_pages():
    """The hook that makes pages of the site."""
    pytest.importorskip("mkdocs", reason="mkdocs is not installed")
    spec = spec_from_file_location("site_pages", DOCS / "site_pages.py")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", ["audit", "compare", "policy", "verdict"])
def test_the_page_of_a_schema_has_every_field(site_pages, name):
    file = DOCS / "schemas" / f"{name}.schema.json"
    page, schema = site_pages.schema_page(file), json.loads(file.read_text("utf-8"))
    for kind in (schema, *schema.get("$defs", {}).values()):
        section = page.partition(f"\n## {kind['title']}\n")[2].partition("\n## ")[0]
        assert re.findall(r"^\| `(\w+)` ", section, flags=re.M) == list(kind["properties"])
        shown = re.findall(r"^\| `\w+` \| (.*?) \| ", section, flags=re.M)
        assert shown == [of["description"] for of in kind["properties"].values()]


@pytest.mark.parametrize("name", ["audit", "compare", "policy", "verdict"])
def test_every_property_of_a_schema_is_described_in_a_sentence(name):
    schema = json.loads((DOCS / "schemas" / f"{name}.schema.json").read_text("utf-8"))
    assert schema["$id"] == f"urn:fairaudit:schema:{name}:{SCHEMA_VERSION}"
    for kind in (schema, *schema["$defs"].values()):
        # What the class is, without the sections of its docstring.
        assert kind["description"].endswith(".")
        assert "---" not in kind["description"]
        for field, of in kind["properties"].items():
            description = of.get("description", "")
            assert re.fullmatch(r"(p of|[A-Z`(]).{6,}\.", description), f"{kind['title']}.{field}"


def test_what_a_class_inherits_is_described_where_it_is_defined():
    cohort = json.loads((DOCS / "schemas/audit.schema.json").read_text("utf-8"))["$defs"]["Cohort"]
    assert cohort["properties"]["wer"]["description"] == "Errors over reference words; can exceed 1."


def test_links_are_turned_to_where_a_page_is_in_the_site(site_pages):
    def turned(link, source, place):
        return site_pages.turn(f"[x]({link})", source, place)[4:-1]

    assert turned("../data/edacc.md#uses", "docs/bring.md", "bring.md") == "data/edacc.md#uses"
    assert turned("../docs/compare.md", "data/edacc.md", "data/edacc.md") == "../compare.md"
    assert turned("docs/words.md", "CONTRIBUTING.md", "contributing.md") == "words.md"
    assert turned("schemas/audit.schema.json", "docs/results.md", "results.md") == "schemas/audit.md"
    assert turned("../log.md#columns", "docs/formats/kaldi.md", "formats/kaldi.md") == "../log.md#columns"
    assert turned("https://semver.org/", "CHANGELOG.md", "changelog.md") == "https://semver.org/"


def test_no_page_of_the_site_asks_another_host_for_anything(tmp_path):
    pytest.importorskip("material", reason="the theme of the site is not installed")
    build = [sys.executable, "-m", "mkdocs", "build", "--quiet", "--no-strict", "--site-dir", str(tmp_path)]
    environment = os.environ | {"PYTHONWARNINGS": "ignore", "NO_MKDOCS_2_WARNING": "1"}
    subprocess.run(build, cwd=ROOT, env=environment, check=True, capture_output=True)
    pages = list(tmp_path.rglob("*.html"))
    assert {"start", "changelog", "artie", "first_audit"} <= {page.parent.name for page in pages}
    for page in pages:
        loading = r"<(?:link|script|img|iframe|source|video|audio|object|embed)\b[^>]*?"
        assert not re.search(loading + r"(?:src|href|data)=[\"']?(?:https?:)?//", page.read_text("utf-8")), (
            page
        )
    for style in tmp_path.rglob("*.css"):
        assert not re.search(r"(?:url\(|@import)\s*[\"']?(?:https?:)?//", style.read_text("utf-8")), style
