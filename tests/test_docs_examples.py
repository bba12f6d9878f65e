"""Commands and Python of the pages that show how to do something work, and print what the pages say."""

import ast
import json
import re
import shlex
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import fairaudit
from fairaudit.cli import cli

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
FENCE = re.compile(r"^( *)```(\w+)\n(.*?)^\1```", flags=re.S | re.M)
#: Pages that are run from top to bottom, each in a folder of its own.
RUN = (
    "adjust",
    "audit-by",
    "bring",
    "compare",
    "embeddings",
    "jupyter",
    "model-card",
    "readers",
    "scoring",
    "silence",
    "warehouse",
)
#: Pages of which only the Python is run here: their commands take long, or other tests run them.
PYTHON = ("check", "ci", "gate", "maps", "simulate", "training")
#: Pages whose Python `test_docs.py` and `test_format_pages_of_toolkits.py` run.
ELSEWHERE = ("discoverers", "log", "formats/datasets")
ARTIE = "data/artie_deepspeech-v0-{}.csv"


def fences(name):
    """Yield language and text of the blocks of a page."""
    for indent, language, text in FENCE.findall((DOCS / f"{name}.md").read_text("utf-8")):
        yield language, re.sub(rf"^{indent}", "", text, flags=re.M)


def run(command):
    """Run a command of a page; return what it printed, and the file that it wrote if that is text."""
    program, *arguments = shlex.split(command, comments=True)
    assert program == "fairaudit"
    result = CliRunner().invoke(cli, arguments)
    assert result.exit_code == 0, f"{command}\n{result.output}"
    written = [
        Path(a) for a in arguments if a.endswith(".csv") and not a.startswith("data/") and "=" not in a
    ]
    return result.output + "".join(file.read_text("utf-8") for file in written if file.exists())


def commands(text):
    """Return the commands of a block, with continued lines joined."""
    return [line for line in text.replace("\\\n", " ").splitlines() if line.strip()]


def execute(code, namespace):
    """Run Python, and hold each `expression  # literal` to what it says."""
    exec(code, namespace)
    for expression, said in re.findall(r"^(\S.*?)  # (.+)$", code, flags=re.M):
        try:
            expected = ast.literal_eval(said)
        except (SyntaxError, ValueError):
            continue
        exec(f"found = {expression}", namespace)
        assert namespace["found"] == expected, expression


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder that holds what the pages take for granted: the example logs, and small logs of one's own."""
    monkeypatch.chdir(tmp_path)
    Path("data").symlink_to(ROOT / "data")
    Path("embeddings").mkdir()
    Path("logs").mkdir()
    rng = np.random.default_rng(5)
    speakers = [f"s{number:02}" for number in range(40)]
    rows = [(s, "abc"[number % 3], 50, int(rng.poisson(6))) for number, s in enumerate(speakers)]
    lines = "".join(f"{s},{accent},{words},{errors}\n" for s, accent, words, errors in rows)
    Path("counts.csv").write_text("spk,accent,n_words,errors\n" + lines)
    Path("logs/day.csv").write_text("speaker_id,accent,ref_words,errors\n" + lines)
    texts = []
    for number, (s, accent, *_) in enumerate(rows):
        labels = {"utterance_id": f"{s}-1", "speaker_id": s, "accent": accent, "reference": "on the mat"}
        better = "on the mat" if number % 4 else "on a mat"
        texts.append({**labels, "hypothesis": better, "v1": "on a mat", "v2": better})
    for file, keys in {
        "texts.jsonl": ("reference", "hypothesis"),
        "log.jsonl": ("reference", "v1", "v2"),
    }.items():
        known = ("utterance_id", "speaker_id", "accent", *keys)
        Path(file).write_text("".join(json.dumps({k: t[k] for k in known}) + "\n" for t in texts))
    for file, side in {"ref.trn": "reference", "hyp.trn": "hypothesis"}.items():
        Path(file).write_text("".join(f"{t[side]} ({t['utterance_id']})\n" for t in texts))
    Path("utt2spk").write_text("".join(f"{t['utterance_id']} {t['speaker_id']}\n" for t in texts))
    Path("speakers.csv").write_text("speaker_id,accent\n" + "".join(f"{s},{a}\n" for s, a, *_ in rows))
    return tmp_path


def prepare(name):
    """Do what a page says has been done on another one."""
    if name == "training":
        run("fairaudit audit data/simulated.parquet -o audit --by voice --permutations 0")
        run("fairaudit assign audit/partitions.json data/simulated.parquet -o cohorts.csv --keep speaker_id")
    if name in ("gate", "ci"):
        old, new = ARTIE.format("6-0"), ARTIE.format("7-3")
        run(f"fairaudit compare {old} {new} --by gender -o compared --splits 1")
        Path("fairness").mkdir()
        run("fairaudit init -o policy.toml")
        Path("fairness/policy.toml").write_text(Path("policy.toml").read_text())
    if name in ("maps", "simulate"):
        run("fairaudit simulate -o log.parquet --truth truth.json --speakers 2000")
    if name == "maps":
        run("fairaudit audit log.parquet -o audit --by geo --permutations 0")


#: Commands that are a form with capitals, or that take long: `.ci/run` and other tests run the like of them.
NOT_HERE = re.compile(r" BASELINE |data/simulated")


def of_one_page(name):
    """Yield language and block of a page, of commands a list."""
    for language, text in fences(name):
        if language == "sh":
            yield language, [command for command in commands(text) if not NOT_HERE.search(command)]
        else:
            yield language, text


def check_adjust(page):
    (gap,) = fairaudit.read_audit("rooms").partition("accent").adjusted_gaps
    figures = (gap.relative, gap.relative_low, gap.relative_high, gap.crude.relative)
    alone, low, high, without = (f"{100 * figure:.1f}" for figure in figures)
    assert f"| microphone | {alone} | {low} to {high} | {without} |" in page


def check_silence(page):
    injection = fairaudit.read_audit("silence").partition("gender").injection
    for size in injection.found[:5]:
        assert f"| {100 * size.gap:.0f} | {100 * size.found:.1f} |" in page
    assert {size.found for size in injection.found[5:]} == {1.0}
    assert f"a gap of {100 * injection.detectable:.1f} % would have been found" in page
    assert f"{100 * injection.share:.0f} % of the speakers" in page


def check_jupyter(page):
    shown, made = (
        re.findall(r">([^<>]+)<", f.read_text()) for f in (DOCS / "images/accents.svg", Path("accents.svg"))
    )
    assert shown == made


#: What the tables and pictures of a page say that is not printed but in the result.
FIGURES = {"adjust": check_adjust, "jupyter": check_jupyter, "silence": check_silence}


@pytest.mark.parametrize("name", RUN)
def test_a_page_works_from_top_to_bottom_and_prints_what_it_says(folder, name):
    prepare(name)
    printed, namespace = "", {}
    for language, block in of_one_page(name):
        if language == "sh":
            printed = "".join(run(command) for command in block)
        elif language == "python":
            execute(block, namespace)
        elif language == "text" and printed:
            assert block.strip() in printed
    if name in FIGURES:
        FIGURES[name]((DOCS / f"{name}.md").read_text("utf-8"))


@pytest.mark.parametrize("name", PYTHON)
def test_the_python_of_a_page_works(folder, name):
    prepare(name)
    namespace = {}
    for language, block in fences(name):
        if language == "python":
            execute(block, namespace)


def test_no_python_of_a_page_goes_without_being_run():
    pages = {
        p.relative_to(DOCS).with_suffix("").as_posix()
        for p in DOCS.rglob("*.md")
        if "```python" in p.read_text()
    }
    assert pages <= {*RUN, *PYTHON, *ELSEWHERE}


def test_the_first_audit_is_that_of_the_readme():
    readme = (ROOT / "README.md").read_text("utf-8")
    (table,) = [text for language, text in fences("start") if language == "text"]
    assert table in readme
