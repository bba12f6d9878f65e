"""sclite stm: a segment on each line, with recording, channel, speaker, times, subsets and words.

Described in the sclite manual, https://github.com/usnistgov/SCTK/blob/master/doc/infmts.htm#stm_fmt_name_0
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from fairaudit.readers.document import Document
from fairaudit.readers.formats import TEXT, Row
from fairaudit.readers.subsets import Legend, seconds_between
from fairaudit.readers.trn import COMMENT, transcript

#: Instead of words: sclite scores nothing between these times.
IGNORED = "ignore_time_segment_in_scoring"

_LEGEND = re.compile(r';;\s*(LABEL|CATEGORY)\s+"([^"]*)"\s*"([^"]*)"')


class Stm:
    """sclite stm; one side only."""

    name = "stm"
    title = "sclite stm: file channel speaker begin end <subsets> words"
    carries = ("utterance_id", "speaker_id", TEXT, "duration", "ignored")

    def recognises(self, document: Document) -> bool:
        """Tell by the ending .stm, or by the name stm that Kaldi gives the file."""
        return (document.ending == ".stm" or document.plain_name == "stm") and not document.is_folder

    def rows(self, document: Document) -> Iterator[Row]:
        """Give a segment as an utterance, called by file, channel, begin and end; labels by the legend."""
        legend = _legend(document)
        for number, line in document.lines():
            if not line.startswith(COMMENT):
                yield _row(document, legend, line, number)


def _legend(document: Document) -> Legend:
    """Read the legend first: nothing says that it stands before the segments."""
    legend = Legend(taken=("ignored",))
    for _, line in document.lines():
        found = _LEGEND.match(line)
        if found is not None:
            add = legend.subset if found[1] == "LABEL" else legend.category
            add(found[2], found[3])
    return legend


def _row(document: Document, legend: Legend, line: str, number: int) -> Row:
    fields = line.split(maxsplit=5)
    if len(fields) < 5:
        raise document.error(
            f"the line has {len(fields)} fields",
            number,
            allowed="file channel speaker begin end, <subsets> if any, words",
            fix="write all five fields before the words",
        )
    file, channel, speaker, begin, end = fields[:5]
    duration = seconds_between(begin, end)
    if duration is None:
        raise document.error(
            "the fourth and fifth field are not two times",
            number,
            allowed="seconds, the end not before the begin: 0.10 2.03",
            fix="correct the times",
        )
    subsets, words = _subsets_and_words(document, fields[5] if len(fields) > 5 else "", number)
    ignored = words.strip().lower() == IGNORED
    return {
        "utterance_id": f"{file}-{channel}-{begin}-{end}",
        "speaker_id": speaker,
        "duration": duration,
        TEXT: None if ignored else transcript(document, words, number, "stm"),
        **legend.columns(subsets),
        "ignored": "yes" if ignored else "no",
    }


def _subsets_and_words(document: Document, rest: str, number: int) -> tuple[str, str]:
    """Part the subsets from the words: as for sclite, they are what begins with an angle bracket."""
    if not rest.startswith("<"):
        return "", rest
    subsets, _, words = rest.partition(" ")
    if not subsets.endswith(">"):
        raise document.error(
            "the field of subsets does not end with '>'",
            number,
            allowed="subsets without spaces: <o,f0,male>",
            fix="take the spaces out of the subsets",
        )
    return subsets, words
