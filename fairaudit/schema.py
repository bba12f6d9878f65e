"""How results are stored: sealed JSON of a numbered schema, older ones upgraded step by step."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from inspect import cleandoc
from itertools import pairwise
from typing import Any, Self, TypeVar, get_args, get_type_hints

import msgspec

from fairaudit.exceptions import ResultError
from fairaudit.provenance import Plain

SCHEMA_VERSION = 1

#: How a stored result of an older schema becomes one of the next schema; keyed by the older version.
UPGRADES: dict[int, Callable[[dict[str, Any]], dict[str, Any]]] = {}

DIALECT = "https://json-schema.org/draft/2020-12/schema"
#: What a schema is known by, whatever place it is published in: its file and the version of the form.
IDENTITY = "urn:fairaudit:schema:{name}:{version}"
#: The first section of a numpydoc docstring, with all that follows.
SECTIONS = re.compile(r"\n\n[A-Z][\w ]+\n-{3,}\n.*", flags=re.S)
#: In such sections: names that have one meaning, with or without their type, and that meaning.
MEANINGS = re.compile(r"^(\w[\w, ]*)(?: : .*)?\n((?:    .*(?:\n|\Z))+)", flags=re.M)

#: The key of the digest of everything else in a stored result.
SEAL = "digest"
#: Bounds and what lies between them. They may differ in their last digits, having gone through logarithms.
ENDS = (
    ("low", "wer", "high"),
    ("relative_low", "relative", "relative_high"),
    ("absolute_low", "absolute", "absolute_high"),
)
CLOSE = 1e-9

R = TypeVar("R", bound=msgspec.Struct)

#: The file in which each kind of result is kept.
FILES = {"AuditResult": "audit.json", "ComparisonResult": "compare.json", "Verdict": "verdict.json"}

#: What each kind of result is called in messages.
_NAMES = {
    "AuditResult": "an audit result",
    "ComparisonResult": "a comparison",
    "Verdict": "a verdict",
    "partitions": "a file of saved partitions",
}


class Stored(Plain, frozen=True, kw_only=True):
    """A result that is kept as a file of its own."""

    def to_json(self) -> str:
        """Return the JSON form: two-space indent, fields in the order of the schema, then the seal.

        Raises
        ------
        ValueError
            If a number is not finite, which would be an error of ours.
        """
        return encode(self)

    @classmethod
    def from_json(cls, text: str | bytes, where: str | None = None) -> Self:
        """Read the JSON form; an older schema is upgraded, a newer one refused by name.

        Parameters
        ----------
        text : str or bytes
        where : str, optional
            Name of the file, for messages; by default the one in which such a result is kept.

        Raises
        ------
        ResultError
            If the text is not such a result, is one of a newer schema, was edited, or does not make sense.
        """
        return decode(text, cls, where or FILES[cls.__name__])


def encode(result: msgspec.Struct) -> str:
    """Return the JSON form of a result: two-space indent, fields in the order of the schema, then its seal.

    Raises
    ------
    ValueError
        If a number is not finite, which would be an error of ours.
    """
    plain = msgspec.to_builtins(result)
    _refuse_non_finite(plain, "result")
    return msgspec.json.format(msgspec.json.encode(sealed(plain)), indent=2).decode() + "\n"


def sealed(plain: Mapping[str, Any]) -> dict[str, Any]:
    """Return a stored result with the digest of its content: SHA-256 of its JSON with keys in order.

    It tells of changes made by hand or by accident; whoever means to deceive can make another one.

    Examples
    --------
    >>> one = sealed({"value": 1.0, "name": "x"})
    >>> one == sealed({"name": "x", "value": 1.0, "digest": "old"}), len(one["digest"])
    (True, 64)
    """
    content = {key: value for key, value in plain.items() if key != SEAL}
    text = msgspec.json.encode(content, order="deterministic")
    return content | {SEAL: hashlib.sha256(text).hexdigest()}


def decode(text: str | bytes, kind: type[R], where: str) -> R:
    """Read the JSON form of a result; an older schema is upgraded, a newer one refused by name.

    Parameters
    ----------
    text : str or bytes
    kind : type
        Of result.
    where : str
        Name of the file, for messages.

    Raises
    ------
    ResultError
        If the text is not such a result, is one of a newer schema, was edited, or does not make sense.
    """
    plain = _plain(text, kind, where)
    version = plain["schema_version"]
    if version > SCHEMA_VERSION:
        raise ResultError(
            f"schema_version {version} is of a newer fairaudit ({plain.get('fairaudit_version')})",
            where=where,
            allowed=f"up to {SCHEMA_VERSION}",
            fix="upgrade fairaudit",
        )
    _check_seal(plain, where)
    while version < SCHEMA_VERSION:
        if version not in UPGRADES:
            raise ResultError(f"schema_version {version} cannot be upgraded", where=where)
        plain = UPGRADES[version](plain)
        version += 1
    del plain[SEAL]
    try:
        result = msgspec.convert(plain, kind)
    except msgspec.ValidationError as error:
        raise ResultError(f"not {_NAMES.get(kind.__name__, kind.__name__)}: {error}", where=where) from None
    # The percentiles of a bootstrap need not enclose the rate.
    ends = ENDS[1:] if plain.get("options", {}).get("interval") == "bootstrap" else ENDS
    for problem in _senseless(plain, "result", ends):
        raise ResultError(problem, where=where, fix="make the result again")
    return result


def _plain(text: str | bytes, kind: type[R], where: str) -> dict[str, Any]:
    """Parse JSON, and tell what it is if it is no such result."""
    try:
        plain = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ResultError(f"not valid JSON: {error}", where=where) from None
    except RecursionError:
        raise ResultError("not a result: it is nested too deeply", where=where) from None
    name = _NAMES.get(kind.__name__, kind.__name__)
    if not isinstance(plain, dict) or not isinstance(plain.get("schema_version"), int):
        raise ResultError(
            f"this is not {name}: it has no schema_version",
            where=where,
            allowed="what fairaudit wrote itself",
        )
    found = _kind_of(plain)
    if found not in (None, kind.__name__):
        raise ResultError(f"this is {_NAMES[found]}, not {name}", where=where, allowed=name)
    return plain


def _kind_of(plain: Mapping[str, Any]) -> str | None:
    """Tell which of our files this is; None where it does not look like one."""
    told = {"comparison": "ComparisonResult", "verdict": "Verdict"}
    if "kind" in plain:
        return told.get(str(plain["kind"]))
    if "partitions" in plain:
        return "AuditResult" if "log" in plain else "partitions"
    return None


def _check_seal(plain: Mapping[str, Any], where: str) -> None:
    if SEAL not in plain:
        raise ResultError(
            f"the result has no {SEAL}: it was edited, or is of an early version of fairaudit",
            where=where,
            fix="make the result again",
        )
    if sealed(plain)[SEAL] != plain[SEAL]:
        raise ResultError(
            "the result was edited after it was written: it does not have its digest any more",
            where=where,
            fix="restore the file, or make the result again",
        )


def _senseless(plain: Any, where: str, ends: Sequence[tuple[str, str, str]]) -> Iterator[str]:
    """Yield what cannot be so in a result, whoever has written it."""
    if isinstance(plain, Mapping):
        yield from _out_of_range(plain, where, ends)
        for key, value in plain.items():
            yield from _senseless(value, f"{where}.{key}", ends)
    elif isinstance(plain, list):
        for index, value in enumerate(plain):
            yield from _senseless(value, f"{where}[{index}]", ends)


def _out_of_range(
    plain: Mapping[str, Any], where: str, ends: Sequence[tuple[str, str, str]]
) -> Iterator[str]:
    for low, value, high in ends:
        known = [plain[key] for key in (low, value, high) if _is_number(plain.get(key))]
        for first, second in pairwise(known):
            if first > second and not math.isclose(first, second, rel_tol=CLOSE, abs_tol=CLOSE):
                yield f"{where}: {value} is not between {low} and {high}"
    for key in ("log_se", "absolute_se", "df"):
        if _is_number(plain.get(key)) and plain[key] < -CLOSE:
            yield f"{where}.{key} is {plain[key]}, which is negative"
    confidence = plain.get("confidence")
    if confidence is not None and not (_is_number(confidence) and 0.5 <= confidence < 1):
        yield f"{where}.confidence is {confidence!r}, and not from 0.5 to below 1"
    cohorts = [c["cohort"] for c in plain.get("cohorts") or () if isinstance(c, Mapping) and "cohort" in c]
    if len(set(cohorts)) < len(cohorts):
        twice = next(name for name in cohorts if cohorts.count(name) > 1)
        yield f"{where}: the cohort {twice} is there twice"


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def schema_of(kind: type[msgspec.Struct], name: str) -> dict[str, Any]:
    """Return the JSON Schema of a kind of result.

    Parameters
    ----------
    kind : type
        Its docstring, and those of all classes that it is made of, say in their numpydoc sections what each
        property is.
    name : str
        Of its file, without an ending.
    """
    plain = msgspec.json.schema(kind)
    kinds = _kinds_in(kind)
    parts = {part: _described(schema, kinds[part]) for part, schema in plain["$defs"].items()}
    whole = parts.pop(plain["$ref"].rpartition("/")[2])
    whole["properties"][SEAL] = {"type": "string", "description": "SHA-256 of the rest; see `schema.sealed`."}
    whole["required"] = [*whole["required"], SEAL]
    identity = IDENTITY.format(name=name, version=SCHEMA_VERSION)
    return {"$schema": DIALECT, "$id": identity, **whole, "$defs": parts}


def _kinds_in(kind: type[msgspec.Struct]) -> dict[str, type[msgspec.Struct]]:
    """Return all classes that a kind of result is made of, by name."""
    found: dict[str, type[msgspec.Struct]] = {}
    waiting: list[Any] = [kind]
    while waiting:
        one = waiting.pop()
        if not (isinstance(one, type) and issubclass(one, msgspec.Struct)):
            waiting += get_args(one)
        elif one.__name__ not in found:
            found[one.__name__] = one
            waiting += get_type_hints(one).values()
    return found


def _described(schema: dict[str, Any], kind: type[msgspec.Struct]) -> dict[str, Any]:
    """Put into the schema of a class what it is, and into each property what the docstring says of it."""
    meanings: dict[str, str] = {}
    for one in reversed(kind.__mro__):
        # What a class inherits is documented where it is defined.
        for names, meaning in MEANINGS.findall(cleandoc(one.__doc__ or "")):
            meanings |= dict.fromkeys(re.split(r",\s*", names), " ".join(meaning.split()))
    encoded = {field.encode_name: field.name for field in msgspec.structs.fields(kind)}
    properties = {
        key: of | ({"description": meanings[encoded[key]]} if encoded[key] in meanings else {})
        for key, of in schema["properties"].items()
    }
    about = SECTIONS.sub("", cleandoc(kind.__doc__ or ""))
    return schema | {"description": about, "properties": properties}


def _refuse_non_finite(plain: Any, where: str) -> None:
    if isinstance(plain, Mapping):
        for key, value in plain.items():
            _refuse_non_finite(value, f"{where}.{key}")
    elif isinstance(plain, (list, tuple)):
        for index, value in enumerate(plain):
            _refuse_non_finite(value, f"{where}[{index}]")
    elif isinstance(plain, float) and not -float("inf") < plain < float("inf"):
        raise ValueError(f"{where} is {plain}, and a result holds finite numbers only")
