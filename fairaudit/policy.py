"""What a gate allows: rules and waivers, read from TOML and checked before any result is."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from datetime import date
from math import isfinite
from pathlib import Path
from typing import Any, Literal, TypeVar, get_type_hints

import msgspec

from fairaudit.config import load_toml, typed
from fairaudit.exceptions import OptionError, nearest
from fairaudit.measures import BOUNDS, MEASURES, Bound
from fairaudit.provenance import Plain
from fairaudit.schema import schema_of

#: The partition of a rule that holds for every one.
EVERY = "*"
#: Limits are fractions, so that 5 is most likely meant as 5 % and 15 certainly is.
HIGHEST = 10.0


P = TypeVar("P", bound=msgspec.Struct)


class Rule(Plain, frozen=True, kw_only=True):
    """One thing that a result has to keep to, with exactly one of the three bounds.

    Parameters
    ----------
    name : str
        Of its own in the policy.
    measure : {"wer", "gap", "gap_absolute", "worst", "maximum"}
        See `MEASURES`.
    partition : str, optional
        Its name; "*" for each that the result has; the whole log by default.
    cohorts : {"all", "bottom"} or tuple of str, optional
        Of which the WER is read: each, the bottom as one, or those with these ids or names. All by default.
    max, max_increase, max_relative_increase : float, optional
        The limit, as a fraction: of the measure, of its absolute, or of its relative increase.
    min_speakers : int, optional
        A figure of fewer speakers is inconclusive.
    inconclusive : {"warn", "fail"}
        Whether not enough evidence makes the verdict inconclusive or a fail; never a pass.
    mode : {"enforce", "inform"}
        A rule that informs never blocks.

    Raises
    ------
    OptionError
        If it contradicts itself or a limit is out of range.

    Examples
    --------
    >>> rule = Rule(name="overall", measure="wer", max_relative_increase=0.05)
    >>> rule.bound, rule.limit
    ('max_relative_increase', 0.05)
    """

    name: str
    measure: Literal["wer", "gap", "gap_absolute", "worst", "maximum"]
    partition: str | None = None
    cohorts: Literal["all", "bottom"] | tuple[str, ...] | None = None
    max: float | None = None
    max_increase: float | None = None
    max_relative_increase: float | None = None
    min_speakers: int | None = None
    inconclusive: Literal["warn", "fail"] = "warn"
    mode: Literal["enforce", "inform"] = "enforce"

    def __post_init__(self) -> None:
        _check(bool(self.name.strip()), "name", "a rule has no name", "any text")
        self._check_target()
        given = [bound for bound in BOUNDS if getattr(self, bound) is not None]
        what = f"rule '{self.name}' has {' and '.join(given) or 'no limit'}"
        _check(len(given) == 1, "", what, f"exactly one of {', '.join(BOUNDS)}")
        allowed = MEASURES[self.measure].bounds
        what = f"rule '{self.name}': {self.measure} has no {self.bound}"
        _check(self.bound in allowed, self.bound, what, ", ".join(allowed))
        self._check_limit()
        what = f"rule '{self.name}': min_speakers is {self.min_speakers}"
        _check(self.min_speakers is None or self.min_speakers >= 1, "min_speakers", what, "at least 1")
        _check(
            self.min_speakers is None or MEASURES[self.measure].has_speakers,
            "min_speakers",
            f"rule '{self.name}': {self.measure} is not of certain speakers",
            "no min_speakers",
        )

    def _check_target(self) -> None:
        rule = f"rule '{self.name}'"
        whole = self.partition is None
        _check(
            not whole or self.measure == "wer",
            "partition",
            f"{rule}: {self.measure} is of a partition, and none is named",
            f'a name, or "{EVERY}" for each',
        )
        _check(
            self.cohorts is None or (not whole and self.measure == "wer"),
            "cohorts",
            f"{rule} has cohorts, but {'no partition' if whole else f'its measure is {self.measure}'}",
            'cohorts with measure = "wer" and a partition',
        )
        if isinstance(self.cohorts, tuple):
            _check(bool(self.cohorts), "cohorts", f"{rule} has an empty list", "ids or names of cohorts")
            what = f"{rule} names cohorts of every partition"
            _check(self.partition != EVERY, "partition", what, "the name of one partition")

    def _check_limit(self) -> None:
        if self.bound == "max_increase" or self.measure == "gap_absolute":
            low, allowed = -HIGHEST, f"at least {-HIGHEST:g}"
        elif self.bound == "max" and self.measure in ("wer", "worst"):
            low, allowed = 0.0, "above 0"
        else:
            low, allowed = -1.0, "above -1"
        what = f"rule '{self.name}': {self.bound} is {self.limit:g}"
        within = isfinite(self.limit) and low < self.limit <= HIGHEST
        _check(within, self.bound, what, f"{allowed}, at most {HIGHEST:g}; a fraction: 0.05 is 5 %")

    @property
    def bound(self) -> Bound:
        """Which of the three bounds it has."""
        return next(bound for bound in BOUNDS if getattr(self, bound) is not None)

    @property
    def limit(self) -> float:
        """What it allows, as a fraction."""
        return float(getattr(self, self.bound))


class Waiver(Plain, frozen=True, kw_only=True):
    """A fail that somebody answers for until a day, up to a value. Everything is required.

    `cohort` is an id or a name; where the rule is not of a cohort it is overall, bottom, gap, worst or
    maximum. `partition` is overall where the rule has none.
    """

    cohort: str
    partition: str
    rule: str
    reason: str
    approver: str
    note: str
    expires: date
    max_value: float

    def __post_init__(self) -> None:
        for key in ("cohort", "partition", "rule", "reason", "approver", "note"):
            _check(bool(getattr(self, key).strip()), key, f"{key} of a waiver is empty", "some text")
        what = f"max_value is {self.max_value}"
        _check(isfinite(self.max_value), "max_value", what, "a number: the fraction up to which it holds")


class Policy(Plain, frozen=True, kw_only=True, rename={"rules": "rule", "waivers": "waiver"}):
    """Rules and waivers of a gate.

    Parameters
    ----------
    rules : tuple of Rule
        At least one.
    waivers : tuple of Waiver
    exploratory : {"warn", "refuse"}
        What becomes of a rule on cohorts that were found in the very data that is gated.
    first_release : bool
        There is no baseline yet: rules of increases do not block an audit.
    name, sha256 : str
        The file that it was read from.

    Raises
    ------
    OptionError
        If there is no rule, two have one name, or a waiver is of no rule or could never apply.
    """

    rules: tuple[Rule, ...]
    waivers: tuple[Waiver, ...] = ()
    exploratory: Literal["warn", "refuse"] = "warn"
    first_release: bool = False
    name: str = "policy"
    sha256: str = ""

    def __post_init__(self) -> None:
        _check(bool(self.rules), "[[rule]]", "a policy without rules allows everything", "at least one rule")
        names = [rule.name for rule in self.rules]
        twice = sorted({name for name in names if names.count(name) > 1})
        _check(not twice, "[[rule]]", f"two rules are called {', '.join(twice)}", "a name for each")
        for number, waiver in enumerate(self.waivers, 1):
            self._check_waiver(waiver, f"[[waiver]] {number}", self.waivers[: number - 1])

    def _check_waiver(self, waiver: Waiver, where: str, earlier: Iterable[Waiver]) -> None:
        limits = {rule.name: rule.limit for rule in self.rules}
        what = f"a waiver is of the rule '{waiver.rule}', and there is none"
        _check(waiver.rule in limits, f"{where}, rule", what, nearest(waiver.rule, limits))
        limit = limits[waiver.rule]
        _check(
            waiver.max_value > limit,
            f"{where}, max_value",
            f"max_value is {waiver.max_value:g} and the rule allows {limit:g}: this could never apply",
            f"above {limit:g}",
        )
        same = [w for w in earlier if (w.cohort, w.partition, w.rule) == _subject(waiver)]
        _check(not same, where, "there is a waiver of the same cohort and rule already", "one")

    def digest(self) -> str:
        """Return the digest of the file, or that of the content where there is none."""
        return self.sha256 or hashlib.sha256(msgspec.json.encode(self)).hexdigest()


def read_policy(path: str | Path) -> Policy:
    """Read a policy from TOML.

    Parameters
    ----------
    path : str or Path

    Raises
    ------
    OptionError
        If the file cannot be read, a key is not known or missing, or a value is of another type or out of
        range. The message names the file, the table by its number, and the key.
    """
    where = str(path)
    plain, content = load_toml(path, "the policy")
    tables = {"rule": Rule, "waiver": Waiver}
    plainly = get_type_hints(Policy)
    known = {*tables, "exploratory", "first_release"}
    _check_keys(plain, known, where)
    fields: dict[str, Any] = {
        f"{key}s": tuple(_tables(plain.get(key, []), kind, key, where)) for key, kind in tables.items()
    }
    for key in sorted(set(plain) - set(tables)):
        fields[key] = typed(plain[key], plainly[key], name=key, where=f"{where}, {key}")
    return _placed(Policy, fields | {"name": Path(path).name, "sha256": content}, where)


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of a policy, as TOML is read.

    Examples
    --------
    >>> sorted(json_schema()["properties"])
    ['exploratory', 'first_release', 'rule', 'waiver']
    """
    schema = schema_of(Policy)
    for key in ("name", "sha256"):
        del schema["properties"][key]
    schema["properties"]["rule"]["minItems"] = 1
    schema["$defs"]["Rule"]["oneOf"] = [{"required": [bound]} for bound in BOUNDS]
    return schema


def _tables(plain: Any, kind: type[P], key: str, where: str) -> Iterable[P]:
    """Read the tables `[[rule]]` or `[[waiver]]`."""
    if not isinstance(plain, list) or not all(isinstance(table, dict) for table in plain):
        raise OptionError(f"{key} is no list of tables", where=where, allowed=f"[[{key}]], in two brackets")
    kinds = get_type_hints(kind)
    required = [field.name for field in msgspec.structs.fields(kind) if field.required]
    for number, table in enumerate(plain, 1):
        place = f"{where}, [[{key}]] {number}"
        _check_keys(table, kinds, place)
        missing = [name for name in required if name not in table]
        if missing:
            raise OptionError(
                f"{', '.join(missing)} is missing", where=place, allowed=f"required: {', '.join(required)}"
            )
        values = {
            name: typed(value, kinds[name], name=name, where=f"{place}, {name}")
            for name, value in table.items()
        }
        yield _placed(kind, values, place)


def _check_keys(plain: Mapping[str, Any], known: Iterable[str], where: str) -> None:
    for key in plain:
        if key not in known:
            raise OptionError(f"unknown key '{key}'", where=where, allowed=nearest(key, known))


def _placed(kind: type[P], values: dict[str, Any], place: str) -> P:
    """Make a part of a policy, and say where it is if it cannot be."""
    try:
        return kind(**values)
    except OptionError as error:
        where = f"{place}, {error.where}" if error.where else place
        raise OptionError(error.what, where=where, allowed=error.allowed) from None


def _check(holds: bool, key: str, what: str, allowed: str) -> None:
    if not holds:
        raise OptionError(what, where=key or None, allowed=allowed)


def _subject(waiver: Waiver) -> tuple[str, str, str]:
    return waiver.cohort, waiver.partition, waiver.rule
