"""NeMo manifests: JSON lines with an object for each utterance.

Keys and the meaning of `offset` are those of NVIDIA NeMo's documentation ("Preparing Custom ASR Data", ASR
datasets) and of its `transcribe_speech.py`, which adds `pred_text` or `pred_text_<model>`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fairaudit.log import COUNTS, TEXTS
from fairaudit.readers.document import Document
from fairaudit.readers.formats import Row
from fairaudit.readers.objects import cell, first_object, objects_of

PREDICTED = "pred_text"
#: What names an utterance, the first one that is there; else its audio and where in it the utterance starts.
IDS = ("utterance_id", "id", "utt_id")
AUDIO = ("audio_filepath", "offset")


class NemoManifest:
    """A manifest, with hypotheses or without."""

    name = "nemo"
    title = "NeMo manifest: JSON lines with audio_filepath, text and pred_text (NVIDIA NeMo)"
    carries = ("utterance_id", "speaker_id", "reference", "hypothesis", "duration", "labels")

    def recognises(self, document: Document) -> bool:
        """Tell a manifest by the keys of its first line; `time` is of the Open ASR Leaderboard."""
        keys = first_object(document).keys()
        return (
            "audio_filepath" in keys
            and ("text" in keys or bool(_predictions(keys)))
            and "time" not in keys
            and keys.isdisjoint((*COUNTS, *TEXTS))
        )

    def rows(self, document: Document) -> Iterator[Row]:
        """Give a row for each line."""
        hypothesis = None
        known: set[str] | None = None
        for line, entry in objects_of(document):
            predictions = _predictions(entry)
            if known is None:
                known = set(predictions)
                hypothesis = PREDICTED if PREDICTED in known else predictions[0] if len(known) == 1 else None
            if new := set(predictions) - known:
                raise document.error(
                    f"{', '.join(sorted(new))} is here, but not in the first line",
                    line,
                    allowed="hypotheses of the same models in every line",
                    fix="write null where a model gave no hypothesis",
                )
            yield utterance(entry, hypothesis, document, line)


def utterance(entry: dict[str, Any], hypothesis: str | None, document: Document, line: int) -> Row:
    """Return the row of an object of a manifest.

    Parameters
    ----------
    entry : dict
        As `fairaudit.readers.objects.objects_of` gives it.
    hypothesis : str or None
        The key that holds the hypothesis.
    document : Document
    line : int

    Raises
    ------
    LogError
        If nothing names the utterance, or a text is none.
    """
    name, of_name = _named(entry, document, line)
    texts = {"text": "reference"} | ({hypothesis: "hypothesis"} if hypothesis else {})
    row: dict[str, str | int | None] = {"utterance_id": name}
    for key, value in entry.items():
        column = texts.get(key, key)
        if key == "speaker" and "speaker_id" not in entry:
            column = "speaker_id"
        if key in texts and (column in entry or not isinstance(value, str | None)):
            what = f"both {key} and {column} are there" if column in entry else f"{key} is no text"
            raise document.error(what, line, allowed="one text, or null")
        # Vectors, times of words and the like are no labels.
        if key not in of_name and not isinstance(value, list | dict):
            row[column] = cell(column, value, document, line)
    return row


def _predictions(keys: Any) -> list[str]:
    return [key for key in keys if key == PREDICTED or key.startswith(f"{PREDICTED}_")]


def _named(entry: dict[str, Any], document: Document, line: int) -> tuple[str, tuple[str, ...]]:
    """Return the id of an utterance, and the keys that are spent on it."""
    for key in IDS:
        if isinstance(entry.get(key), str):
            return entry[key], (key,)
    path = entry.get("audio_filepath")
    if not isinstance(path, str) or not path:
        raise document.error(
            "nothing names the utterance", line, allowed=f"{', '.join(IDS)} or audio_filepath"
        )
    given = entry.get("offset")
    try:
        offset = float(given or 0)
        if not offset >= 0:
            raise ValueError
    except (TypeError, ValueError):
        raise document.error(f"offset is {given!r}", line, allowed="seconds") from None
    # An offset that is left out is 0 to NeMo, and 3.50 is 3.5: both must meet in a join.
    return (f"{path}#{repr(offset).removesuffix('.0')}" if offset else path), AUDIO
