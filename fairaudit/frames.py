"""Tables of a result as DataFrames: the type of a column follows from its name alone, never from the data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

#: Columns that count, that are text and that are true or false; every other one is a float64.
COUNTS = frozenset(
    {
        "rank",
        "speakers",
        "utterances",
        "ref_words",
        "errors",
        "substitutions",
        "deletions",
        "insertions",
        "baseline_errors",
        "candidate_errors",
    }
)
TEXTS = frozenset(
    {"partition", "what", "cohort", "id", "label", "side", "status", "name", "bottom", "reason"}
)
FLAGS = frozenset({"suppressed", "chosen"})


def types(columns: Sequence[str]) -> dict[str, str]:
    """Return the pandas type of each column, by its name.

    Examples
    --------
    >>> types(["label", "speakers", "suppressed", "wer"])
    {'label': 'string', 'speakers': 'Int64', 'suppressed': 'boolean', 'wer': 'float64'}
    """
    known = ((COUNTS, "Int64"), (TEXTS, "string"), (FLAGS, "boolean"))
    return {c: next((kind for names, kind in known if c in names), "float64") for c in columns}


def table(rows: Sequence[dict[str, Any]], columns: Sequence[str]) -> pd.DataFrame:
    """Return rows as a DataFrame whose types are the same in every result.

    Parameters
    ----------
    rows : sequence of dict
        None where there is nothing.
    columns : sequence of str
    """
    import pandas as pd

    return pd.DataFrame(rows, columns=list(columns), dtype=object).astype(types(columns))
