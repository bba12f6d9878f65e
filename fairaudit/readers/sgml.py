"""sclite sgml: the alignment of each utterance, word by word, as `sclite -o sgml` writes it.

Described where it is written, https://github.com/usnistgov/SCTK/blob/master/src/sclite/scores.c
(`dump_SCORES_sgml`). Nothing in it is escaped: a word may hold quotes, colons and commas, so the number of
words that the file states is what shows that a line was taken apart rightly.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from fairaudit.exceptions import LogError
from fairaudit.readers.document import Document
from fairaudit.readers.formats import Row
from fairaudit.readers.subsets import Legend, seconds_between

_BETWEEN_ATTRIBUTES = re.compile(r'"\s+(?=\w+=")')
_BETWEEN_WORDS = re.compile(r'(?<=[",\d]):(?=[A-Z],[",])')
#: Kind, word of the reference, word of the hypothesis; times and confidences follow. sclite has room for
#: words of 1,000 bytes.
_WORDS = re.compile(r'([CSDI]),(?:"(.{0,1000}?)")?,(?:"(.{0,1000}?)")?(?:,[^,"]*)*')
_ENDS = {"</LABEL>", "</CATEGORY>", "</SPEAKER>"}


class Sgml:
    """sclite sgml: counts, both texts, speakers and labels."""

    name = "sgml"
    title = "sclite -o sgml: alignments of one system"
    carries = (
        "utterance_id",
        "speaker_id",
        "ref_words",
        "substitutions",
        "deletions",
        "insertions",
        "reference",
        "hypothesis",
        "duration",
    )

    def recognises(self, document: Document) -> bool:
        """Tell by the first tag."""
        return document.head().startswith("<SYSTEM title=")

    def rows(self, document: Document) -> Iterator[Row]:
        """Give sclite's counts of each utterance, and the words that it aligned, as it wrote them."""
        legend = Legend()
        speaker: str | None = None
        path: dict[str, str] | None = None
        aligned, begun = "", 0
        for number, tag, line in _lines(document):
            if path is not None and tag != "</PATH>":
                aligned += line
            elif path is not None:
                yield _row(document, legend, speaker, path, aligned, begun)
                path = None
            elif tag == "<PATH":
                path, aligned, begun = _attributes(document, line, number, "id", "word_cnt"), "", number
            elif tag == "<SPEAKER":
                speaker = _attributes(document, line, number, "id")["id"] or None
            elif tag in ("<LABEL", "<CATEGORY"):
                found = _attributes(document, line, number, "id", "title")
                add = legend.subset if tag == "<LABEL" else legend.category
                add(found["id"], found["title"])
            elif tag not in _ENDS:
                raise _unknown(document, number)
        if path is not None:
            raise document.error("an alignment has no </PATH>", begun, fix="let sclite write the file again")


def _lines(document: Document) -> Iterator[tuple[int, str, str]]:
    """Give number, first word and text of each line of the one system of a file."""
    begun = ended = False
    number = 0
    for number, line in document.lines():
        tag = line.split(maxsplit=1)[0]
        if tag == "<SYSTEM" and begun:
            raise document.error(
                "the file holds a second system",
                number,
                allowed="one <SYSTEM>",
                fix="give each system a file of its own",
            )
        elif tag == "<SYSTEM":
            begun = True
        elif ended or not begun:
            raise _unknown(document, number)
        elif tag == "</SYSTEM>":
            ended = True
        else:
            yield number, tag, line
    if not ended:
        raise document.error(
            "the file ends before </SYSTEM>", number or None, fix="let sclite write it again"
        )


def _unknown(document: Document, number: int) -> LogError:
    return document.error(
        "not a line of sclite's sgml",
        number,
        allowed="<SYSTEM>, and in it <LABEL>, <CATEGORY>, <SPEAKER> and <PATH>",
        fix="write the file with sclite -o sgml",
    )


def _attributes(document: Document, line: str, number: int, *needed: str) -> dict[str, str]:
    inside = line.partition(" ")[2].rstrip().removesuffix(">").removesuffix('"')
    pairs = (attribute.partition('="') for attribute in _BETWEEN_ATTRIBUTES.split(inside))
    found = {name.strip(): value for name, equals, value in pairs if equals}
    for name in needed:
        if name not in found:
            raise document.error(
                f"a tag lacks '{name}'",
                number,
                allowed=f"{' and '.join(needed)} in quotes",
                fix="write the file again with sclite -o sgml",
            )
    return found


def _row(
    document: Document, legend: Legend, speaker: str | None, path: dict[str, str], aligned: str, number: int
) -> Row:
    utterance = path["id"].removeprefix("(").removesuffix(")")
    if not utterance:
        raise document.error(
            "an utterance has no id",
            number,
            allowed='<PATH id="(utterance)"',
            fix="give sclite ids and -i rm",
        )
    words = [_WORDS.fullmatch(part) for part in _BETWEEN_WORDS.split(aligned)] if aligned else []
    known = [found.groups() for found in words if found is not None and _is_whole(*found.groups())]
    if len(known) < len(words) or str(len(words)) != path["word_cnt"]:
        raise document.error(
            f"the alignment of '{utterance}' does not have its {path['word_cnt']} words",
            number,
            allowed='C, S, D and I with words in quotes: S,"a","b":D,"c",',
            fix="write the file with sclite -o sgml, without splits and merges (M, T)",
        )
    kinds = Counter(kind for kind, _, _ in known)
    return {
        "utterance_id": utterance,
        "speaker_id": speaker,
        "ref_words": kinds["C"] + kinds["S"] + kinds["D"],
        "substitutions": kinds["S"],
        "deletions": kinds["D"],
        "insertions": kinds["I"],
        "reference": " ".join(_plain(word) for _, word, _ in known if word),
        "hypothesis": " ".join(_plain(word) for _, _, word in known if word),
        **(
            {"duration": seconds_between(path["R_T1"], path["R_T2"])}
            if {"R_T1", "R_T2"} <= path.keys()
            else {}
        ),
        **legend.columns(path.get("labels", "")),
    }


def _is_whole(kind: str, reference: str | None, hypothesis: str | None) -> bool:
    return (reference is None) == (kind == "I") and (hypothesis is None) == (kind == "D")


def _plain(word: str) -> str:
    """Take off what sclite adds: it takes what follows a semicolon for a tag, and writes two tags or none."""
    return word.removesuffix(";")
