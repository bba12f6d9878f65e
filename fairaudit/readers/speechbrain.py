"""SpeechBrain's `wer_test.txt`: a summary, a legend, then counts and alignment of each utterance.

As `ErrorRateStats.write_stats` has it printed by `speechbrain/dataio/wer.py`
(https://github.com/speechbrain/speechbrain).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from fairaudit.readers.document import Document
from fairaudit.readers.formats import Row

RULE = "=" * 80
SEPARATOR, NOTHING = " ; ", "<eps>"
#: The id may hold commas: the last one before the rate ends it.
HEADER = re.compile(
    r"(?P<name>.*), %WER \S+ \[ (?P<errors>\d+) / (?P<ref_words>\d+), "
    r"(?P<insertions>\d+) ins, (?P<deletions>\d+) del, (?P<substitutions>\d+) sub \]"
)
SCORED = re.compile(r"Scored (\d+) sentences, (\d+) not present in hyp\.")
#: Parts of the file that hold no utterance.
OTHERS = ("ALIGNMENTS", "UTTERANCES WITH HIGHEST WER", "SPEAKERS WITH HIGHEST WER")
KINDS = {"I": "insertions", "D": "deletions", "S": "substitutions", "=": None}


@dataclass
class Block:
    """The header of an utterance and the lines of its alignment."""

    line: int
    name: str
    counts: dict[str, int]
    alignment: list[str] = field(default_factory=list)


class SpeechBrain:
    """Counts and texts of one test set."""

    name = "speechbrain"
    title = "SpeechBrain: wer_test.txt with the alignment of each utterance"
    carries = (
        "utterance_id",
        "ref_words",
        "errors",
        "substitutions",
        "deletions",
        "insertions",
        "reference",
        "hypothesis",
    )

    def recognises(self, document: Document) -> bool:
        """Tell the file by its legend."""
        head = document.head()
        return head.startswith("%WER ") and "<utterance-id>, WER DETAILS" in head

    def rows(self, document: Document) -> Iterator[Row]:
        """Give a row for each block."""
        blocks, scored, line = 0, None, None
        for line, part in _parts(document):
            if isinstance(part, Block):
                blocks += 1
                yield _row(part, document)
            elif found := SCORED.fullmatch(part):
                scored = int(found[1])
                if int(found[2]):
                    raise document.error(
                        f"{found[2]} utterances have no hypothesis, and are not in the file",
                        line,
                        fix="score them too, as all deleted: who is not recognised at all counts most",
                    )
        if scored != blocks:
            told = "does not say how many utterances" if scored is None else f"tells of {scored} utterances"
            raise document.error(
                f"the file {told}, but has {blocks}", line, fix="check that the file is complete"
            )


def _parts(document: Document) -> Iterator[tuple[int, Block | str]]:
    """Give the blocks, and the lines that belong to none, with the numbers of their lines."""
    block: Block | None = None
    after_rule = False
    for line, text in document.lines():
        if text == RULE:
            if block:
                yield block.line, block
            block, after_rule = None, True
        elif after_rule:
            after_rule = False
            block = _begun(text, document, line)
        elif block:
            block.alignment.append(text)
        else:
            yield line, text
    if block:
        yield block.line, block


def _begun(text: str, document: Document, line: int) -> Block | None:
    found = HEADER.fullmatch(text)
    if found is None and text not in OTHERS:
        raise document.error(
            "no header of an utterance", line, allowed="id, %WER 50.00 [ 1 / 2, 0 ins, 1 del, 0 sub ]"
        )
    if found is None:
        return None
    counts = {name: int(value) for name, value in found.groupdict().items() if name != "name"}
    return Block(line, found["name"], counts)


def _row(block: Block, document: Document) -> Row:
    aligned = _aligned(block.alignment)
    if aligned is None:
        raise document.error(
            f"the alignment of '{block.name}' is incomplete or out of line",
            block.line,
            allowed="three lines: reference, operations (=, I, D, S) and hypothesis, one below the other",
            fix="check that the file is complete and as SpeechBrain wrote it",
        )
    signs = [sign for sign, _, _ in aligned]
    counted = {name: signs.count(sign) for sign, name in KINDS.items() if name}
    counted |= {"errors": sum(counted.values()), "ref_words": len(signs) - counted["insertions"]}
    if different := [name for name, count in block.counts.items() if counted[name] != count]:
        said = ", ".join(f"{name} {block.counts[name]} (aligned: {counted[name]})" for name in different)
        raise document.error(
            f"'{block.name}' has counts that are not those of its alignment: {said}", block.line
        )
    return {
        "utterance_id": block.name,
        **block.counts,
        "reference": " ".join(reference for sign, reference, _ in aligned if sign != "I"),
        "hypothesis": " ".join(hypothesis for sign, _, hypothesis in aligned if sign != "D"),
    }


def _aligned(lines: list[str]) -> list[tuple[str, str, str]] | None:
    """Return sign, word of the reference and word of the hypothesis; None where the lines do not fit.

    Words are cut out where the signs stand, since a word may itself be a semicolon.
    """
    if not lines:
        # Nothing aligned with nothing is three blank lines, which are not read.
        return []
    if len(lines) != 3:
        return None
    width = max(map(len, lines))
    reference, signs, hypothesis = (line.ljust(width) for line in lines)
    aligned, start = [], 0
    for shown in signs.split(SEPARATOR):
        end = start + len(shown)
        words = (reference[start:end].strip(), hypothesis[start:end].strip())
        between = {reference[end : end + len(SEPARATOR)], hypothesis[end : end + len(SEPARATOR)]}
        if not _fit(shown.strip(), *words) or between != {SEPARATOR if end < width else ""}:
            return None
        aligned.append((shown.strip(), *words))
        start = end + len(SEPARATOR)
    return aligned


def _fit(sign: str, reference: str, hypothesis: str) -> bool:
    return (
        sign in KINDS
        and SEPARATOR not in reference + hypothesis
        and (sign != "I" or reference == NOTHING)
        and (sign != "D" or hypothesis == NOTHING)
    )
