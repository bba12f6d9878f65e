"""An everyday audit: 1,500 speakers, 40,000 utterances, all three kinds of attribute, defaults throughout.

    python benchmarks/everyday.py

Prints CPU and peak memory of the whole command, from start to report, against the same audit without
permutations, and the CPU of `fairaudit --help` against that of a bare interpreter.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from scale import FAIRAUDIT, measure


def main() -> None:
    """Measure and print a table."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "log.parquet"
        world = ["--speakers", "1500", "--utterances", "26.67", "--truth", f"{folder}/truth.json"]
        measure([*FAIRAUDIT, "simulate", "-o", str(file), *world])
        audit = [*FAIRAUDIT, "audit", str(file), "-o", f"{folder}/audit"]
        rows = {
            "audit with the default 11 splits and 199 permutations": measure(audit),
            "the same without permutations": measure([*audit, "--permutations", "0"]),
            "fairaudit --help": min(measure([*FAIRAUDIT, "--help"]) for _ in range(5)),
            "a bare interpreter": min(measure([sys.executable, "-c", "pass"]) for _ in range(5)),
        }
    print("| | CPU s | wall s | peak MB |\n| --- | --- | --- | --- |")
    for name, (cpu, wall, peak) in rows.items():
        print(f"| {name} | {cpu:.2f} | {wall:.2f} | {peak:.0f} |")


if __name__ == "__main__":
    main()
