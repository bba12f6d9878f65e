"""What is installed, for people: each discoverer with its parameters, their defaults and meanings."""

from __future__ import annotations

import dataclasses
import inspect
import re
import shlex
import textwrap
from typing import Any, cast

from fairaudit.discover import installed

#: Parameters that an audit gives its own value of, unless they are set, and the option that has it.
SHARED = {"seed": "--seed", "zip_table": "--zip-table"}
#: Columns of a listing.
WIDTH = 110
#: Defaults that stand for something else, which the description of the parameter says.
NOT_SET: tuple[Any, ...] = (None, ())


def describe_installed() -> str:
    """Return a text that lists the installed discoverers: what each does, reads and can be told.

    Examples
    --------
    >>> print(describe_installed())
    geo: Regions that differ in error rate, found by a decision tree over latitude and longitude.
      reads: latitude, longitude
      --set geo.max_regions=126
          Most leaves; 126 as published for the US.
    ...
    """
    lines = []
    for name, kind in installed().items():
        documentation = inspect.getdoc(kind) or ""
        lines += [f"{name}: {documentation.partition(chr(10))[0]}"]
        requires = cast(Any, kind).requires
        # Which columns it reads may be a parameter.
        reads = "label columns" if isinstance(requires, property) else ", ".join(requires)
        lines += [f"  reads: {reads}"]
        for field in dataclasses.fields(cast(Any, kind)):
            value, text = _default_and_text(field, documentation)
            setting = f"{name}.{field.name}={value}"
            lines += [f"  --set {shlex.quote(setting)}"]
            lines += textwrap.wrap(text, WIDTH, initial_indent=" " * 6, subsequent_indent=" " * 6)
    return "\n".join(lines) + "\n"


def _default_and_text(field: dataclasses.Field[Any], documentation: str) -> tuple[str, str]:
    """Return a parameter's default, or its name for a value, and what its numpydoc entry says."""
    entry = re.search(rf"^{field.name} : (.*)\n((?: +.*\n)*)", documentation + "\n", flags=re.M)
    kind, body = (entry[1], " ".join(entry[2].split())) if entry else ("", "")
    sentences = re.split(r"(?<=\.) ", body)
    told = sentences[:1]
    if kind.startswith("{"):
        told.append(f"One of {kind.strip('{}')}.")
    if field.name in SHARED:
        told.append(f"By default that of {SHARED[field.name]}.")
    elif field.default in NOT_SET:
        told += [sentence for sentence in sentences[1:] if sentence.startswith("By default")]
    fixed = field.name not in SHARED and field.default not in (*NOT_SET, dataclasses.MISSING)
    return str(field.default) if fixed else field.name.upper(), " ".join(told)
