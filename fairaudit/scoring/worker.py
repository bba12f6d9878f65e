"""A process that scores batches: Arrow streams of texts come in, Arrow streams of counts go out.

Started as `python -m fairaudit.scoring.worker TASK`, where TASK is JSON. It needs no `__main__` of the
caller and no pickle, and ends when its standard input does.
"""

from __future__ import annotations

import json
import sys
from typing import IO

from fairaudit.scoring.batches import Task, counted, one_batch


def arguments(task: Task) -> list[str]:
    """Return the arguments of the interpreter that start a worker."""
    text = json.dumps([task.normalizers, task.unit, task.delete_missing])
    return ["-P", "-m", "fairaudit.scoring.worker", text]


def serve(task: Task, source: IO[bytes], sink: IO[bytes]) -> None:
    """Answer each batch of a stream by one batch of another."""
    import pyarrow as pa

    writer = None
    with pa.ipc.open_stream(source) as batches:
        for batch in batches:
            counts = one_batch(counted(pa.Table.from_batches([batch]), task))
            if writer is None:
                writer = pa.ipc.new_stream(sink, counts.schema)
            writer.write_batch(counts)
            sink.flush()
    if writer is not None:
        writer.close()


if __name__ == "__main__":
    normalizers, unit, delete_missing = json.loads(sys.argv[1])
    serve(Task(tuple(normalizers), unit, delete_missing), sys.stdin.buffer, sys.stdout.buffer)
