"""ESPnet2 scores: a folder score_wer, score_cer or score_ter with ref.trn and hyp.trn.

Written by asr.sh, https://github.com/espnet/espnet/blob/master/egs2/TEMPLATE/asr1/asr.sh: words,
characters or tokens, a tab, and `(speaker-utterance)`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from fairaudit.readers.document import Document
from fairaudit.readers.formats import Row
from fairaudit.readers.trn import records

SIDES = ("ref.trn", "hyp.trn")


class Espnet:
    """ESPnet2 scores; both sides, and speakers where the ids tell them."""

    name = "espnet"
    title = "ESPnet2 score_wer: a folder with ref.trn and hyp.trn"
    carries = ("utterance_id", "speaker_id", "reference", "hypothesis")

    def recognises(self, document: Document) -> bool:
        """Tell by the two files."""
        return document.has(*SIDES)

    def rows(self, document: Document) -> Iterator[Row]:
        """Give every utterance of either file, in the order of the references and then of the hypotheses."""
        if not document.has(*SIDES):
            raise document.error(
                "not a folder of ESPnet2 scores",
                allowed=f"a folder with {' and '.join(SIDES)}",
                fix="give the folder score_wer",
            )
        references, hypotheses = (_texts(document.child(name)) for name in SIDES)
        whole = dict.fromkeys([*references, *hypotheses])
        parts = {name: speaker_and_utterance(name) for name in whole}
        told = all(parts.values())
        for name in whole:
            texts = {"reference": references.get(name), "hypothesis": hypotheses.get(name)}
            found = parts[name]
            if told and found is not None:
                yield {"utterance_id": found[1], "speaker_id": found[0], **texts}
            else:
                yield {"utterance_id": name, **texts}


def speaker_and_utterance(name: str) -> tuple[str, str] | None:
    """Take apart `speaker-utterance`, each of which may hold dashes.

    As Kaldi demands, an utterance id begins with that of its speaker: only a dash after which the text
    before it begins again can be the one that joins them. Of several such the last one counts.

    Parameters
    ----------
    name : str

    Returns
    -------
    tuple of str, or None
        None where no dash can be the one.

    Examples
    --------
    >>> speaker_and_utterance("1089-134686-1089-134686-0001")
    ('1089-134686', '1089-134686-0001')
    >>> speaker_and_utterance("ann-take-1") is None
    True
    """
    found = None
    for place in _dashes(name):
        # Further on there is no room for the speaker to begin again.
        if 2 * place >= len(name):
            break
        if place and name.startswith(name[:place], place + 1):
            found = name[:place], name[place + 1 :]
    return found


def _dashes(name: str) -> Iterable[int]:
    return (place for place, character in enumerate(name) if character == "-")


def _texts(document: Document) -> dict[str, str]:
    texts: dict[str, str] = {}
    for number, name, words in records(document):
        if name in texts:
            raise document.error(
                f"the utterance '{name}' is there twice",
                number,
                allowed="each utterance once",
                fix="remove one",
            )
        texts[name] = words
    return texts
