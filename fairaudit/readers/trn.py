"""sclite trn: one utterance on each line, its words and then its id in parentheses.

Described in the sclite manual, https://github.com/usnistgov/SCTK/blob/master/doc/infmts.htm#trn_fmt_name_0
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from fairaudit.readers.document import Document
from fairaudit.readers.formats import TEXT, Row

COMMENT = ";;"
#: sclite's word for nothing: it is aligned with no error.
NOTHING = "@"

_LINE = re.compile(r"(.*)\(([^()]*)\)")


class Trn:
    """sclite trn; one side only, and no speakers."""

    name = "trn"
    title = "sclite trn: words (utterance-id)"
    carries = ("utterance_id", TEXT)

    def recognises(self, document: Document) -> bool:
        """Tell by the ending .trn: a line of words and an id in parentheses could be anything else."""
        name = document.plain_name.lower()
        return name.endswith(".trn") and not document.is_folder

    def rows(self, document: Document) -> Iterator[Row]:
        """Give the words of each utterance; the id stays as it stands in the last parentheses."""
        for _, utterance, words in records(document):
            yield {"utterance_id": utterance, TEXT: words}


def records(document: Document) -> Iterator[tuple[int, str, str]]:
    """Give line number, id and words of each utterance of a trn file.

    Parameters
    ----------
    document : Document

    Raises
    ------
    LogError
        If a line does not end with an id in parentheses, or has alternatives.
    """
    for number, line in document.lines():
        if line.startswith(COMMENT):
            continue
        parts = _LINE.fullmatch(line.rstrip())
        if parts is None or not parts[2].strip():
            raise document.error(
                "the line has no utterance id",
                number,
                allowed="words, then the id in parentheses: hello there (ann-1)",
                fix="end the line with the id in parentheses",
            )
        yield number, parts[2].strip(), transcript(document, parts[1], number)


def transcript(document: Document, words: str, number: int, kind: str = "trn") -> str:
    """Return the words of a line without those that stand for nothing, and refuse alternatives.

    sclite takes the alternative that fits the hypothesis best, and a reader sees one side only: each
    choice that it made would be a guess.

    Parameters
    ----------
    document : Document
    words : str
    number : int
        Of the line.
    kind : {"trn", "stm"}
        How sclite calls the format.

    Raises
    ------
    LogError
        If there are braces, which mark alternatives wherever they stand.
    """
    if "{" in words:
        given = "HYPOTHESES trn -i rm" if kind == "trn" else "HYPOTHESES ctm"
        raise document.error(
            "the transcript has alternatives in braces, such as { um / uh / @ }",
            number,
            allowed="plain words: which alternative counts depends on the hypothesis",
            fix=f"give what sclite -s -r REFERENCES {kind} -h {given} -o sgml writes, which has chosen;"
            " write tags such as {NOISE} without braces",
        )
    parts = words.split()
    return " ".join(part for part in parts if part != NOTHING) if NOTHING in parts else words.strip()
