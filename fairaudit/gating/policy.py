"""What a gate allows: rules and waivers, read from TOML and checked before any result is."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal, TypeVar, get_type_hints

import msgspec

from fairaudit.config import load_toml, typed
from fairaudit.exceptions import OptionError, nearest
from fairaudit.gating.measures import BOUNDS
from fairaudit.gating.rules import Rule, Waiver, check
from fairaudit.provenance import Plain
from fairaudit.schema import SEAL, schema_of

#: Keys at the top of the file.
OWN_KEYS = ("exploratory", "first_release", "max_unpaired", "confidence")

P = TypeVar("P", bound=msgspec.Struct)


class Policy(Plain, frozen=True, kw_only=True, rename={"rules": "rule", "waivers": "waiver"}):
    """Rules and waivers of a gate.

    Parameters
    ----------
    rules : tuple of Rule
        What is allowed; at least one.
    waivers : tuple of Waiver
        Fails that somebody answers for.
    exploratory : {"warn", "refuse"}
        What becomes of a rule on cohorts that were found in the very data that is gated, or on the very
        same speakers.
    first_release : bool
        There is no baseline yet: rules that need one do not block an audit.
    max_unpaired : float
        Most utterances that a comparison may do without, as a fraction of those of both logs: beyond it
        every finding is inconclusive.
    confidence : float
        Least confidence of the intervals of a result: below it every finding is inconclusive.
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
    max_unpaired: float = 0.01
    confidence: float = 0.95
    name: str = "policy"
    sha256: str = ""

    def __post_init__(self) -> None:
        check(bool(self.rules), "[[rule]]", "a policy without rules allows everything", "at least one rule")
        what = f"max_unpaired is {self.max_unpaired:g}"
        check(0 <= self.max_unpaired <= 1, "max_unpaired", what, "0 to 1; a fraction: 0.01 is 1 %")
        what = f"confidence is {self.confidence:g}"
        check(0.5 <= self.confidence < 1, "confidence", what, "0.5 to below 1")
        names = [rule.name for rule in self.rules]
        twice = sorted({name for name in names if names.count(name) > 1})
        check(not twice, "[[rule]]", f"two rules are called {', '.join(twice)}", "a name for each")
        for number, waiver in enumerate(self.waivers, 1):
            self._check_waiver(waiver, f"[[waiver]] {number}", self.waivers[: number - 1])

    def _check_waiver(self, waiver: Waiver, where: str, earlier: Iterable[Waiver]) -> None:
        limits = {rule.name: rule.limit for rule in self.rules}
        what = f"a waiver is of the rule '{waiver.rule}', and there is none"
        check(waiver.rule in limits, f"{where}, rule", what, nearest(waiver.rule, limits))
        limit = limits[waiver.rule]
        check(
            waiver.max_value > limit,
            f"{where}, max_value",
            f"max_value is {waiver.max_value:g} and the rule allows {limit:g}: this could never apply",
            f"above {limit:g}",
        )
        same = [w for w in earlier if (w.cohort, w.partition, w.rule) == _subject(waiver)]
        check(not same, where, "there is a waiver of the same cohort and rule already", "one")

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
    _check_keys(plain, {*tables, *OWN_KEYS}, where)
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
    ['confidence', 'exploratory', 'first_release', 'max_unpaired', 'rule', 'waiver']
    """
    schema = schema_of(Policy, "policy")
    for key in ("name", "sha256", SEAL):
        # Where it was read from is not in the file, and nobody seals what people write.
        schema["properties"].pop(key, None)
    schema["required"] = [key for key in schema["required"] if key in schema["properties"]]
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


def _subject(waiver: Waiver) -> tuple[str, str, str]:
    return waiver.cohort, waiver.partition, waiver.rule
