"""Word errors by recording as meeteval writes them: cpWER, ORC-WER, tcpWER and their kin.

The command `meeteval-wer cpwer` writes `{hypothesis}_cpwer_per_reco.json`: recording id to the fields of its
`ErrorRate` (https://github.com/fgnt/meeteval).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from fairaudit.log import KINDS
from fairaudit.readers.document import Document
from fairaudit.readers.formats import Row
from fairaudit.readers.objects import value_of

#: Canonical name to meeteval's.
FIELDS = {"ref_words": "length", "errors": "errors", **{kind: kind for kind in KINDS}}
#: The beginning of the file: the first recording, whose first field is its error rate.
BEGINNING = re.compile(r'\{\s*"(?:[^"\\]|\\.)*"\s*:\s*\{\s*"error_rate"\s*:\s*[^,]+,\s*"errors"\s*:')


class Meeteval:
    """Errors by recording; several people speak in one, so that no speaker is named."""

    name = "meeteval"
    title = "meeteval: word errors by recording, *_per_reco.json of cpwer, orcwer, tcpwer ..."
    carries = ("utterance_id", *FIELDS, "scored_speaker")

    def recognises(self, document: Document) -> bool:
        """Tell the file by the fields of its first recording."""
        return BEGINNING.match(document.head().lstrip()) is not None

    def rows(self, document: Document) -> Iterator[Row]:
        """Give a row for each recording."""
        recordings = value_of(document)
        if isinstance(recordings, dict) and "errors" in recordings:
            raise document.error(
                "this is the average over all recordings",
                allowed="a file with the errors of each recording",
                fix="give the file that ends in _per_reco.json",
            )
        if not isinstance(recordings, dict) or not recordings:
            raise document.error("no recordings", allowed="an object: recording id to its errors")
        for name, rate in recordings.items():
            yield _row(name, rate, document)


def _row(name: str, rate: Any, document: Document) -> Row:
    if not isinstance(rate, dict) or (lacking := [f for f in FIELDS.values() if f not in rate]):
        what = f"no {', '.join(lacking)}" if isinstance(rate, dict) else "no word errors"
        raise document.error(
            f"recording '{name}' has {what}",
            _line(name, document),
            allowed="errors, length, insertions, deletions, substitutions",
            fix="give what meeteval-wer wrote; meeteval-der counts seconds, no words",
        )
    for field in FIELDS.values():
        if not isinstance(rate[field], str) or not rate[field].isdecimal():
            raise document.error(
                f"{field} of recording '{name}' is {rate[field]!r}",
                _line(name, document),
                allowed="a whole number from 0",
            )
    row = {column: int(rate[field]) for column, field in FIELDS.items()}
    kinds = sum(row[kind] for kind in KINDS)
    if kinds != row["errors"]:
        raise document.error(
            f"recording '{name}' has {row['errors']} errors, but its insertions, deletions and "
            f"substitutions are {kinds}",
            _line(name, document),
        )
    speakers = rate.get("scored_speaker")
    # How many people speak in the reference is known before anything is recognised. Missed and false
    # speakers are errors, and would be no fair label.
    label = {"scored_speaker": speakers} if isinstance(speakers, str) else {}
    return {"utterance_id": name, **row, **label}


def _line(name: str, document: Document) -> int | None:
    """Return the line on which a recording begins, as it was written (ASCII alone, by default)."""
    for key in (json.dumps(name), json.dumps(name, ensure_ascii=False)):
        before, found, _ = document.content().partition(f"{key}:".encode())
        if found:
            return before.count(b"\n") + 1
    return None
