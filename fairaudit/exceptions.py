"""The exception tree: every error that a user can cause is an `InputError`."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class FairauditError(Exception):
    """Root of all errors that fairaudit raises on purpose."""


class InputError(FairauditError):
    """Something that the user gave is wrong; the command line exits with 2.

    Parameters
    ----------
    what : str
        What is wrong, with the offending value in it.
    where : str, optional
        File and line or column, option or parameter.
    allowed : str, optional
        What would have been accepted.
    fix : str, optional
        What to do about it.

    Examples
    --------
    >>> print(InputError("bottom share is 1.5", where="--bottom-share", allowed="above 0, at most 0.5"))
    bottom share is 1.5
      where:   --bottom-share
      allowed: above 0, at most 0.5
    """

    def __init__(
        self, what: str, *, where: str | None = None, allowed: str | None = None, fix: str | None = None
    ) -> None:
        self.what, self.where, self.allowed, self.fix = what, where, allowed, fix
        lines = [what]
        for name, text in (("where", where), ("allowed", allowed), ("fix", fix)):
            if text:
                lines.append(f"  {name + ':':<8} {text}")
        super().__init__("\n".join(lines))


class LogError(InputError):
    """The utterance log, or a file joined to it, cannot be audited as it is."""


class OptionError(InputError):
    """An option, parameter or configuration key is unknown or out of range."""


class PartitionError(InputError):
    """A partition cannot be found, read or applied."""


class ResultError(InputError):
    """A saved result cannot be read."""


class GateError(FairauditError, AssertionError):
    """A gate that is asserted has not passed; pytest shows it as a failure."""


def nearest(name: str, known: Iterable[str]) -> str:
    """Name the known words, the most similar one first, for the `allowed` line of an error.

    Examples
    --------
    >>> nearest("max_region", ["grid", "max_regions"])
    "did you mean 'max_regions'? Known: grid, max_regions"
    """
    known = sorted(known)
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    hint = f"did you mean '{close[0]}'? " if close else ""
    return f"{hint}Known: {', '.join(known)}"
