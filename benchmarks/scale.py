"""Ten million utterances: the CPU and memory of an audit against what pandas needs to read and group them.

    python benchmarks/scale.py [ROWS] [SPEAKERS]

Both run as processes of their own in the same run, so the ratio is what counts.
"""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

FAIRAUDIT = [sys.executable, "-c", "from fairaudit.cli import run; run()"]
PANDAS = """
import sys
import pandas as pd

columns = ["speaker_id", "ref_words", "errors", "latitude", "longitude", "zip_code"]
frame = pd.read_parquet(sys.argv[1], columns=columns)
counts = ["ref_words", "errors"]
for keys in (["speaker_id"], ["speaker_id", "latitude", "longitude"], ["speaker_id", "zip_code"]):
    print(len(frame.groupby(keys)[counts].sum()))
"""


def write_log(file: Path, rows: int, speakers: int) -> None:
    """Write a log whose speakers stay at one place each."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    from fairaudit.demographics import load_zip_table

    rng = np.random.default_rng(0)
    codes = load_zip_table().zip_codes
    zip_codes = pa.array(codes[rng.integers(0, len(codes), speakers)])
    ids = pa.array([f"speaker-{i:07}" for i in range(speakers)])
    latitude, longitude = rng.uniform(25, 49, speakers), rng.uniform(-124, -67, speakers)
    rate = 0.1 * rng.gamma(6, 1 / 6, speakers)
    at_once, writer = 1_000_000, None
    for first in range(0, rows, at_once):
        speaker = rng.integers(0, speakers, min(at_once, rows - first))
        words = rng.integers(1, 30, len(speaker))
        table = pa.table(
            {
                "speaker_id": ids.take(speaker),
                "ref_words": words,
                "errors": rng.poisson(words * rate[speaker]),
                "latitude": latitude[speaker],
                "longitude": longitude[speaker],
                "zip_code": zip_codes.take(speaker),
            }
        )
        writer = writer or pq.ParquetWriter(file, table.schema)
        writer.write_table(table)
    assert writer is not None
    writer.close()


def measure(command: list[str]) -> tuple[float, float, float]:
    """Return CPU seconds, wall seconds and peak memory in MB of a process."""
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{command} failed")
    return usage.ru_utime + usage.ru_stime, time.perf_counter() - start, usage.ru_maxrss / 1024


def main() -> None:
    """Measure and print a table."""
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000_000
    speakers = int(sys.argv[2]) if len(sys.argv) > 2 else 100_000
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "log.parquet"
        # In a process of its own: a child's peak memory starts at that of its parent.
        writer = multiprocessing.get_context("spawn").Process(target=write_log, args=(file, rows, speakers))
        writer.start()
        writer.join()
        by = ["--by", "geo", "--by", "zip", "--permutations", "0", "-o", f"{folder}/audit"]
        ours = measure([*FAIRAUDIT, "audit", str(file), *by])
        theirs = measure([sys.executable, "-c", PANDAS, str(file)])
    print(f"{rows:,} utterances, {speakers:,} speakers, geo and zip, no permutations")
    print("| | CPU s | wall s | peak MB |\n| --- | --- | --- | --- |")
    for name, (cpu, wall, peak) in {"fairaudit audit": ours, "pandas, read and group": theirs}.items():
        print(f"| {name} | {cpu:.1f} | {wall:.1f} | {peak:.0f} |")
    print(f"\nCPU ratio {ours[0] / theirs[0]:.2f}, memory ratio {ours[2] / theirs[2]:.2f}")


if __name__ == "__main__":
    main()
