"""Batches scored by several processes at once, in the order in which they came."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, suppress
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

from fairaudit.exceptions import FairauditError, OptionError
from fairaudit.scoring.batches import Task, counted, one_batch
from fairaudit.scoring.worker import arguments

if TYPE_CHECKING:
    import pyarrow as pa

#: How many processes score text; for those who want another number than there are processors.
VARIABLE = "FAIRAUDIT_WORKERS"
#: A worker takes about 80 MB and the parent feeds no more of them than this.
MOST_WORKERS = 8
#: Rows that are scored before workers are started, which take as long to start as these rows to score.
ALONE = {"none": 150_000}
ALONE_NORMALISED = 10_000


def worker_count() -> int:
    """Return how many processes score text: the processors of this process, or `FAIRAUDIT_WORKERS`.

    Raises
    ------
    OptionError
        If `FAIRAUDIT_WORKERS` is no whole number from 1.
    """
    if asked := os.environ.get(VARIABLE):
        if not (asked.isascii() and asked.isdigit() and int(asked)):
            raise OptionError(
                f"{VARIABLE} is '{asked}'", where="the environment", allowed="a whole number from 1"
            )
        return int(asked)
    if not sys.executable:
        return 1
    affinity = getattr(os, "sched_getaffinity", None)
    return min(MOST_WORKERS, len(affinity(0)) if affinity else os.cpu_count() or 1)


def score_batches(
    batches: Iterable[pa.Table], task: Task, *, workers: int | None = None, alone: int | None = None
) -> Generator[pa.Table, None, None]:
    """Score batches of texts; the result does not depend on the number of workers.

    Parameters
    ----------
    batches : iterable of pyarrow.Table
        All of one schema; see `counted`. At most two more than there are workers are read ahead.
    task : Task
    workers : int, optional
        Processes; 1 scores in this one. `worker_count()` where none is given.
    alone : int, optional
        Rows to score before workers are started. As many as starting them costs, where none is given.

    Yields
    ------
    pyarrow.Table
        One for each batch, in their order.

    Raises
    ------
    FairauditError
        If a worker ends before its work is done.
    """
    workers = worker_count() if workers is None else workers
    if alone is None:
        alone = min(ALONE.get(name, ALONE_NORMALISED) for name in task.normalizers)
    rest = iter(batches)
    for batch in rest:
        yield counted(batch, task)
        alone -= batch.num_rows
        if workers > 1 and alone <= 0:
            yield from _by_workers(rest, task, workers)


def _by_workers(batches: Iterator[pa.Table], task: Task, workers: int) -> Iterator[pa.Table]:
    """Keep each worker busy, and one batch more waiting, while results are wanted in turn."""
    idle: SimpleQueue[_Worker] = SimpleQueue()

    def scored(batch: pa.Table) -> pa.Table:
        worker = idle.get()
        try:
            return worker.scored(batch)
        finally:
            idle.put(worker)

    started = 0
    waiting: deque[Future[pa.Table]] = deque()
    # However this ends, workers are killed first, which sets their threads free, and closed last.
    with ExitStack() as closing, ThreadPoolExecutor(workers) as threads, ExitStack() as killing:
        for batch in batches:
            # A worker for each batch at first, so that no more are started than there is work for.
            if started < workers:
                worker = _Worker(task)
                closing.callback(worker.close)
                killing.callback(worker.kill)
                idle.put(worker)
                started += 1
            waiting.append(threads.submit(scored, batch))
            if len(waiting) > workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


class _Worker:
    """One process, with a stream of texts to it and one of counts from it."""

    def __init__(self, task: Task) -> None:
        # A file, since nobody reads a pipe while the worker is busy.
        self._complaints = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the worker
        self._process = subprocess.Popen(
            [sys.executable, *arguments(task)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._complaints,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            # Ctrl-C is for the parent, who ends its workers.
            start_new_session=True,
        )
        self._writer: Any = None
        self._reader: Any = None

    def scored(self, batch: pa.Table) -> pa.Table:
        """Send a batch and wait for its counts."""
        import pyarrow as pa

        try:
            if self._writer is None:
                self._writer = pa.ipc.new_stream(self._process.stdin, batch.schema)
            self._writer.write_batch(one_batch(batch))
            self._process.stdin.flush()  # type: ignore[union-attr]
            if self._reader is None:
                self._reader = pa.ipc.open_stream(self._process.stdout)
            return pa.Table.from_batches([self._reader.read_next_batch()])
        except (OSError, pa.ArrowInvalid, StopIteration):
            raise FairauditError(self._obituary()) from None

    def kill(self) -> None:
        """End the process now."""
        self._process.kill()

    def close(self) -> None:
        """Wait for the process, which was killed, and close what leads to it."""
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout, self._complaints):
            # What was still to be written to it has nowhere to go.
            with suppress(OSError):
                stream.close()  # type: ignore[union-attr]

    def _obituary(self) -> str:
        status = self._process.wait()
        self._complaints.seek(0)
        last = self._complaints.read().decode("utf-8", "replace").strip().splitlines()[-1:]
        return f"a process that scores text ended with status {status}: {''.join(last) or 'without a word'}"
