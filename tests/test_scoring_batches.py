"""Scoring in batches: in one process or in several, the same bytes, and what is done with missing texts."""

import io
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fairaudit.checks import REFERENCE, UNSCORED
from fairaudit.exceptions import FairauditError, LogError, OptionError
from fairaudit.log import FLAGS, KINDS
from fairaudit.readers import text, workspace
from fairaudit.readers.text import score_frame
from fairaudit.readers.workspace import Workspace
from fairaudit.scoring import other_columns, parallel, score, worker
from fairaudit.scoring.batches import COLUMNS, Task, counted
from fairaudit.scoring.parallel import score_batches, worker_count

TASK = Task(("whisper-en", "none"))


def batches(n=7, rows=40, seed=2):
    rng = np.random.default_rng(seed)
    words = ["a", "two", "it's", "uh", "Colour", "b", None]

    def side():
        picked = [rng.choice(words, rng.integers(0, 6)).tolist() for _ in range(rows)]
        return [None if len(p) > 1 and p[0] is None else " ".join(filter(None, p)) for p in picked]

    return [pa.table({"reference": side(), "hypothesis": side()}) for _ in range(n)]


def children():
    """Return the processes that this one started and that are still there, zombies included."""
    found = subprocess.run(
        ["ps", "-o", "pid=,args=", "--ppid", str(os.getpid())], capture_output=True, text=True
    )
    return [line for line in found.stdout.splitlines() if "ps -o" not in line]


@pytest.fixture(autouse=True)
def _no_process_is_left():
    before = children()
    yield
    assert children() == before


def test_counts_do_not_depend_on_the_number_of_workers():
    tables = batches()
    tables.insert(3, tables[0].slice(0, 0))
    alone = list(score_batches(tables, TASK, workers=1))
    assert [table.num_rows for table in alone] == [table.num_rows for table in tables]
    assert sum(table["substitutions"].to_numpy().sum() for table in alone) > 0
    for workers in (2, 3):
        assert list(score_batches(tables, TASK, workers=workers, alone=0)) == alone


def test_at_most_two_batches_more_than_workers_are_read_ahead():
    read, most = 0, 0

    def source():
        nonlocal read
        for table in batches(9):
            read += 1
            yield table

    for given, _ in enumerate(score_batches(source(), TASK, workers=2, alone=0)):
        most = max(most, read - given)
    assert read == 9
    assert most <= 4


def test_workers_start_only_after_as_many_rows_as_they_cost(monkeypatch):
    started = []
    monkeypatch.setattr(parallel, "_by_workers", lambda rest, task, workers: started.append(workers) or rest)
    list(score_batches(batches(5, 40), TASK, workers=2, alone=200))
    assert started == [2]
    list(score_batches(batches(5, 40), TASK, workers=2, alone=201))
    list(score_batches(batches(5, 40), TASK, workers=2))
    list(score_batches(batches(5, 40), TASK, workers=1, alone=0))
    assert started == [2]


def test_a_worker_that_dies_is_an_internal_error_that_names_its_last_words(monkeypatch):
    monkeypatch.setattr(parallel, "arguments", lambda task: ["-c", "raise SystemExit('out of luck')"])
    with pytest.raises(FairauditError, match="ended with status 1: out of luck") as failed:
        list(score_batches(batches(), TASK, workers=2, alone=0))
    assert not isinstance(failed.value, LogError)


def test_a_worker_that_is_killed_is_an_error_and_no_hang():
    scored = score_batches(batches(30), TASK, workers=2, alone=0)
    next(scored), next(scored)
    (pid, *_), *_ = [line.split() for line in children() if "scoring.worker" in line]
    os.kill(int(pid), signal.SIGKILL)
    with pytest.raises(FairauditError, match="ended with status -9"):
        list(scored)


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_an_interruption_ends_the_workers(error):
    def source():
        yield from batches(5)
        raise error

    begun = time.monotonic()
    with pytest.raises(error):
        list(score_batches(source(), TASK, workers=2, alone=0))
    assert time.monotonic() - begun < 10


def test_who_wants_no_more_leaves_no_worker_behind():
    scored = score_batches(batches(9), TASK, workers=2, alone=0)
    next(scored), next(scored)
    assert children()
    scored.close()
    assert not children()


def test_a_script_needs_no_guard(tmp_path):
    (tmp_path / "script.py").write_text(
        "import pyarrow as pa\n"
        "from fairaudit.scoring.batches import Task\n"
        "from fairaudit.scoring.parallel import score_batches\n"
        "tables = [pa.table({'reference': ['a b'], 'hypothesis': ['a']})] * 4\n"
        "found = list(score_batches(tables, Task(('none',)), workers=2, alone=0))\n"
        "print('once', [t['deletions'][0].as_py() for t in found])\n"
    )
    # Modules that lie about are not those of the worker.
    (tmp_path / "json.py").write_text("raise SystemExit('wrong module')")
    run = subprocess.run(
        [sys.executable, "-P", "-W", "error", str(tmp_path / "script.py")],
        capture_output=True, text=True, cwd=tmp_path,
    )  # fmt: skip
    assert (run.stdout, run.stderr) == ("once [1, 1, 1, 1]\n", "")


def test_a_worker_answers_each_batch_by_one():
    source, sink = io.BytesIO(), io.BytesIO()
    tables = batches(3)
    with pa.ipc.new_stream(source, tables[0].schema) as writer:
        for table in tables:
            writer.write_table(table)
    source.seek(0)
    worker.serve(TASK, source, sink)
    answers = pa.ipc.open_stream(sink.getvalue())
    assert [pa.Table.from_batches([a]) for a in answers] == [counted(table, TASK) for table in tables]


def test_a_worker_loads_no_engine():
    code = "import sys, fairaudit.scoring.worker; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert "rapidfuzz.distance" in loaded
    assert not {"pandas", "duckdb", "narwhals", "sklearn", "scipy"} & set(loaded)


def test_the_number_of_workers_can_be_set(monkeypatch):
    monkeypatch.delenv(parallel.VARIABLE, raising=False)
    assert 1 <= worker_count() <= parallel.MOST_WORKERS
    monkeypatch.setenv(parallel.VARIABLE, "3")
    assert worker_count() == 3
    for wrong in ("0", "-1", "two", "1.5"):
        monkeypatch.setenv(parallel.VARIABLE, wrong)
        with pytest.raises(OptionError, match=parallel.VARIABLE):
            worker_count()


TABLE = {
    "speaker_id": list("abcdef"),
    "reference": ["x y", None, "x", "", "one two", "Bye"],
    "hypothesis": ["x", "x", None, "x", "", "bye " * 6],
    "looped": [7] * 6,
    "errors": [9] * 6,
}


def scored(**options):
    place = Workspace()
    frame, scoring, warnings = score_frame(
        place.frame_of(TABLE), options.pop("normalizer", "none"), place, **options
    )
    rows = frame.collect("pyarrow").to_native().sort_by("speaker_id")
    return rows.to_pydict(), scoring, warnings


def test_a_row_that_cannot_be_scored_says_why_and_counts_nothing():
    rows, scoring, warnings = scored(missing_hypothesis="exclude")
    assert rows == scored()[0]
    assert set(rows) == {"speaker_id", UNSCORED, *COLUMNS}
    assert rows[UNSCORED] == [None, "missing_reference", "missing_hypothesis", None, None, None]
    assert rows["ref_words"] == [2, 0, 0, 0, 2, 1]
    assert rows["deletions"] == [1, 0, 0, 0, 2, 0]
    assert rows["insertions"] == [0, 0, 0, 1, 0, 5]
    assert rows["missing_hypothesis"] == [0, 0, 1, 0, 0, 0]
    assert rows["empty_reference"] == [0, 0, 0, 1, 0, 0]
    assert rows["empty_hypothesis"] == [0, 0, 0, 0, 1, 0]
    assert rows["looped"] == [0, 0, 0, 0, 0, 1]
    assert (scoring.normalizer, warnings) == ("none", [])


def test_a_missing_hypothesis_can_count_as_deleted():
    rows, *_ = scored(missing_hypothesis="delete")
    assert rows[UNSCORED] == [None, "missing_reference", None, None, None, None]
    assert [rows[name][2] for name in COLUMNS if name != REFERENCE] == [1, 0, 1, 0, 1, 0, 0, 0]
    with pytest.raises(OptionError, match="missing_hypothesis is 'drop'"):
        scored(missing_hypothesis="drop")


def test_further_normalisers_and_other_units_are_scored_at_the_same_time():
    rows, *_ = scored(also=("basic", "none", "basic"), unit="characters")
    words, errors = other_columns("basic").values()
    assert set(rows) == {"speaker_id", UNSCORED, *COLUMNS, words, errors}
    assert rows["ref_words"] == [3, 0, 0, 0, 7, 3]
    basic = score(["Bye"], ["bye " * 6], "basic", unit="characters")
    assert rows[errors][5] == sum(basic[kind][0] for kind in KINDS) == 20
    assert sum(rows[kind][5] for kind in KINDS) == 21
    assert (rows[words][1], rows[errors][1]) == (0, 0)


def test_a_log_is_streamed_and_written_in_large_groups(monkeypatch):
    place, sizes = Workspace(), []
    frame = place.frame_of({"n": list(range(5000))})

    def change(tables):
        for table in tables:
            sizes.append(table.num_rows)
            yield table.append_column("m", table["n"])

    monkeypatch.setattr(workspace, "GROUP_ROWS", 2500)
    rows = place.mapped(frame, change, 1000).collect("pyarrow").to_native()
    assert sorted(rows["m"].to_pylist()) == list(range(5000))
    assert sizes[0] == 0
    assert max(sizes) < 5000
    (file,) = place.folder.glob("*.parquet")
    groups = pq.ParquetFile(file).metadata
    assert groups.num_row_groups == 2


def test_a_log_scored_by_workers_is_the_same_file(monkeypatch):
    sides = {
        name: [text for table in batches() for text in table[name].to_pylist()]
        for name in ("reference", "hypothesis")
    }
    monkeypatch.setattr(text, "ROWS_AT_ONCE", 50)
    monkeypatch.setattr(parallel, "ALONE_NORMALISED", 0)
    files = []
    for workers in ("1", "2"):
        monkeypatch.setenv(parallel.VARIABLE, workers)
        place = Workspace()
        score_frame(place.frame_of(sides), "whisper-en", place)
        (file,) = place.folder.glob("*.parquet")
        files.append(file.read_bytes())
    assert files[0] == files[1]
    assert set(FLAGS) <= set(pq.read_schema(pa.BufferReader(files[0])).names)
