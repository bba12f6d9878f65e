"""The examples of the pages on sclite's, ESPnet's and Kaldi's formats work as they are printed."""

import re
import shlex
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from fairaudit.cli import cli
from fairaudit.exceptions import LogError
from fairaudit.readers import read_log

FORMATS = Path(__file__).parent.parent / "docs" / "formats"

#: Utterance to reference words and errors, by the page's commands.
SCORED = {
    "trn": [{"ann-1": (2, 1), "bob-1": (3, 0)}],
    "stm": [{"show-A-0.10-2.03": (2, 1), "show-A-4.00-5.50": (3, 0)}],
    "sgml": [{"ann-1": (2, 1), "bob-1": (3, 2)}],
    "espnet": [{"ann-b-1": (2, 1), "bob-1": (3, 0)}],
    "kaldi": [{"ann-1": (2, 1), "bob-1": (3, 0)}, {"ann-1": (2, 1), "bob-1": (3, 1)}],
}


def unpack(name, folder):
    """Write the files of a page and return its commands."""
    page = (FORMATS / f"{name}.md").read_text("utf-8")
    for file, text in re.findall(r"`([\w./-]+)`:\n\n```text\n(.*?)```", page, flags=re.S):
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).write_text(text, "utf-8")
    return "".join(re.findall(r"```sh\n(.*?)```", page, flags=re.S)).splitlines()


@pytest.mark.parametrize("name", SCORED)
def test_the_commands_of_a_page_give_its_counts(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    commands = unpack(name, tmp_path)
    assert len(commands) == len(SCORED[name])
    for command, expected in zip(commands, SCORED[name], strict=True):
        program, *arguments = shlex.split(command)
        assert program == "fairaudit"
        result = CliRunner().invoke(cli, arguments)
        assert result.exit_code == 0, result.output
        rows = pq.read_table(arguments[-1]).to_pylist()
        assert {r["utterance_id"]: (r["ref_words"], r["errors"]) for r in rows} == expected
        assert {r["speaker_id"] for r in rows} <= {"ann", "ann-b", "bob"}


def test_the_alternatives_of_the_page_are_refused(tmp_path):
    unpack("trn", tmp_path)
    with pytest.raises(LogError, match=r"ref\.trn, line 3"):
        read_log(str(tmp_path / "hyp.trn"), references=str(tmp_path / "ref.trn"))


def test_ignored_segments_are_counted_where_nobody_leaves_them_out(tmp_path):
    unpack("stm", tmp_path)
    with pytest.raises(LogError, match="1 missing_reference"):
        read_log(str(tmp_path / "hyp.trn"), references=str(tmp_path / "ref.stm"))
