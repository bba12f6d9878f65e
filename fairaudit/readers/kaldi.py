"""Kaldi: data folders (`text`, `utt2spk` ...), files of them, and alignments (`wer_details/per_utt`).

Described in https://kaldi-asr.org/doc/data_prep.html, and for alignments where they are written,
https://github.com/kaldi-asr/kaldi/blob/master/egs/wsj/s5/utils/scoring/wer_per_utt_details.pl
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping

from fairaudit.log import COUNTS, TEXTS
from fairaudit.readers.document import Document
from fairaudit.readers.formats import TEXT, Row

#: Where the alignments are in a folder of scores.
ALIGNMENTS = ("per_utt", "wer_details/per_utt", "scoring_kaldi/wer_details/per_utt")
#: The lines of an utterance, and the kinds in the order of the last one.
LINES = ("ref", "hyp", "op", "#csid")
KINDS = "CSID"

_TABLE = re.compile(r"(utt|spk)2(\w+)")
#: Columns of tables that have a name of their own here.
_COLUMNS = {"spk": "speaker_id", "dur": "duration"}
#: Tables that say nothing that could be audited.
_TECHNICAL = {"utt", "uniq", "warp", "num_frames", "max_frames"}
_CSID = re.compile(r"^\S+ #csid( \d+){4}\s*$", re.MULTILINE)


class Kaldi:
    """Kaldi's data folders and scores."""

    name = "kaldi"
    title = "Kaldi: a data folder, text, utt2spk, spk2gender; or wer_details/per_utt"
    carries = (
        "utterance_id",
        "speaker_id",
        "ref_words",
        "substitutions",
        "deletions",
        "insertions",
        "reference",
        "hypothesis",
        TEXT,
        "duration",
        "gender",
        "latitude",
        "longitude",
        "zip_code",
    )

    def recognises(self, document: Document) -> bool:
        """Tell by the names that Kaldi gives its files."""
        if document.is_folder:
            return any(map(document.has, ("text", "utt2spk", *ALIGNMENTS)))
        name = document.plain_name
        return name in ("text", "per_utt") or _column(name) is not None

    def rows(self, document: Document) -> Iterator[Row]:
        """Give the alignments if there are any, else the data: utterances, or speakers of a spk2 table."""
        if document.is_folder:
            scores = next(filter(document.has, ALIGNMENTS), None)
            yield from _folder(document) if scores is None else _alignments(document.child(scores))
        elif document.stem == "per_utt" or _CSID.search(document.head()):
            yield from _alignments(document)
        elif column := _column(document.stem):
            key = "utterance_id" if document.stem.startswith("utt") else "speaker_id"
            for name, value in _table(document, column).items():
                yield {key: name, column: value}
        else:
            for name, words in _table(document, TEXT).items():
                yield {"utterance_id": name, TEXT: words}


def _column(name: str) -> str | None:
    """Return the column that a table gives: utt2lang gives lang; None if it is no table or of no use."""
    found = _TABLE.fullmatch(name)
    if found is None or found[2] in _TECHNICAL:
        return None
    column = _COLUMNS.get(found[2], found[2])
    unfit = {*COUNTS, *TEXTS, TEXT, "embedding", "utterance_id"}
    if found[1] == "spk":
        unfit |= {*_COLUMNS.values()}
    return None if column.lower() in unfit else column


def _table(document: Document, column: str) -> dict[str, str]:
    """Read id and value from each line; only a transcript may be empty."""
    values: dict[str, str] = {}
    for number, line in document.lines():
        name, _, value = line.strip().replace("\t", " ").partition(" ")
        value = value.strip()
        if name in values:
            raise document.error(
                f"the id '{name}' is there twice",
                number,
                allowed="each id once",
                fix="remove one of the lines",
            )
        if column != TEXT and (not value or (column == "speaker_id" and " " in value)):
            raise document.error(
                f"the line of '{name}' does not have one {column}",
                number,
                allowed="an id, a space, and its value",
                fix="complete the line, or remove it",
            )
        values[name] = value
    return values


def _folder(document: Document) -> Iterator[Row]:
    """Join the files of a data folder, sorted or not; an utterance may lack a line in any of them."""
    tables: dict[str, dict[str, dict[str, str]]] = {"utt": {}, "spk": {}}
    if document.has("text"):
        tables["utt"][TEXT] = _table(document.child("text"), TEXT)
    for file in document.children("???2*"):
        name = file.plain_name.rpartition("/")[2]
        if column := _column(name):
            tables[name[:3]][column] = _table(file, column)
    if not tables["utt"]:
        raise document.error(
            "the folder has no text, no utt2spk and no alignments",
            allowed="a data folder of Kaldi, or a folder of scores with wer_details/per_utt",
            fix="give such a folder, or one of the files",
        )
    speakers = tables["utt"].get("speaker_id", {})
    for utterance in dict.fromkeys(name for table in tables["utt"].values() for name in table):
        of_speaker = _values(tables["spk"], speakers.get(utterance))
        of_utterance = _values(tables["utt"], utterance)
        # What is known of the utterance goes before what is known of its speaker.
        known = {column: value for column, value in of_utterance.items() if value is not None}
        yield {"utterance_id": utterance, **of_utterance, **of_speaker, **known}


def _values(tables: Mapping[str, Mapping[str, str]], name: str | None) -> dict[str, str | None]:
    return {column: table.get(name) if name else None for column, table in tables.items()}


def _alignments(document: Document) -> Iterator[Row]:
    """Read the four lines of each utterance."""
    block: list[list[str]] = []
    number = 0
    for number, line in document.lines():
        fields = line.split()
        if fields[1:2] != [LINES[len(block)]] or (block and fields[0] != block[0][0]):
            raise document.error(
                f"this is not the line '{LINES[len(block)]}' of "
                + (f"'{block[0][0]}'" if block else "an utterance"),
                number,
                allowed=f"four lines for each utterance: {', '.join(LINES)}",
                fix="write the file again with wer_per_utt_details.pl, with all its lines",
            )
        block.append(fields)
        if len(block) == len(LINES):
            yield _scored(document, block, number)
            block = []
    if block:
        raise document.error(
            f"the lines of '{block[0][0]}' end early",
            number,
            allowed=f"four lines for each utterance: {', '.join(LINES)}",
            fix="write the file again with wer_per_utt_details.pl, with all its lines",
        )


def _scored(document: Document, block: list[list[str]], number: int) -> Row:
    """Take words and counts from the four lines, if they agree.

    The operations tell which words are there on which side, so no symbol for a gap need be known.
    """
    utterance = block[0][0]
    reference, hypothesis, operations, counts = (fields[2:] for fields in block)
    kinds = Counter(operations)
    agree = (
        len(reference) == len(hypothesis) == len(operations)
        and counts == [str(kinds[kind]) for kind in KINDS]
        and kinds.total() == sum(kinds[kind] for kind in KINDS)
    )
    if not agree:
        raise document.error(
            f"the four lines of '{utterance}' do not agree: #csid is {' '.join(counts) or 'empty'}",
            number,
            allowed="as many words as operations, and their numbers in the order correct, substitutions,"
            " insertions, deletions",
            fix="write the file again with wer_per_utt_details.pl",
        )
    return {
        "utterance_id": utterance,
        "ref_words": kinds["C"] + kinds["S"] + kinds["D"],
        "substitutions": kinds["S"],
        "deletions": kinds["D"],
        "insertions": kinds["I"],
        "reference": " ".join(w for w, kind in zip(reference, operations, strict=True) if kind != "I"),
        "hypothesis": " ".join(w for w, kind in zip(hypothesis, operations, strict=True) if kind != "D"),
    }
