"""Normalisers of text by name, and the record of what they are."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import cache, lru_cache
from importlib.metadata import version
from pathlib import Path

from fairaudit.exceptions import OptionError, nearest
from fairaudit.provenance import Scoring

#: Ways to normalise text before it is scored, and what each does.
NORMALIZERS = {
    "none": "the text as it is",
    "basic": "Whisper's basic normaliser: lower case, no punctuation, nothing in brackets",
    "whisper-en": "Whisper's English normaliser: numbers, contractions, titles, spelling, no uh",
}

PACKAGE = "whisper-normalizer"
#: Texts that are kept normalised: references, and short ones such as "yeah", come again and again.
KEPT = 2**14


def normalizer(name: str) -> Callable[[str], str]:
    """Return a normaliser by name.

    Parameters
    ----------
    name : {"none", "basic", "whisper-en"}
        `none` leaves the text as it is; the others are Whisper's basic and English normalisers.

    Raises
    ------
    OptionError
        If the name is not known.

    Examples
    --------
    >>> normalizer("whisper-en")("Mister Smith's colour, okay?")
    'mister smith is color okay'
    """
    if name not in NORMALIZERS:
        raise OptionError(
            f"unknown normalizer '{name}'", where="--normalizer", allowed=nearest(name, NORMALIZERS)
        )
    if name == "none":
        return str
    if name == "basic":
        from whisper_normalizer.basic import BasicTextNormalizer

        basic: Callable[[str], str] = BasicTextNormalizer()
        return basic
    from whisper_normalizer.english import EnglishTextNormalizer

    english: Callable[[str], str] = EnglishTextNormalizer()
    return english


@cache
def bounded(name: str) -> Callable[[str], str]:
    """Return the one normaliser of that name in this process; it remembers a bounded number of texts."""
    return str if name == "none" else lru_cache(maxsize=KEPT)(normalizer(name))


@cache
def scoring_record(name: str) -> Scoring:
    """Return the record of a normaliser: name, version, and digest of the files that define it."""
    digest = hashlib.sha256()
    if name == "none":
        return Scoring(normalizer=name, version="", sha256=digest.hexdigest())
    import whisper_normalizer

    folder = Path(whisper_normalizer.__file__).parent
    for file in sorted(folder.rglob("*")):
        if file.suffix in (".py", ".json"):
            digest.update(file.relative_to(folder).as_posix().encode() + b"\0" + file.read_bytes())
    return Scoring(normalizer=name, version=version(PACKAGE), sha256=digest.hexdigest())
