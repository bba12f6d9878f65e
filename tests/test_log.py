"""Checks and options of the log: what is left out and why, what each bad input is told, what is repaired."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from logs import assert_same, counted, frame, rows, write

from fairaudit import checks
from fairaudit.aggregate import aggregate
from fairaudit.auditing import audit
from fairaudit.exceptions import InputError, LogError
from fairaudit.provenance import Metric
from fairaudit.readers import read_log
from fairaudit.split import halves


def five(**columns):
    """Return five good rows, with further or other columns."""
    good = {
        "utterance_id": [f"u{i}" for i in range(5)],
        "speaker_id": [f"s{i}" for i in range(5)],
        "ref_words": [10] * 5,
        "errors": [1] * 5,
    }
    return pd.DataFrame({name: values for name, values in (good | columns).items() if values is not None})


def last(good, bad):
    return [good] * 4 + [bad]


def places(latitude, longitude):
    return {"latitude": last(34.05, latitude), "longitude": last(-118.25, longitude)}


def kinds(substitutions, errors=None):
    return {
        "substitutions": last(1, substitutions),
        "deletions": [0] * 5,
        "insertions": [2] * 5,
        "errors": errors,
    }


def texts(**columns):
    return {"reference": ["a b"] * 5, "hypothesis": ["a"] * 5, "ref_words": None, "errors": None} | columns


U4 = ", utterance_id is 'u4'"
#: Why a row is left out, a log of which the last row is so, and how that row is shown.
BAD_ROWS = [
    ("missing_speaker_id", {"speaker_id": last("a", None)}, "speaker_id is missing" + U4),
    ("missing_speaker_id", {"speaker_id": last("a", "")}, "speaker_id is missing" + U4),
    ("missing_speaker_id", {"speaker_id": last(7.0, np.nan)}, "speaker_id is missing" + U4),
    ("missing_reference", texts(reference=last("a", None)), "utterance_id is 'u4'"),
    ("missing_counts", {"ref_words": last(10, None)}, "ref_words is missing" + U4),
    ("missing_counts", {"errors": last(1.0, np.nan)}, "errors is missing" + U4),
    ("missing_counts", {"errors": last("1", "")}, "errors is missing" + U4),
    ("missing_counts", kinds(None), "substitutions is missing" + U4),
    ("not_a_number", {"ref_words": last("10", "ten")}, "ref_words is 'ten'" + U4),
    ("not_a_number", {"ref_words": last("10", "1,000")}, "ref_words is '1,000'" + U4),
    ("not_a_number", {"errors": last("1", "12 %")}, "errors is '12 %'" + U4),
    ("not_a_number", {"errors": last("1", "0x1")}, "errors is '0x1'" + U4),
    ("not_a_number", {"errors": last("1", "NA")}, "errors is 'NA'" + U4),
    ("not_a_number", {"errors": last("1", "nan")}, "errors is 'nan'" + U4),
    ("not_a_number", {"errors": last("1", " ")}, "errors is ' '" + U4),
    ("not_a_number", {"errors": last("1", "٣")}, "errors is '٣'" + U4),
    ("not_a_number", {"errors": last("1", "1e400")}, "errors is '1e400'" + U4),
    ("not_a_number", {"errors": last(1.0, np.inf)}, "errors is 'inf'" + U4),
    ("not_a_number", {"ref_words": last(1, 2**53 + 2)}, "ref_words is '9007199254740994'" + U4),
    ("not_a_number", {"ref_words": last(10.0, 1e30)}, "ref_words is '1e+30'" + U4),
    ("not_a_number", {"ref_words": last("1", "one two three four five six")},
     "ref_words is 'one two three four f...'" + U4),
    ("not_a_number", {"latitude": last("34", "34N"), "longitude": [-118] * 5}, "latitude is '34N'" + U4),
    ("not_a_number", kinds(1, last("3", "x")), "errors is 'x'" + U4),
    ("negative_counts", {"errors": last(1, -4)}, "errors is '-4'" + U4),
    ("negative_counts", {"ref_words": last("10", "-1e1")}, "ref_words is '-1e1'" + U4),
    ("negative_counts", kinds(-1), "substitutions is '-1'" + U4),
    ("fractional_counts", {"errors": last(1.0, 0.25)}, "errors is '0.25'" + U4),
    ("fractional_counts", {"ref_words": last("10", "9.5")}, "ref_words is '9.5'" + U4),
    ("errors_not_sum_of_kinds", kinds(1, last(3, 2)),
     "errors is '2', substitutions is '1', deletions is '0', insertions is '2'" + U4),
    ("coordinates_swapped", places(-118.25, 34.05), "latitude is '-118.25', longitude is '34.05'" + U4),
    ("coordinates_swapped", places(90.25, 34.05), "latitude is '90.25', longitude is '34.05'" + U4),
    ("coordinates_swapped", places(-71.06, 42.36), "latitude is '-71.06', longitude is '42.36'" + U4),
    ("coordinates_out_of_range", places(90.25, 120.0), "latitude is '90.25', longitude is '120'" + U4),
    ("coordinates_out_of_range", places(34.05, -180.25), "latitude is '34.05', longitude is '-180.25'" + U4),
    ("one_coordinate_missing", places(34.05, None), "latitude is '34.05', longitude is missing" + U4),
    ("one_coordinate_missing", places(np.nan, 10.5), "latitude is missing, longitude is '10.5'" + U4),
    ("malformed_zip_code", {"zip_code": last("10001", "ABCDE")}, "zip_code is 'ABCDE'" + U4),
    ("malformed_zip_code", {"zip_code": last("10001", "NA")}, "zip_code is 'NA'" + U4),
    ("malformed_zip_code", {"zip_code": last("10001", "100012")}, "zip_code is '100012'" + U4),
    ("malformed_zip_code", {"zip_code": last("10001", "2138-1234")}, "zip_code is '2138-1234'" + U4),
    # No ZIP code is 00012 or 09999, so nothing says what was meant.
    ("malformed_zip_code", {"zip_code": last(10001, 12)}, "zip_code is '12'" + U4),
    ("malformed_zip_code", {"zip_code": last(10001, 9999)}, "zip_code is '9999'" + U4),
    ("duplicate_utterance_id", {"utterance_id": ["a", "b", "c", "same", "same"]}, "utterance_id is 'same'"),
    # Without utterance ids it is the speaker that is named; without both, nobody.
    ("negative_counts", {"errors": last(1, -4), "utterance_id": None}, "errors is '-4', speaker_id is 's4'"),
    ("missing_speaker_id", {"speaker_id": last("a", None), "utterance_id": None}, "speaker_id is missing"),
]  # fmt: skip
IDS = [f"{reason}: {shown}" for reason, _, shown in BAD_ROWS]


def test_every_reason_is_in_the_table():
    # A missing hypothesis is refused however few there are: tests/test_joining.py.
    assert {reason for reason, *_ in BAD_ROWS} == set(checks.REMEDIES) - {"missing_hypothesis"}


@pytest.mark.parametrize(("reason", "columns", "shown"), BAD_ROWS, ids=IDS)
def test_a_bad_row_is_told_with_its_value_its_place_and_what_to_do(reason, columns, shown):
    bad = 2 if reason == "duplicate_utterance_id" else 1
    with pytest.raises(LogError) as refused:
        read_log(five(**columns))
    error = refused.value
    assert error.what == f"{bad} of 5 rows cannot be used: {bad} {reason} ({shown})"
    assert error.where == "<table>"
    assert error.allowed == "at most 1.0% (--max-excluded)"
    assert error.fix == f"{reason}: {checks.REMEDIES[reason]}"


@pytest.mark.parametrize(("reason", "columns", "shown"), BAD_ROWS, ids=IDS)
def test_a_bad_row_is_left_out_and_counted_where_that_is_allowed(reason, columns, shown):
    table = five(**columns)
    bad = 2 if reason == "duplicate_utterance_id" else 1
    log = read_log(table, max_excluded=0.5)
    assert log.excluded == {reason: bad}
    assert log.inputs[0].rows == 5
    kept = read_log(table[: 5 - bad])
    assert kept.excluded == {}
    assert_same(aggregate(log, ()), aggregate(kept, ()))


def test_a_bad_row_in_a_file_is_told_with_the_file(tmp_path):
    five(errors=last(1, -4), zip_code=last("02138", "x")).to_csv(tmp_path / "b.csv", index=False)
    five(utterance_id=list("abcde"), errors=last("1", "no")).to_csv(tmp_path / "a.csv", index=False)
    with pytest.raises(LogError) as refused:
        read_log(tmp_path / "*.csv")
    assert refused.value.what == (
        "2 of 10 rows cannot be used: 1 not_a_number (errors is 'no', utterance_id is 'e'); "
        "1 negative_counts (errors is '-4', utterance_id is 'u4')"
    )
    assert refused.value.where == "a.csv, b.csv"


def test_a_row_with_several_faults_is_counted_once():
    table = five(speaker_id=last("a", None), errors=last(1, -1), zip_code=last("10001", "x"))
    assert read_log(table, max_excluded=0.5).excluded == {"missing_speaker_id": 1}


def test_of_several_bad_rows_the_same_is_shown_whatever_their_order():
    table = five(errors=[1, -3, -2, -5, 1])
    for given in (table, table[::-1], table.iloc[[2, 4, 1, 0, 3]]):
        with pytest.raises(LogError) as refused:
            read_log(given)
        assert "3 negative_counts (errors is '-3', utterance_id is 'u1')" in refused.value.what


def test_a_message_names_at_most_three_files(tmp_path):
    for number in range(5):
        five(utterance_id=None, errors=-1).to_csv(tmp_path / f"{number}.csv", index=False)
    with pytest.raises(LogError) as refused:
        read_log(tmp_path / "*.csv")
    assert refused.value.where == "0.csv, 1.csv, 2.csv and 2 more"


def test_the_limit_is_a_fraction_of_the_rows_and_some_must_be_left():
    table = pd.concat([five()] * 20, ignore_index=True).drop(columns="utterance_id")
    table.loc[0, "errors"] = -1
    assert read_log(table).excluded == {"negative_counts": 1}
    table.loc[1, "errors"] = -1
    with pytest.raises(LogError, match="2 of 100 rows"):
        read_log(table)
    assert read_log(table, max_excluded=0.02).excluded == {"negative_counts": 2}
    with pytest.raises(LogError, match="5 of 5 rows"):
        read_log(five(errors=[-1] * 5), max_excluded=0.99)


def test_an_empty_reference_is_no_reason_to_leave_an_utterance_out():
    counts = aggregate(read_log(five(ref_words=last(10, 0), errors=last(1, 3))), ())
    assert (counts.ref_words[-1], counts.errors[-1]) == (0, 3)


def test_errors_are_the_sum_of_the_kinds_also_where_they_are_not_given():
    for errors in (None, [3] * 5, last(3, None), last("3", "")):
        counts = aggregate(read_log(five(**kinds(1, errors))), ())
        assert counts.errors.tolist() == [3] * 5
        assert {kind: values.tolist() for kind, values in counts.kinds.items()} == {
            "substitutions": [1] * 5,
            "deletions": [0] * 5,
            "insertions": [2] * 5,
        }


@pytest.mark.parametrize(
    ("given", "kept", "warning"),
    [
        (["02138", "10001", "00501", "99950", None], None, None),
        ([2138, 10001, 501, 99950, 601], ["02138", "10001", "00501", "99950", "00601"],
         "3 ZIP codes had lost leading zeros, which were restored"),
        ([2138.0, 10001.0, 501.0, 99950.0, np.nan], ["02138", "10001", "00501", "99950", None],
         "2 ZIP codes had lost leading zeros, which were restored"),
        (["2138", "10001", "00501", "99950", ""], ["02138", "10001", "00501", "99950", None],
         "1 ZIP codes had lost leading zeros, which were restored"),
        (["02138-1234", "100010000", "00501", "99950", None], ["02138", "10001", "00501", "99950", None],
         "2 ZIP+4 codes were cut to five digits"),
        ([" 02138", "10001\t", "00501", "99950", None], ["02138", "10001", "00501", "99950", None],
         "2 ZIP codes had spaces around them, which were removed"),
        # An unknown code of five digits is a matter of the partition, which says so.
        (["00000", "99999", "12345", "54321", "11111"], None, None),
    ],
)  # fmt: skip
def test_zip_codes_are_repaired_where_only_one_can_be_meant(given, kept, warning):
    log = read_log(five(zip_code=given))
    assert aggregate(log, ["zip_code"]).labels("zip_code").texts().tolist() == (kept or given)
    assert log.warnings == ((warning,) if warning else ())
    assert log.excluded == {}


def test_nothing_but_empty_and_null_is_missing_and_likely_texts_are_pointed_at():
    given = ["NA", "null", "Namibia", "", None]
    log = read_log(five(accent=given, day=["Monday"] * 5))
    assert aggregate(log, ["accent"]).labels("accent").texts().tolist() == [
        "NA",
        "null",
        "Namibia",
        None,
        None,
    ]
    assert log.warnings == (
        "2 rows have a text in accent that may mean a missing value, such as 'NA'; "
        "if so: --missing accent=NA",
    )
    declared = read_log(five(accent=given), missing={"accent": ["NA", "null"]})
    assert aggregate(declared, ["accent"]).labels("accent").values == ("Namibia",)
    assert declared.warnings == ()


def test_speakers_without_a_name_are_pointed_at_and_left_out_when_declared():
    table = five(speaker_id=["a", "b", "unknown", "unknown", "unknown"])
    (warning,) = read_log(table).warnings
    assert warning == (
        "3 rows have a text in speaker_id that may mean a missing value, such as 'unknown'; "
        "if so: --missing speaker_id=unknown"
    )
    log = read_log(table, missing={"speaker_id": ["unknown"]}, max_excluded=0.9)
    assert log.excluded == {"missing_speaker_id": 3}


def test_missing_texts_may_be_declared_in_columns_of_numbers():
    for age in ([99.0, 20.0, 30.0, 40.0, 50.0], [99, 20, 30, 40, 50], ["99", "20", "30", "40", "50"]):
        log = read_log(five(age=age), missing={"age": ["99"]})
        assert aggregate(log, ["age"]).labels("age").texts().tolist() == [None, "20", "30", "40", "50"]
    place = {"latitude": last("34", "?"), "longitude": last("-118", "?")}
    log = read_log(five(**place), missing={"latitude": ["?"], "longitude": ["?"]})
    assert log.excluded == {}
    assert np.isnan(aggregate(log, ["latitude"]).numbers("latitude")).sum() == 1


def test_only_empty_transcripts_are_no_missing_values():
    log = read_log(five(**texts(hypothesis=["", "a", "a b", "x", "a b c"], reference=["a b"] * 4 + [""])))
    assert log.excluded == {}
    counts = aggregate(log, ())
    assert counts.errors.tolist() == [2, 1, 0, 2, 3]
    assert counts.ref_words.tolist() == [2, 2, 2, 2, 0]


def test_duplicates_are_looked_for_up_to_a_number_of_rows_and_else_listed(monkeypatch):
    table = five(utterance_id=["a", "a", None, None, "b"])
    assert read_log(table, max_excluded=0.5).excluded == {"duplicate_utterance_id": 2}
    monkeypatch.setattr(checks, "MOST_ROWS_FOR_DUPLICATES", 4)
    log = read_log(table)
    assert log.excluded == {}
    assert log.unchecked == ("duplicate utterance ids (5 rows; looked for up to 4)",)
    assert read_log(table, where={"speaker_id": ["s0", "s2", "s3", "s4"]}).unchecked == ()


def test_an_utterance_that_is_in_two_files_is_a_duplicate(tmp_path):
    for name in ("a.csv", "b.csv"):
        five().to_csv(tmp_path / name, index=False)
    with pytest.raises(LogError, match="10 of 10 rows cannot be used: 10 duplicate_utterance_id"):
        read_log(tmp_path / "*.csv")


def test_a_clean_log_is_read_where_it_is(tmp_path):
    table = frame().assign(age=30, good=True, when=pd.Timestamp("2024-01-01"), ref_words=9.0)
    pq.write_table(pa.Table.from_pandas(table, preserve_index=False), tmp_path / "log.parquet")
    log = read_log(tmp_path / "log.parquet")
    assert list(log.engine.folder.iterdir()) == []
    assert aggregate(log, ["age"]).labels("age").values == ("30",)
    table.loc[3, "zip_code"] = "2138"
    assert len(list(read_log(table).engine.folder.iterdir())) == 1


def test_columns_are_mapped_by_name_also_crosswise_and_over_an_existing_one():
    table = five(wrong=[2] * 5, spk=list("vwxyz"))
    log = read_log(table, columns={"errors": "wrong", "speaker_id": "spk"})
    counts = aggregate(log, ())
    assert counts.speakers.tolist() == list("vwxyz")
    assert counts.errors.tolist() == [2] * 5
    # What had the name before is in no column: it was not asked for, and is no label.
    assert log.labels == ()
    crossed = aggregate(read_log(table, columns={"errors": "ref_words", "ref_words": "errors"}), ())
    assert (crossed.ref_words.tolist(), crossed.errors.tolist()) == ([1] * 5, [10] * 5)
    right = five(**places(34.0, -118.0))
    swapped = right.rename(columns={"latitude": "longitude", "longitude": "latitude"})
    with pytest.raises(LogError, match="5 coordinates_swapped") as refused:
        read_log(swapped)
    assert "try --column latitude=longitude --column longitude=latitude" in refused.value.fix
    mapped = read_log(swapped, columns={"latitude": "longitude", "longitude": "latitude"})
    both = [("latitude", "longitude")]
    assert_same(counted(mapped, both), counted(read_log(right), both))


def test_rows_are_kept_that_have_any_value_of_a_column_in_all_columns(tmp_path):
    table = rows()
    where = {"accent": ["NA", "Irish, north"], "day": ["2024-01-01"]}
    kept = [r for r in table if r["accent"] in where["accent"] and r["day"] in where["day"]]
    assert 0 < len(kept) < len([r for r in table if r["day"] in where["day"]])
    for source in (frame(table), write(tmp_path, table, "csv"), write(tmp_path, table, "parquet")):
        assert_same(counted(read_log(source, where=where)), counted(read_log(frame(kept))))
    # By canonical name, by the number's digits, and before rows are checked.
    year = five(year=[2024.0, 2024.0, 2023.0, np.nan, 2023.0], spk=list("abcde"), errors=last(1, -1))
    log = read_log(year, where={"year": ["2024"], "speaker_id": ["b", "c"]}, columns={"speaker_id": "spk"})
    assert aggregate(log, ()).speakers.tolist() == ["b"]


#: Options, what each is told, and what would have been right.
BAD_OPTIONS = [
    ({"columns": {"speaker": "spk"}}, "'speaker' is not a canonical column", "did you mean 'speaker_id'?"),
    ({"columns": {"errors": "eror"}}, "the log has no column 'eror'", "did you mean 'errors'?"),
    ({"where": {"acent": ["x"]}}, "the log has no column 'acent'", "did you mean 'accent'?"),
    ({"where": {"accent": ["z"]}}, "no row has accent=z", "Known: x"),
    ({"where": {"accent": "x"}}, "where is {'accent': 'x'}", '{"column": ["value", ...]}'),
    ({"missing": {"acent": ["x"]}}, "the log has no column 'acent'", "did you mean 'accent'?"),
    ({"max_excluded": 1}, "max_excluded is 1", "a fraction from 0 to below 1"),
    ({"max_excluded": -0.1}, "max_excluded is -0.1", "a fraction from 0 to below 1"),
    ({"max_excluded": float("nan")}, "max_excluded is nan", "a fraction from 0 to below 1"),
    ({"normalizer": "whisper"}, "unknown normalizer 'whisper'", "did you mean 'whisper-en'?"),
    ({"normalizer": "basic", "columns": {"duration": "hypothesis"}},
     "text is to be scored, but the log has no hypothesis", "leave --normalizer and"),
    ({"assume_independent_utterances": True}, "the log has speaker_id", "leave the option out"),
]  # fmt: skip


@pytest.mark.parametrize(("options", "what", "right"), BAD_OPTIONS, ids=[str(o) for o, *_ in BAD_OPTIONS])
def test_a_bad_option_is_told_with_what_would_be_right(options, what, right):
    table = five(accent=["x"] * 5, reference=["a"] * 5, hypothesis=["a"] * 5)
    with pytest.raises(InputError) as refused:
        read_log(table, **options)
    assert what in refused.value.what
    assert refused.value.where
    assert right in str(refused.value)


#: Columns of a log that cannot be audited, what it is told, and the way out.
BAD_COLUMNS = [
    (["ref_words", "errors"], "the log has no speaker_id", "--assume-independent-utterances"),
    (["spk", "ref_words", "errors"], "the log has no speaker_id", "--column speaker_id=ACTUAL"),
    (["speaker_id"], "no counts and no text", "--column ref_words=ACTUAL"),
    (["speaker_id", "ref_words"], "no counts and no text", "substitutions, deletions and insertions"),
    (["speaker_id", "errors"], "no counts and no text", "ref_words with errors"),
    (["speaker_id", "ref_words", "substitutions", "deletions"], "no counts and no text", "insertions"),
    (["speaker_id", "reference"], "a reference and no other text", "this one with --references"),
    (["speaker_id", "hypothesis"], "a hypothesis and no other text", "references with --references FILE"),
]


@pytest.mark.parametrize(
    ("columns", "what", "right"), BAD_COLUMNS, ids=[", ".join(c) for c, *_ in BAD_COLUMNS]
)
def test_a_log_without_speakers_or_counts_is_told_which_columns_it_needs(columns, what, right):
    with pytest.raises(LogError) as refused:
        read_log(pd.DataFrame({name: ["1"] for name in columns}))
    assert what in refused.value.what
    assert right in str(refused.value)
    for name in columns:
        assert name in str(refused.value)


def test_the_metric_carries_its_name_and_what_it_divides():
    assert read_log(five()).metric == Metric(name="WER", numerator="errors", denominator="ref_words")
    log = read_log(five(ms=[1] * 5), metric="RTF", columns={"errors": "ms", "ref_words": "ref_words"})
    assert log.metric == Metric(name="RTF", numerator="ms", denominator="ref_words")


def independent(source, **options):
    return read_log(source, assume_independent_utterances=True, **options)


def test_without_speakers_each_utterance_is_one_whatever_the_order_of_the_rows():
    table = frame().drop(columns=["speaker_id", "utterance_id"])
    table = pd.concat([table, table[:7]], ignore_index=True)
    log = independent(table)
    assert log.independent_utterances
    counts = aggregate(log, ["day"])
    assert len(counts.speakers) == len(table) == 67
    assert counts.utterances.tolist() == [1] * 67
    for given in (table[::-1], table.sample(frac=1, random_state=2)[table.columns[::-1]]):
        again = aggregate(independent(given), ["day"])
        assert_same(again, counts)
        assert (halves(again.speakers, 1, 3) == halves(counts.speakers, 1, 3)).all()
    # What the utterance holds makes the difference, so that halves are not those of the row numbers.
    changed = aggregate(independent(table.assign(errors=99)), ["day"])
    assert not set(changed.speakers) & set(counts.speakers)


def test_without_speakers_text_is_scored_and_faults_are_counted():
    table = five(**texts(reference=last("a b", None)), speaker_id=None)
    log = independent(table, max_excluded=0.5, normalizer="basic")
    assert log.excluded == {"missing_reference": 1}
    assert aggregate(log, ()).errors.tolist() == [1] * 4
    assert log.labels == ()


def test_an_outcome_of_another_recogniser_is_no_label_unless_it_is_asked_for():
    table = frame(rows()).assign(errors_other=[str(i % 7) for i in range(len(rows()))])
    result = audit(read_log(table), permutations=0)
    assert result.skipped["errors_other"] == "it holds numbers; ask for it with --by errors_other"
    asked = audit(read_log(table), by=["errors_other"], permutations=0)
    assert [p.name for p in asked.partitions] == ["errors_other"]


def test_zip_codes_that_a_data_frame_made_decimals_are_text_again():
    table = pd.DataFrame(
        {"speaker_id": list("abc"), "ref_words": 9, "errors": 1, "zip_code": ["98034.0", "2138.0", None]}
    )
    log = read_log(table)
    assert aggregate(log, ["zip_code"]).labels("zip_code").values == ("02138", "98034")
    assert any("decimal numbers" in warning for warning in log.warnings)
    assert log.excluded == {}


def test_what_was_read_is_on_record():
    table = frame(rows())
    log = read_log(table, where={"accent": ["NA"]}, missing={"day": ["?"]}, columns={})
    summary = audit(log, by=["day"], permutations=0)
    assert summary.log.rows == len(table) > summary.log.utterances
    assert summary.log.where == {"accent": ("NA",)}
    assert summary.options["missing"] == {"day": ["?"]}


def test_a_log_with_other_delimiters_is_told_apart_from_one_without_columns(tmp_path):
    (tmp_path / "l.csv").write_text("speaker_id;ref_words;errors\na;1;0\n")
    with pytest.raises(LogError, match="fields seem to be divided by ';'"):
        read_log(tmp_path / "l.csv")
