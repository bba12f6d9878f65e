"""Discoverers: what finds a partition, and the look-up of those that are installed."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, Protocol, cast, get_origin, get_type_hints, runtime_checkable

import msgspec
import numpy as np
from numpy.typing import NDArray

from fairaudit.config import typed
from fairaudit.counts import Bools, Floats, Ints, Labels, SpeakerCounts
from fairaudit.exceptions import OptionError, nearest
from fairaudit.partition import Name, Partition

ENTRY_POINTS = "fairaudit.discoverers"


@runtime_checkable
class Discoverer(Protocol):
    """Finds a partition from the speakers of one half; a frozen dataclass of parameters.

    It never computes a gap and never sees the half on which one is measured.

    Parameters
    ----------
    name : str
        How it is called on the command line.
    requires : tuple of str
        Columns of the log that it reads.
    reads_errors : bool
        False where the partition does not depend on errors, so that it is fitted once per half and
        not again for each permutation.
    """

    @property
    def name(self) -> str:
        """Its name."""

    @property
    def requires(self) -> tuple[str, ...]:
        """Its columns."""

    @property
    def reads_errors(self) -> bool:
        """Whether it reads errors."""

    def fit(self, counts: SpeakerCounts) -> Partition:
        """Find a partition."""


@runtime_checkable
class Preparing(Protocol):
    """A discoverer, or its partition, that reads attributes which the log does not hold itself."""

    def prepare(self, counts: SpeakerCounts) -> SpeakerCounts:
        """Add the attributes; called once, before speakers are split."""


@runtime_checkable
class Placing(Protocol):
    """A discoverer, or its partition, that has reasons of its own why a row cannot be placed.

    Others can place every row that lacks none of the columns that they require.
    """

    def unplaced(self, counts: SpeakerCounts) -> NDArray[np.object_]:
        """Return for each row why it cannot be placed, or an empty text."""


class Fits(Protocol):
    """What a search found in each of many permuted logs."""

    @property
    def attributes(self) -> tuple[str, ...]:
        """Attributes that the search chose among; empty for a search of another kind."""

    @property
    def chosen(self) -> Ints:
        """Number of the chosen attribute, -1 for none, shape (replicates,); empty without attributes."""

    @property
    def cohorts(self) -> int:
        """The most cohorts that a replicate has."""

    def assign(self, counts: SpeakerCounts) -> Ints:
        """Return cohort numbers, shape (replicates, rows)."""

    def assign_attribute(self, attribute: int, counts: SpeakerCounts) -> Ints:
        """Return the sides that one attribute gives, shape (replicates, rows) or (1, rows)."""

    def attribute_names(self, attribute: int) -> tuple[Name, Name]:
        """Return how the two sides of an attribute are called, as the first replicate cuts it."""


@runtime_checkable
class FitsMany(Protocol):
    """A discoverer that searches many permuted logs of the same speakers at once."""

    def fit_many(self, counts: SpeakerCounts, errors: Floats, ref_words: Floats) -> Fits:
        """Search each replicate.

        Parameters
        ----------
        counts : SpeakerCounts
            The settings; its own errors and words are not read.
        errors, ref_words : ndarray of float64, shape (replicates, rows)
        """


@dataclasses.dataclass(frozen=True, eq=False)
class FixedFit:
    """Partitions that were found one by one: one for all replicates, or one for each."""

    partitions: list[Partition]
    attributes: tuple[str, ...] = ()
    chosen: Ints = dataclasses.field(default_factory=lambda: np.zeros(0, dtype=np.int64))

    @property
    def cohorts(self) -> int:
        """The most cohorts that a replicate has."""
        return max(len(partition.names) for partition in self.partitions)

    def assign(self, counts: SpeakerCounts) -> Ints:
        """See `Fits.assign`."""
        return np.stack([partition.assign(counts) for partition in self.partitions])

    def assign_attribute(self, attribute: int, counts: SpeakerCounts) -> Ints:
        """See `Fits`: nothing was chosen among attributes."""
        raise IndexError(attribute)

    def attribute_names(self, attribute: int) -> tuple[Name, Name]:
        """See `Fits`: nothing was chosen among attributes."""
        raise IndexError(attribute)


def reasons_unplaced(finder: Any, counts: SpeakerCounts) -> NDArray[np.object_]:
    """Return for each row why it cannot be placed, or an empty text.

    Parameters
    ----------
    finder : Discoverer or Partition
    counts : SpeakerCounts
        As `prepare` left it.
    """
    if isinstance(finder, Placing):
        return finder.unplaced(counts)
    reasons = np.full(counts.rows, "", dtype=object)
    for column in finder.requires:
        reasons[is_missing(counts, column)] = f"no {column}"
    return reasons


def is_missing(counts: SpeakerCounts, column: str) -> Bools:
    """Tell for each row whether it lacks a required column."""
    if column == "embedding":
        return ~counts.has_embedding()
    attribute = counts.attributes[column]
    return attribute.codes < 0 if isinstance(attribute, Labels) else np.isnan(attribute)


def installed() -> dict[str, type[Discoverer]]:
    """Return the discoverers that are installed, by name, built-in and third-party alike.

    Raises
    ------
    OptionError
        If two packages register the same name.
    """
    from importlib.metadata import entry_points

    found: dict[str, type[Discoverer]] = {}
    for point in sorted(entry_points(group=ENTRY_POINTS), key=lambda p: p.name):
        if point.name in found:
            raise OptionError(f"two discoverers are called '{point.name}'", where=point.value)
        found[point.name] = point.load()
    return found


def configure(name: str, parameters: Mapping[str, Any], where: str = "--set ") -> Discoverer:
    """Make an installed discoverer from parameters given as text or numbers.

    Parameters
    ----------
    name : str
    parameters : mapping of str to object
        Texts are read as the type of the parameter; of several texts, with commas between them.
    where : str
        For messages: what stands before ``NAME.PARAMETER``, such as ``audit.toml, set.``.

    Raises
    ------
    OptionError
        If the name, a parameter or its value is not known.

    Examples
    --------
    >>> configure("geo", {"max_regions": "50"}).max_regions
    50
    """
    known = installed()
    if name not in known:
        raise OptionError(
            f"unknown discoverer '{name}'", where=f"{where}{name}", allowed=nearest(name, known)
        )
    kind = cast(Any, known[name])
    fields = {field.name for field in dataclasses.fields(kind)}
    types = get_type_hints(kind)
    values = {}
    for parameter, value in parameters.items():
        full = f"{name}.{parameter}"
        if parameter not in fields:
            raise OptionError(
                f"{name} has no parameter '{parameter}'",
                where=where + full,
                allowed=nearest(parameter, fields),
            )
        if get_origin(types[parameter]) is tuple and isinstance(value, str):
            value = [text.strip() for text in value.split(",")]
        values[parameter] = typed(value, types[parameter], name=full, where=where + full, strict=False)
    try:
        return cast(Discoverer, msgspec.convert(values, kind))
    except OptionError as error:
        place = where + (error.where or name).removeprefix("--set ")
        raise OptionError(error.what, where=place, allowed=error.allowed, fix=error.fix) from None
    except msgspec.ValidationError as error:
        # A discoverer of someone else's refuses in its own words.
        raise OptionError(f"{name}: {error}", where=f"{where}{name}") from None


def check_at_least(owner: str, values: Mapping[str, float | None], least: float) -> None:
    """Refuse parameters of a discoverer that are too small.

    Raises
    ------
    OptionError
        If a value is below `least`.
    """
    for parameter, value in values.items():
        if value is not None and value < least:
            raise OptionError(
                f"{owner}.{parameter} is {value}",
                where=f"--set {owner}.{parameter}",
                allowed=f"at least {least}",
            )


def parameters_of(discoverer: Discoverer) -> dict[str, Any]:
    """Return the parameters of a discoverer as plain data, for the record."""
    plain = {}
    for field in dataclasses.fields(cast(Any, discoverer)):
        value = getattr(discoverer, field.name)
        plain[field.name] = (
            list(value) if isinstance(value, Sequence) and not isinstance(value, str) else value
        )
    return plain
