"""icefall's `recogs-*.txt`: the words of reference and hypothesis, each a Python list on its own line.

As `store_transcripts` and `store_transcripts_and_timestamps` of `icefall/utils.py` write them
(https://github.com/k2-fsa/icefall).
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from fairaudit.readers.document import Document
from fairaudit.readers.formats import Row

#: Ids may hold colons: the one before the tab ends them.
LINE = re.compile(r"(?P<name>.+?):\t(?P<side>ref|hyp|timestamp_ref|timestamp_hyp)=(?P<words>.*)")
BEGINNING = re.compile(r"(?:[^\n]+?:\t)?ref=\[")
_WITHOUT_ID = re.compile(r"(ref|hyp)=\[")
ALLOWED = "id:<tab>ref=[...], and on the next line id:<tab>hyp=[...]"


class Icefall:
    """References and hypotheses of one test set."""

    name = "icefall"
    title = "icefall: recogs-*.txt with the words of reference and hypothesis (k2)"
    carries = ("utterance_id", "reference", "hypothesis")

    def recognises(self, document: Document) -> bool:
        """Tell the file by the list of words that its first line is."""
        return BEGINNING.match(document.head().lstrip("\r\n")) is not None

    def rows(self, document: Document) -> Iterator[Row]:
        """Give a row for each pair of lines."""
        waiting: tuple[int, str, str] | None = None
        for line, text in document.lines():
            name, side, words = _parts(text, document, line)
            if side.startswith("timestamp"):
                continue
            if side == "ref":
                if waiting is not None:
                    raise document.error(f"'{waiting[1]}' has no hyp", waiting[0], allowed=ALLOWED)
                waiting = line, name, _joined(words, document, line)
                continue
            if waiting is None or waiting[1] != name:
                raise document.error(f"hyp of '{name}' does not follow its ref", line, allowed=ALLOWED)
            yield {
                "utterance_id": name,
                "reference": waiting[2],
                "hypothesis": _joined(words, document, line),
            }
            waiting = None
        if waiting is not None:
            raise document.error(
                f"'{waiting[1]}' has no hyp",
                waiting[0],
                allowed=ALLOWED,
                fix="check that the file is complete",
            )


def _parts(text: str, document: Document, line: int) -> tuple[str, str, str]:
    if found := LINE.fullmatch(text):
        return found["name"], found["side"], found["words"]
    if _WITHOUT_ID.match(text):
        raise document.error(
            "no utterance id, as icefall wrote it in its first year",
            line,
            allowed=ALLOWED,
            fix="decode again with a newer icefall, or write the ids before ref and hyp",
        )
    raise document.error("neither ref nor hyp of an utterance", line, allowed=ALLOWED)


def _joined(words: str, document: Document, line: int) -> str:
    """Return the words of a printed list with spaces between them; nothing in it is run."""
    try:
        found = ast.literal_eval(words)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        found = None
    if not isinstance(found, list) or not all(isinstance(word, str) for word in found):
        raise document.error("no list of words", line, allowed="['a', 'b'], or [] for silence")
    if any(len(word.split()) > 1 for word in found):
        raise document.error(
            "several words in one item: these are streams of several talkers",
            line,
            allowed="a word in each item",
            fix="score it with meeteval-wer cpwer or orcwer, and give its _per_reco.json",
        )
    return " ".join(found)
