"""Common Voice: tab-separated tables of clips, who read them and what they read.

Columns as in the files of Mozilla's releases (`validated.tsv`, `test.tsv` ...; https://commonvoice.mozilla.org,
and https://github.com/common-voice/cv-dataset): a quotation mark is a plain character there.
"""

from __future__ import annotations

from collections.abc import Iterator

from fairaudit.log import COUNTS, TEXTS
from fairaudit.readers.document import Document
from fairaudit.readers.formats import Row
from fairaudit.readers.objects import cell

NAMES = {"client_id": "speaker_id", "path": "utterance_id", "sentence": "reference"}


class CommonVoice:
    """The references of a release, with what is known of the speakers."""

    name = "common_voice"
    title = "Common Voice TSV: client_id, path, sentence, age, gender, accents ... (Mozilla)"
    carries = (*NAMES.values(), "hypothesis", "age", "gender", "accents", "variant", "locale", "labels")

    def recognises(self, document: Document) -> bool:
        """Tell a table by the three columns that every release has."""
        header = set(document.head().partition("\n")[0].rstrip("\r").split("\t"))
        return header >= NAMES.keys() and header.isdisjoint((*COUNTS, *TEXTS, *NAMES.values()))

    def rows(self, document: Document) -> Iterator[Row]:
        """Give a row for each clip."""
        columns: list[str] | None = None
        for line, text in document.lines():
            fields = text.split("\t")
            if columns is None:
                columns = _columns(fields, document, line)
                continue
            if len(fields) != len(columns):
                raise document.error(
                    f"{len(fields)} fields",
                    line,
                    allowed=f"{len(columns)}, as in the header, with tabs between them",
                    fix="take the file as it was released: a spreadsheet may have changed it",
                )
            row = {
                c: cell(c, field or None, document, line) for c, field in zip(columns, fields, strict=True)
            }
            # A text of nothing is no missing text.
            row |= {name: row[name] or "" for name in TEXTS if name in row}
            if row["utterance_id"] is None:
                raise document.error("a clip without a path", line)
            yield row
        if columns is None:
            raise document.error("the file is empty", allowed="a header, then a line for each clip")


def _columns(header: list[str], document: Document, line: int) -> list[str]:
    if lacking := [name for name in NAMES if name not in header]:
        raise document.error(
            f"the header has no {', '.join(lacking)}", line, allowed=f"{', '.join(NAMES)}, and others"
        )
    columns = [NAMES.get(name, name) for name in header]
    if twice := sorted({name for name in columns if columns.count(name) > 1}):
        raise document.error(f"the header has {', '.join(twice)} twice", line, allowed="each column once")
    return columns
