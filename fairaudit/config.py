"""Options from the command line, Python and TOML, checked once and then frozen."""

from __future__ import annotations

import dataclasses
import hashlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from types import NoneType
from typing import Any, Literal, get_args, get_origin, get_type_hints

import msgspec

from fairaudit.exceptions import OptionError, nearest

#: Discoverers that an audit runs where the log has their columns, in the order of the report.
BUILT_IN = ("geo", "zip", "voice")
#: With fewer permutations no p can be at most 5 %.
FEWEST_PERMUTATIONS = 19
#: Types of options and parameters in words.
IN_WORDS = {
    int: "a whole number",
    float: "a number",
    str: "text",
    bool: "true or false",
    tuple: "a list of texts",
    date: "a date such as 2026-12-31",
    Mapping: "tables [set.NAME]",
}


@dataclass(frozen=True)
class AuditOptions:
    """Everything that an audit is told, apart from the log.

    Parameters
    ----------
    by : tuple of str
        Discoverers and label columns; empty for all that the log allows.
    reference_cohort : str, optional
        ``COLUMN=VALUE``: the cohort that all others of that column are compared with.
    bottom_share : float
        Most speakers in the bottom, as a fraction, unless the worst cohort alone has more.
    splits : int, optional
        11 below 10,000 speakers and 1 from there by default.
    permutations : int
        Of the chance gap; 0 for none.
    confidence : float
    min_speakers_shown : int
        Figures of fewer speakers are suppressed.
    correction : {"holm", "bh"}
        Of the cohorts' p for their number.
    margin : float
        A cohort is cleared where it is worse than all others by no more than this fraction.
    adjust : tuple of str
        Columns for which the gap is also adjusted; `utterance_length` is one that every log has.
    inject : bool
        Find out which gaps this audit would have found, by injecting them.
    interval : {"jackknife", "bootstrap"}
        How the intervals of cohorts' rates are made; the gap keeps the jackknife.
    zip_table : str, optional
        File of census attributes by ZIP code.
    seed : int
    parameters : mapping of str to mapping
        Parameters of discoverers by name; the `[set.NAME]` tables of a TOML file.
    model, dataset : str, optional
        What was audited, for the record.

    Raises
    ------
    OptionError
        If a value is out of range.

    Examples
    --------
    >>> AuditOptions(bottom_share=0.2).bottom_share
    0.2
    """

    by: tuple[str, ...] = ()
    reference_cohort: str | None = None
    bottom_share: float = 0.10
    splits: int | None = None
    permutations: int = 199
    confidence: float = 0.95
    min_speakers_shown: int = 11
    correction: Literal["holm", "bh"] = "holm"
    margin: float = 0.10
    adjust: tuple[str, ...] = ()
    inject: bool = False
    interval: Literal["jackknife", "bootstrap"] = "jackknife"
    zip_table: str | None = None
    seed: int = 1
    parameters: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    model: str | None = None
    dataset: str | None = None

    def __post_init__(self) -> None:
        self._check("bottom_share", 0 < self.bottom_share <= 0.5, "above 0, at most 0.5")
        self._check("confidence", 0.5 <= self.confidence < 1, "0.5 to below 1")
        self._check("splits", self.splits is None or 1 <= self.splits <= 256, "1 to 256")
        self._check("permutations", 0 <= self.permutations <= 99_999, "0 to 99999")
        self._check("min_speakers_shown", self.min_speakers_shown >= 1, "at least 1")
        self._check("seed", self.seed >= 0, "at least 0")
        self._check("correction", self.correction in ("holm", "bh"), "holm, bh")
        self._check("adjust", all(all(of) for of in self.adjusted_for()), "names of columns, COLUMN,COLUMN")
        if self.inject and self.permutations < FEWEST_PERMUTATIONS:
            raise OptionError(
                f"gaps are to be injected, with {self.permutations} permutations",
                where="--inject",
                allowed=f"at least {FEWEST_PERMUTATIONS} permutations, by which a gap is told from chance",
            )
        self._check("margin", 0 < self.margin <= 10, "above 0, at most 10")
        self._check("interval", self.interval in ("jackknife", "bootstrap"), "jackknife, bootstrap")
        if self.reference_cohort is not None and "=" not in self.reference_cohort:
            raise OptionError(
                f"reference cohort is '{self.reference_cohort}'",
                where="--reference-cohort",
                allowed="COLUMN=VALUE, such as accent=US",
            )

    def adjusted_for(self) -> list[tuple[str, ...]]:
        """Return the columns of each adjustment, each once.

        Examples
        --------
        >>> AuditOptions(adjust=("device, age,device",)).adjusted_for()
        [('device', 'age')]
        """
        return [tuple(dict.fromkeys(c.strip() for c in item.split(","))) for item in self.adjust]

    def _check(self, name: str, holds: bool, allowed: str) -> None:
        if not holds:
            option = f"--{name.replace('_', '-')}"
            raise OptionError(f"{name} is {getattr(self, name)}", where=option, allowed=allowed)


def read_options(path: str | Path) -> dict[str, Any]:
    """Read `audit.toml`: the options of an audit by name, parameters under `[set.NAME]`.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    dict
        Keyword arguments of `AuditOptions`, of the right types; only what the file gives.

    Raises
    ------
    OptionError
        If the file cannot be read, or a key or value is not known.
    """
    where = str(path)
    plain, _ = load_toml(path, "the configuration")
    known = {option.name for option in dataclasses.fields(AuditOptions)} - {"parameters"} | {"set"}
    for key in plain:
        if key not in known:
            raise OptionError(f"unknown key '{key}'", where=where, allowed=nearest(key, known))
    fields = {key: "parameters" if key == "set" else key for key in plain}
    kinds = get_type_hints(AuditOptions)
    options = {
        field: typed(plain[key], kinds[field], name=key, where=f"{where}, {key}")
        for key, field in fields.items()
    }
    try:
        AuditOptions(**options)
    except OptionError as error:
        key = (error.where or "").removeprefix("--").replace("-", "_")
        raise OptionError(error.what, where=f"{where}, {key}", allowed=error.allowed) from None
    return options


def load_toml(path: str | Path, what: str) -> tuple[dict[str, Any], str]:
    """Return what a TOML file holds, and its digest.

    Parameters
    ----------
    path : str or Path
    what : str
        What the file is, for messages.

    Raises
    ------
    OptionError
        If the file cannot be read or is not TOML.
    """
    where = str(path)
    try:
        content = Path(path).read_bytes()
        return tomllib.loads(content.decode("utf-8-sig")), hashlib.sha256(content).hexdigest()
    except OSError as error:
        raise OptionError(f"cannot read {what}: {error.strerror}", where=where) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise OptionError(f"not valid TOML: {error}", where=where) from None


def typed(value: Any, kind: Any, *, name: str, where: str, strict: bool = True) -> Any:
    """Return the value of an option or parameter as its type.

    Parameters
    ----------
    value : object
    kind : type
        Literals and unions with None among them.
    name, where : str
        For messages.
    strict : bool
        False to read texts as numbers and so on, as on the command line.

    Raises
    ------
    OptionError
        If the value is of another type, or not among those of a Literal.

    Examples
    --------
    >>> typed("50", int | None, name="geo.max_regions", where="--set", strict=False)
    50
    >>> typed("nine", int, name="permutations", where="audit.toml, permutations")
    Traceback (most recent call last):
    fairaudit.exceptions.OptionError: permutations is 'nine'
      where:   audit.toml, permutations
      allowed: a whole number
    """
    try:
        return msgspec.convert(value, kind, strict=strict)
    except msgspec.ValidationError:
        allowed = _in_words(kind, str(value))
        raise OptionError(f"{name} is {value!r}", where=where, allowed=allowed) from None


def _in_words(kind: Any, value: str) -> str:
    """Say what a type holds, the choice most like a value first."""
    if get_origin(kind) is Literal:
        return nearest(value, map(str, get_args(kind)))
    plain = get_origin(kind) or kind
    if plain in IN_WORDS:
        return IN_WORDS[plain]
    # None is the default, which nobody needs to write.
    return " or ".join(_in_words(part, value) for part in get_args(kind) if part is not NoneType)


def parse_settings(settings: tuple[str, ...]) -> dict[str, dict[str, str]]:
    """Read `--set NAME.PARAMETER=VALUE` options.

    Raises
    ------
    OptionError
        If one has another form.

    Examples
    --------
    >>> parse_settings(("geo.max_regions=50", "geo.grid=0.1"))
    {'geo': {'max_regions': '50', 'grid': '0.1'}}
    """
    parameters: dict[str, dict[str, str]] = {}
    for setting in settings:
        target, equals, value = setting.partition("=")
        name, dot, parameter = target.partition(".")
        if not (name and dot and parameter and equals):
            raise OptionError(
                f"cannot read '{setting}'",
                where="--set",
                allowed="NAME.PARAMETER=VALUE, such as geo.max_regions=50",
            )
        parameters.setdefault(name, {})[parameter] = value
    return parameters


def parse_pairs(option: str, pairs: tuple[str, ...]) -> dict[str, list[str]]:
    """Read repeated `NAME=VALUE` options: the values of each name, in the order given.

    Raises
    ------
    OptionError
        If one has another form.

    Examples
    --------
    >>> parse_pairs("--where", ("accent=US", "accent=UK", "device=phone"))
    {'accent': ['US', 'UK'], 'device': ['phone']}
    """
    values: dict[str, list[str]] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not (name and equals):
            raise OptionError(f"cannot read '{pair}'", where=option, allowed="NAME=VALUE")
        values.setdefault(name, []).append(value)
    return values


def parse_single(option: str, pairs: tuple[str, ...]) -> dict[str, str]:
    """Read repeated `NAME=VALUE` options of which each name has one value.

    Raises
    ------
    OptionError
        If one has another form, or a name is given twice.

    Examples
    --------
    >>> parse_single("--column", ("speaker_id=spk",))
    {'speaker_id': 'spk'}
    """
    single = {}
    for name, values in parse_pairs(option, pairs).items():
        if len(values) > 1:
            raise OptionError(f"{name} is given twice: {', '.join(values)}", where=option, allowed="one")
        single[name] = values[0]
    return single
