"""Result files of the Open ASR Leaderboard: JSON lines of audio, duration, time, text and hypothesis.

As `write_manifest` and `merge_chunked_manifest` of its `normalizer/eval_utils.py` write and read them
(https://github.com/huggingface/open_asr_leaderboard).
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal, DecimalException
from typing import Any

from fairaudit.log import COUNTS, TEXTS
from fairaudit.readers.document import Document
from fairaudit.readers.formats import Row
from fairaudit.readers.nemo import PREDICTED, utterance
from fairaudit.readers.objects import first_object, objects_of

KEYS = ("audio_filepath", "duration", "time", "text", PREDICTED)
SESSION, CHUNK = "parent_id", "chunk_index"

#: A line of the file: its number and its object.
Entry = tuple[int, dict[str, Any]]


class Leaderboard:
    """The results of one model on one split of one data set."""

    name = "leaderboard"
    title = "Open ASR Leaderboard results: JSON lines with time, text and pred_text (Hugging Face)"
    carries = ("utterance_id", "speaker_id", "reference", "hypothesis", "duration", "time", "labels")

    def recognises(self, document: Document) -> bool:
        """Tell results by the five keys that every line has."""
        keys = first_object(document).keys()
        return keys >= set(KEYS) and keys.isdisjoint((*COUNTS, *TEXTS))

    def rows(self, document: Document) -> Iterator[Row]:
        """Give a row for each line; for each session, where sessions were cut into chunks."""
        sessions: dict[str, list[Entry]] = {}
        whole = False
        for line, entry in objects_of(document):
            _check(entry, document, line)
            session = entry.get(SESSION)
            whole |= session is None
            if session is not None:
                sessions.setdefault(str(session), []).append((line, entry))
            if whole and sessions:
                raise document.error(
                    f"some lines have a {SESSION} and some have none",
                    line,
                    allowed="chunks of sessions, or whole utterances",
                )
            if whole:
                yield utterance(entry, PREDICTED, document, line)
        for name, chunks in sessions.items():
            yield utterance(_merged(name, chunks, document), PREDICTED, document, chunks[0][0])


def _check(entry: dict[str, Any], document: Document, line: int) -> None:
    """Refuse what is no result, and a reference lattice, which plain word errors do not fit."""
    if lacking := [key for key in KEYS if key not in entry]:
        raise document.error(
            f"no {', '.join(lacking)}", line, allowed=f"{', '.join(KEYS)} in every line (time may be null)"
        )
    text = entry["text"]
    if isinstance(text, list) or (isinstance(text, str) and text.lstrip().startswith("[[")):
        raise document.error(
            "text is a lattice of accepted spellings, which the leaderboard scores in a way of its own",
            line,
            allowed="plain text",
            fix="choose one spelling of each word",
        )


def _merged(name: str, chunks: list[Entry], document: Document) -> dict[str, Any]:
    """Put the chunks of a session together: each repeats the reference of the whole session."""
    line = chunks[0][0]
    try:
        chunks = sorted(chunks, key=lambda chunk: int(chunk[1].get(CHUNK, "")))
    except (TypeError, ValueError):
        raise document.error(f"{SESSION} without a whole {CHUNK} in '{name}'", line) from None
    entries = [entry for _, entry in chunks]
    if [int(entry[CHUNK]) for entry in entries] != list(range(len(entries))):
        raise document.error(
            f"a chunk of session '{name}' is missing or there twice, so its words would count as deleted",
            line,
            allowed=f"{CHUNK} 0, 1, 2 ...",
        )
    first = entries[0]
    # What differs between chunks is no label of the session.
    same = {key: value for key, value in first.items() if all(e.get(key) == value for e in entries)}
    if "text" not in same:
        raise document.error(
            f"the chunks of session '{name}' have different references",
            line,
            allowed="the reference of the whole session in each chunk",
        )
    parts = [entry[PREDICTED] for entry in entries]
    # A chunk that was not recognised leaves the session without a hypothesis, not with a shorter one.
    heard = None if None in parts else " ".join(part.strip() for part in parts if part.strip())
    sums = {key: _sum(key, entries, document, line) for key in ("duration", "time")}
    merged = same | sums | {"audio_filepath": name, PREDICTED: heard}
    return {key: value for key, value in merged.items() if key not in (SESSION, CHUNK)}


def _sum(key: str, entries: list[dict[str, Any]], document: Document, line: int) -> str | None:
    values = [entry[key] for entry in entries]
    if None in values:
        return None
    try:
        return str(sum(Decimal(value) for value in values))
    except (DecimalException, TypeError, ValueError):
        raise document.error(f"{key} is no number in a chunk", line, allowed="seconds, or null") from None
