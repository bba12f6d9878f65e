"""A small log with awkward texts, the ways to write it, and how two counts are compared bit by bit."""

import csv
import gzip
import io
import json

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from fairaudit.aggregate import aggregate
from fairaudit.counts import Labels

#: What every partition reads.
SETTINGS = ((), ("accent",), ("day",), ("zip_code", "accent"), ("latitude", "longitude"))

IDS = ["007", "7", "1e5", "2024-01-01", "é b", 'the "a"', "日本", "x,y", "true", "0x1F", "-0", "NaN"]


def rows(n=60, seed=3):
    """Utterances as dicts; a value that is missing is None."""
    rng = np.random.default_rng(seed)
    table = []
    for number in range(n):
        place = rng.random() < 0.8
        words = int(rng.integers(0, 30))
        table.append(
            {
                "utterance_id": f"{number:04}",
                "speaker_id": IDS[number * 5 % len(IDS)],
                "ref_words": words,
                "errors": int(rng.binomial(words, 0.3)),
                "latitude": round(float(rng.uniform(-60, 70)), 2) if place else None,
                "longitude": round(float(rng.uniform(-124, -67)), 2) if place else None,
                "zip_code": ["02138", "00501", "10001", None][rng.integers(4)],
                "accent": ["NA", "Irish, north", 'say "eh"', None][rng.integers(4)],
                "day": f"2024-01-0{rng.integers(1, 4)}",
            }
        )
    return table


def text_of(table, kind, columns=None):
    """Write rows in a text format."""
    columns = columns or list(table[0])
    if kind == "jsonl":
        lines = [{c: row[c] for c in columns if row[c] is not None} for row in table]
        return "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
    if kind == "csv":
        out = io.StringIO()
        writer = csv.DictWriter(out, columns, lineterminator="\n", extrasaction="ignore")
        writer.writeheader()
        writer.writerows(table)
        return out.getvalue()
    lines = [columns, *([("" if row[c] is None else str(row[c])) for c in columns] for row in table)]
    return "".join("\t".join(line) + "\n" for line in lines)


def write(folder, table, kind, packed="", name="log", columns=None):
    """Write rows as a file and return its path."""
    file = folder / f"{name}.{kind}{packed}"
    if kind == "parquet":
        buffer = io.BytesIO()
        pq.write_table(pa.Table.from_pylist(table).select(columns or list(table[0])), buffer)
        content = buffer.getvalue()
    else:
        content = text_of(table, kind, columns).encode()
    if packed == ".gz":
        content = gzip.compress(content)
    elif packed == ".zst":
        content = pa.compress(content, "zstd", asbytes=True)
    file.write_bytes(content)
    return file


def frame(table=None):
    """Return rows as a pandas frame."""
    return pd.DataFrame(rows() if table is None else table)


def counted(log, settings=SETTINGS):
    """Count a log for each of the settings."""
    return [aggregate(log, columns) for columns in settings]


def assert_same(first, second):
    """Compare counts, or lists of them, bit by bit."""
    if isinstance(first, list):
        for one, other in zip(first, second, strict=True):
            assert_same(one, other)
        return
    assert first.speakers.tolist() == second.speakers.tolist()
    arrays = [
        *((getattr(first, n), getattr(second, n)) for n in ("speaker", "utterances", "ref_words", "errors")),
        *((first.kinds[kind], second.kinds[kind]) for kind in first.kinds | second.kinds),
    ]
    assert list(first.attributes) == list(second.attributes)
    for name, values in first.attributes.items():
        other = second.attributes[name]
        assert isinstance(values, Labels) == isinstance(other, Labels)
        if isinstance(values, Labels):
            assert values.values == other.values
            values, other = values.codes, other.codes
        arrays.append((values, other))
    assert (first.embedding_sum is None) == (second.embedding_sum is None)
    if first.embedding_sum is not None:
        arrays.append((first.embedding_sum, second.embedding_sum))
    for one, other in arrays:
        assert one.dtype == other.dtype
        assert one.tobytes() == other.tobytes()
