"""Data sets of Hugging Face's `datasets`: a folder of `Dataset.save_to_disk`, or one Arrow file.

The folder holds `state.json`, which lists the Arrow files, and `dataset_info.json`
(https://huggingface.co/docs/datasets/about_arrow). Each file is an Arrow stream whose schema says in its
metadata which whole numbers stand for the names of a `ClassLabel`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from fairaudit.log import COUNTS
from fairaudit.readers.document import Document
from fairaudit.readers.formats import Row
from fairaudit.readers.objects import value_of

#: Canonical name to what it is called in data sets: the first that is there, where there is no canonical one.
NAMES = {
    "utterance_id": ("id", "file", "path"),
    "speaker_id": ("speaker", "client_id"),
}
#: What the reference is called, where there is no `reference` and only one of these.
TRANSCRIPTS = ("text", "sentence", "transcription")
FILE, STREAM = b"ARROW1", b"\xff\xff\xff\xff"
END_OF_STREAM = STREAM + b"\0\0\0\0"
ROWS_AT_ONCE = 10_000


class HfDatasets:
    """One split of a data set; audio and vectors stay where they are."""

    name = "datasets"
    title = "Hugging Face datasets: a folder of save_to_disk, or an .arrow file"
    carries = ("utterance_id", "speaker_id", *COUNTS, "reference", "hypothesis", "duration", "labels")

    def recognises(self, document: Document) -> bool:
        """Tell a folder by its description, a file by its ending and its first bytes."""
        if document.is_folder:
            return document.has("dataset_dict.json") or document.has("state.json", "dataset_info.json")
        if document.ending != ".arrow":
            return False
        with document.path.open("rb") as stream:
            return stream.read(len(FILE)).startswith((FILE, STREAM))

    def rows(self, document: Document) -> Iterator[Row]:
        """Give the rows of each file in turn."""
        for file in _files(document) if document.is_folder else [document]:
            yield from _rows(file)


def _files(folder: Document) -> list[Document]:
    if folder.has("dataset_dict.json"):
        splits = value_of(folder.child("dataset_dict.json")).get("splits", [])
        raise folder.error(
            f"the folder holds several splits: {', '.join(splits)}",
            allowed="one split",
            fix=f"give one of them: {folder.name}/{splits[0] if splits else 'test'}",
        )
    state = folder.child("state.json")
    listed = value_of(state)
    try:
        names = [file["filename"] for file in listed["_data_files"]]
    except (KeyError, TypeError):
        raise state.error(
            "no list of Arrow files", allowed="_data_files, as save_to_disk writes it"
        ) from None
    if absent := [name for name in names if not folder.has(name)]:
        raise state.error(f"{', '.join(absent)} is not there", fix="copy the whole folder")
    return [folder.child(name) for name in names]


def _rows(file: Document) -> Iterator[Row]:
    import pyarrow as pa

    done = 0
    try:
        schema, batches = _opened(file)
        names = _named(schema, file)
        labels = _class_labels(schema)
        for batch in batches(list(names)):
            for start in range(0, batch.num_rows, ROWS_AT_ONCE):
                some = batch.slice(start, ROWS_AT_ONCE)
                columns = {
                    column: _values(some.column(actual), column, labels.get(actual), file)
                    for actual, column in names.items()
                }
                for values in zip(*columns.values(), strict=True):
                    yield dict(zip(columns, values, strict=True))
                done += some.num_rows
    except (pa.ArrowException, OSError):
        raise file.error(
            f"malformed or incomplete Arrow file, after {done:,} rows",
            allowed="an Arrow stream or file, as the package datasets writes it",
            fix="copy or save it again",
        ) from None


def _opened(file: Document) -> tuple[Any, Any]:
    """Return the schema, and a function that gives the batches of some columns.

    The file is mapped, not read: what is not asked for, such as audio, never comes into memory.
    """
    import pyarrow as pa

    # What is mapped is read, as far as the digest of a folder goes.
    file.note()
    with file.path.open("rb") as stream:
        is_file = stream.read(len(FILE)) == FILE
        stream.seek(max(0, stream.seek(0, 2) - len(END_OF_STREAM)))
        ended = is_file or stream.read() == END_OF_STREAM
    if not ended:
        raise file.error(
            "incomplete: the Arrow stream has no end", fix="copy it again, or let its writer close it"
        )
    opened = pa.ipc.open_file if is_file else pa.ipc.open_stream
    schema = opened(pa.memory_map(str(file.path))).schema

    def batches(names: Sequence[str]) -> Iterator[Any]:
        wanted = [schema.get_field_index(name) for name in names]
        options = pa.ipc.IpcReadOptions(included_fields=wanted)
        reader = opened(pa.memory_map(str(file.path)), options=options)
        if is_file:
            yield from (reader.get_batch(number) for number in range(reader.num_record_batches))
        else:
            yield from reader

    return schema, batches


def _named(schema: Any, file: Document) -> dict[str, str]:
    """Return actual name to the name in the log, for every column that is read."""
    if twice := sorted({name for name in schema.names if schema.names.count(name) > 1}):
        raise file.error(f"several columns are called {', '.join(twice)}", allowed="each name once")
    kept = [field.name for field in schema if _is_plain(field.type)]
    names = {name: name for name in kept}
    for canonical, others in NAMES.items():
        found = [name for name in others if name in kept]
        if canonical not in kept and found:
            names[found[0]] = canonical
    if not set(NAMES) & set(names.values()):
        raise file.error(
            "no column names the utterances or the speakers",
            allowed=", ".join((*NAMES, *(other for others in NAMES.values() for other in others))),
            fix='rename the one that does (rename_column("key", "utterance_id")) and save again',
        )
    transcripts = [name for name in TRANSCRIPTS if name in kept]
    if "reference" in kept:
        # A column called text is, in a log, that of a format with one side only; here it is neither.
        names.pop("text", None)
    elif len(transcripts) > 1:
        raise file.error(
            f"{' and '.join(transcripts)} could each be the reference",
            allowed="one of them, or a column reference",
            fix='rename the one that is (rename_column("sentence", "reference")) and save again',
        )
    elif transcripts:
        names[transcripts[0]] = "reference"
    return names


def _is_plain(kind: Any) -> bool:
    """Tell whether a type fits into a cell of a log: no audio, no vectors, no nested values."""
    import pyarrow.types as types

    if types.is_dictionary(kind):
        kind = kind.value_type
    plain = (
        types.is_string,
        types.is_large_string,
        types.is_string_view,
        types.is_integer,
        types.is_floating,
        types.is_boolean,
        types.is_decimal,
        types.is_date,
        types.is_timestamp,
        types.is_null,
    )
    return any(is_kind(kind) for is_kind in plain)


def _class_labels(schema: Any) -> dict[str, list[str]]:
    """Return the names of each column of classes, in the order of their numbers."""
    try:
        about = json.loads((schema.metadata or {}).get(b"huggingface", b"{}"))
        features = about.get("info", {}).get("features", {})
        return {
            name: list(feature["names"])
            for name, feature in features.items()
            if isinstance(feature, dict) and feature.get("_type") == "ClassLabel"
        }
    except (ValueError, AttributeError, KeyError, TypeError):
        # What is not described is read as it stands.
        return {}


def _values(column: Any, name: str, labels: list[str] | None, file: Document) -> list[Any]:
    """Return the cells of a column: counts as whole numbers, everything else as text."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if labels is not None and pa.types.is_integer(column.type):
        return [_class(number, name, labels, file) for number in column.to_pylist()]
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if pa.types.is_floating(column.type):
        column = pc.if_else(pc.is_nan(column), None, column)
    try:
        return column.cast(pa.int64() if name in COUNTS else pa.string()).to_pylist()  # type: ignore[no-any-return]
    except pa.ArrowInvalid:
        allowed = "whole numbers" if name in COUNTS else "values that can be written as text"
        raise file.error(f"{name} cannot be read from {column.type}", allowed=allowed) from None


def _class(number: int | None, name: str, labels: list[str], file: Document) -> str | None:
    # -1 is the package's own sign of a missing class.
    if number is None or number == -1:
        return None
    if not 0 <= number < len(labels):
        raise file.error(f"{name} is {number}", allowed=f"a class from 0 to {len(labels) - 1}, or -1")
    return labels[number]
