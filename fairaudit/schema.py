"""How results are stored: JSON of a numbered schema, older ones upgraded step by step."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from inspect import cleandoc
from typing import Any, TypeVar

import msgspec

from fairaudit.exceptions import ResultError

SCHEMA_VERSION = 1

#: How a stored result of an older schema becomes one of the next schema; keyed by the older version.
UPGRADES: dict[int, Callable[[dict[str, Any]], dict[str, Any]]] = {}

DIALECT = "https://json-schema.org/draft/2020-12/schema"

R = TypeVar("R", bound=msgspec.Struct)

#: What each kind of result is called in messages.
_NAMES = {
    "AuditResult": "an audit result",
    "ComparisonResult": "a comparison",
    "Verdict": "a verdict",
}


def encode(result: msgspec.Struct) -> str:
    """Return the JSON form of a result: two-space indent, fields in the order of the schema.

    Raises
    ------
    ValueError
        If a number is not finite, which would be an error of ours.
    """
    plain = msgspec.to_builtins(result)
    _refuse_non_finite(plain, "result")
    return msgspec.json.format(msgspec.json.encode(plain), indent=2).decode() + "\n"


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
        If the text is not such a result, or one of a newer schema.
    """
    try:
        plain = msgspec.json.decode(text)
    except msgspec.DecodeError as error:
        raise ResultError(f"not valid JSON: {error}", where=where) from None
    if not isinstance(plain, dict) or not isinstance(plain.get("schema_version"), int):
        raise ResultError(
            f"this is not {_NAMES.get(kind.__name__, kind.__name__)}: it has no schema_version",
            where=where,
            allowed="what fairaudit wrote itself",
        )
    version = plain["schema_version"]
    if version > SCHEMA_VERSION:
        raise ResultError(
            f"schema_version {version} is of a newer fairaudit ({plain.get('fairaudit_version')})",
            where=where,
            allowed=f"up to {SCHEMA_VERSION}",
            fix="upgrade fairaudit",
        )
    while version < SCHEMA_VERSION:
        if version not in UPGRADES:
            raise ResultError(f"schema_version {version} cannot be upgraded", where=where)
        plain = UPGRADES[version](plain)
        version += 1
    try:
        return msgspec.convert(plain, kind)
    except msgspec.ValidationError as error:
        raise ResultError(f"not {_NAMES.get(kind.__name__, kind.__name__)}: {error}", where=where) from None


def schema_of(kind: type[msgspec.Struct]) -> dict[str, Any]:
    """Return the JSON Schema of a kind of result."""
    plain = msgspec.json.schema(kind)
    parts = {name: _tidy(part) for name, part in plain["$defs"].items()}
    whole = parts.pop(plain["$ref"].rpartition("/")[2])
    return {"$schema": DIALECT, **whole, "$defs": parts}


def _tidy(part: dict[str, Any]) -> dict[str, Any]:
    """Take the indentation of the source out of a description."""
    return part | ({"description": cleandoc(part["description"])} if "description" in part else {})


def _refuse_non_finite(plain: Any, where: str) -> None:
    if isinstance(plain, Mapping):
        for key, value in plain.items():
            _refuse_non_finite(value, f"{where}.{key}")
    elif isinstance(plain, (list, tuple)):
        for index, value in enumerate(plain):
            _refuse_non_finite(value, f"{where}[{index}]")
    elif isinstance(plain, float) and not -float("inf") < plain < float("inf"):
        raise ValueError(f"{where} is {plain}, and a result holds finite numbers only")
