"""The contracts that every discoverer and every reader keeps, as checks that their authors can run."""

from __future__ import annotations

import dataclasses
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np

from fairaudit.counts import Labels, SpeakerCounts
from fairaudit.discover import Discoverer, FitsMany, Preparing
from fairaudit.exceptions import LogError
from fairaudit.log import CANONICAL, COUNTS
from fairaudit.partition import UNASSIGNED, Partition, cohort_ids, from_plain
from fairaudit.readers.document import Document
from fairaudit.readers.formats import TEXT, Reader


def check_discoverer(discoverer: Discoverer, counts: SpeakerCounts) -> None:
    """Check that a discoverer, and the partitions that it finds, keep the contract.

    A partition is a rule: it assigns the same to a speaker whoever else is there, survives its own
    JSON, names each cohort once, and never reads the errors of whom it assigns. A discoverer finds the
    same from the same counts, does not change them, and reads errors only if it says so.

    Parameters
    ----------
    discoverer : Discoverer
    counts : SpeakerCounts
        At least some hundred speakers, with the columns that the discoverer requires.

    Raises
    ------
    AssertionError
        Says which part of the contract is broken.

    Examples
    --------
    >>> from fairaudit.discover.labels import LabelColumn
    >>> counts = SpeakerCounts.of([f"s{i}" for i in range(200)], ref_words=[100] * 200,
    ...                           errors=[i % 30 for i in range(200)],
    ...                           attributes={"device": ["phone", "headset"] * 100})
    >>> check_discoverer(LabelColumn("device"), counts)
    """
    _check_description(discoverer)
    if isinstance(discoverer, Preparing):
        prepared = discoverer.prepare(counts)
        _require(prepared.rows == counts.rows, "prepare adds attributes and keeps every row")
        counts = prepared
    before = _snapshot(counts)
    partition = discoverer.fit(counts)
    _require(_snapshot(counts) == before, "fit does not change the counts")
    again = discoverer.fit(counts)
    _require(partition.to_plain() == again.to_plain(), "fit finds the same from the same counts")
    _check_partition(partition, counts)
    if not discoverer.reads_errors:
        # Words move with the errors in a permutation.
        moved = {name: getattr(counts, name)[::-1].copy() for name in ("errors", "ref_words")}
        same = all(
            discoverer.fit(replace(counts, kinds={}, **change)).to_plain() == partition.to_plain()
            for change in ({"errors": moved["errors"]}, moved)
        )
        _require(same, "reads_errors is False, so the partition depends on neither errors nor words")
    if isinstance(discoverer, FitsMany):
        _check_batch(discoverer, partition, counts)


def check_reader(reader: Reader, path: str | Path, malformed: str | Path) -> None:
    r"""Check that a reader keeps the contract on a file of its format, and refuses one that is malformed.

    Rows carry an utterance or speaker id, counts are whole numbers from 0 and everything else is text;
    a file is read the same twice; and what is malformed is refused with its place, before any of it is
    taken for a log.

    Parameters
    ----------
    reader : Reader
    path : str or Path
        A file or folder of the format.
    malformed : str or Path
        One that the reader must refuse.

    Raises
    ------
    AssertionError
        Says which part of the contract is broken.

    Examples
    --------
    >>> import tempfile
    >>> from fairaudit.readers.trn import Trn
    >>> folder = Path(tempfile.mkdtemp())
    >>> good, bad = folder / "hyp.trn", folder / "bad.trn"
    >>> _ = good.write_text("hello there (ann-1)\n"), bad.write_text("hello there\n")
    >>> check_reader(Trn(), good, bad)
    """
    _require(isinstance(reader, Reader), "it has name, title, carries, recognises and rows")
    _require(bool(reader.name and reader.title and reader.carries), "name, title and carries are not empty")
    document = Document(Path(path), Path(path).name)
    _require(reader.recognises(document), "recognises tells a file of its own format")
    rows = list(reader.rows(document))
    _require(bool(rows), "there is a row for each utterance or speaker")
    _require(rows == list(reader.rows(document)), "a file is read the same twice")
    for row in rows:
        _require("utterance_id" in row or "speaker_id" in row, "each row names its utterance or speaker")
        known = {*CANONICAL, TEXT} & set(row)
        _require(known <= set(reader.carries), f"carries names {sorted(known - set(reader.carries))}")
        for name, value in row.items():
            right = value is None or (
                isinstance(value, int) and value >= 0 if name in COUNTS else isinstance(value, str)
            )
            _require(right, f"{name} is text, or a whole number from 0 for counts, or None")
    try:
        for _ in reader.rows(Document(Path(malformed), Path(malformed).name)):
            pass
    except LogError as error:
        _require(str(error).count("where:") == 1, "a refusal says where")
    else:
        _require(False, "what is malformed is refused")


def _check_description(discoverer: Discoverer) -> None:
    _require(isinstance(discoverer, Discoverer), "it has name, requires, reads_errors and fit")
    _require(bool(discoverer.name) and bool(discoverer.requires), "name and requires are not empty")
    kind = type(discoverer)
    parameters = getattr(kind, "__dataclass_params__", None)
    _require(parameters is not None and parameters.frozen, "it is a frozen dataclass of parameters")
    copy = kind(**{f.name: getattr(discoverer, f.name) for f in dataclasses.fields(cast(Any, discoverer))})
    _require(copy == discoverer, "its parameters make an equal one")


def _check_partition(partition: Partition, counts: SpeakerCounts) -> None:
    cohort = partition.assign(counts)
    names = [name.cohort for name in partition.names]
    _require(len(set(names)) == len(names) > 0, "there are cohorts, each with a name of its own")
    _require(len(set(cohort_ids(partition))) == len(names), "each cohort has a rule of its own")
    right = cohort.shape == (counts.rows,) and np.issubdtype(cohort.dtype, np.integer)
    _require(right, "assign returns a whole number for each row")
    known = bool(np.all((cohort >= UNASSIGNED) & (cohort < len(names))))
    _require(known, "assign returns numbers of cohorts, or -1")
    zeros = np.zeros_like(counts.errors)
    blind = replace(counts, errors=zeros, kinds={}, ref_words=counts.ref_words[::-1].copy())
    _require(np.array_equal(partition.assign(blind), cohort), "assign reads neither errors nor words")
    some = counts.speaker % 3 == 0
    _require(
        np.array_equal(partition.assign(counts.select(some)), cohort[some]),
        "a speaker's cohort does not depend on who else is there",
    )
    saved = from_plain(partition.to_plain(), partition.names)
    _require(saved.to_plain() == partition.to_plain(), "the rule survives its plain form")
    _require(np.array_equal(saved.assign(counts), cohort), "the saved rule assigns the same")


def _check_batch(discoverer: FitsMany, partition: Partition, counts: SpeakerCounts) -> None:
    errors = np.stack([counts.errors, counts.errors[::-1]]).astype(np.float64)
    words = np.stack([counts.ref_words, counts.ref_words]).astype(np.float64)
    both = discoverer.fit_many(counts, errors, words).assign(counts)
    _require(both.shape == (2, counts.rows), "fit_many assigns every row in every replicate")
    _require(np.array_equal(both[0], partition.assign(counts)), "fit_many finds what fit finds")
    alone = discoverer.fit_many(counts, errors[1:], words[1:]).assign(counts)
    _require(np.array_equal(both[1], alone[0]), "a replicate does not depend on what it is grown with")


def _snapshot(counts: SpeakerCounts) -> tuple[bytes, ...]:
    plain = (counts.speaker, counts.utterances, counts.ref_words, counts.errors, *counts.kinds.values())
    coded = (a.codes if isinstance(a, Labels) else a for a in counts.attributes.values())
    vectors = () if counts.embedding_sum is None else (counts.embedding_sum,)
    return tuple(array.tobytes() for array in (*plain, *coded, *vectors))


def _require(holds: bool, contract: str) -> None:
    if not holds:
        raise AssertionError(f"broken contract: {contract}")
