"""The types of the public tables: the same in every result, whatever is in it."""

import msgspec
import numpy as np
import pytest
from results import audited, cohort, cohort_change, compared, partition, partition_change

from fairaudit.change_tables import CHANGE_COLUMNS
from fairaudit.frames import COUNTS, FLAGS, TEXTS, types
from fairaudit.tables import ATTRIBUTE_COLUMNS, COHORT_COLUMNS, SUMMARY_COLUMNS

BARE = audited(partition("bare", [cohort("a", suppressed=True)], bottom=None, top=None))
FULL = audited(partition("full", [cohort("a", 0.2, speakers=20), cohort("b", suppressed=True)]))
NOTHING = msgspec.structs.replace(FULL, partitions=())


@pytest.mark.parametrize("result", [BARE, FULL, NOTHING])
@pytest.mark.parametrize(
    ("table", "columns"),
    [("summary", SUMMARY_COLUMNS), ("cohorts", COHORT_COLUMNS), ("attributes", ATTRIBUTE_COLUMNS)],
)
def test_the_types_of_an_audits_tables_are_those_of_their_columns(result, table, columns):
    found = getattr(result, table)()
    assert {name: str(kind) for name, kind in found.dtypes.items()} == types(columns)


def test_the_types_of_a_comparisons_table_are_those_of_its_columns():
    full = compared(partition_change("device", [cohort_change("a"), cohort_change("b")]))
    for result in (full, msgspec.structs.replace(full, partitions=())):
        assert {name: str(kind) for name, kind in result.changes().dtypes.items()} == types(CHANGE_COLUMNS)


def test_a_count_of_a_suppressed_cohort_is_missing_and_its_rate_is_nan():
    table = FULL.cohorts().set_index("cohort")
    assert table.loc["a", "speakers"] == 20
    assert table["speakers"].isna().tolist() == [False, True]
    assert np.isnan(table["wer"].to_numpy()).tolist() == [False, True]
    assert table["suppressed"].tolist() == [False, True]


def test_every_named_column_is_one_of_a_table_and_has_one_type():
    every = {*SUMMARY_COLUMNS, *COHORT_COLUMNS, *ATTRIBUTE_COLUMNS, *CHANGE_COLUMNS}
    named = [*COUNTS, *TEXTS, *FLAGS]
    assert len(named) == len(set(named))
    assert set(named) <= every
