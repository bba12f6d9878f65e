"""The files of a result: written together, and read back only if they still belong together."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

import msgspec

from fairaudit.areas import on_map
from fairaudit.changes import ComparisonResult
from fairaudit.exceptions import OptionError, ResultError
from fairaudit.report import render
from fairaudit.result import AuditResult
from fairaudit.saved import partitions_json
from fairaudit.trend import Trend

#: Written last, with the digests of the others: where it is, they are whole.
RESULT = "audit.json"
#: Only where there is something on a map.
MAP = "cohorts.geojson"
COMPARISON = "compare.json"


def write_audit(result: AuditResult, folder: str | Path) -> AuditResult:
    """Write `report.html`, `report.md`, `cohorts.csv`, `partitions.json` and last `audit.json`.

    Where a cohort lies on a map (regions, ZIP cohorts), `cohorts.geojson` is written as well.

    Parameters
    ----------
    result : AuditResult
    folder : str or Path
        Made if it is not there; the files of an earlier audit are replaced, and its map is removed where
        there is none now.

    Returns
    -------
    AuditResult
        As it was written, with the digests of the other files.

    Raises
    ------
    OptionError
        If the folder cannot be written.
    """
    folder = Path(folder)
    texts = {
        "report.html": render(result, "html"),
        "report.md": render(result, "md"),
        "cohorts.csv": render(result, "csv"),
        "partitions.json": partitions_json(result),
    }
    if on_map(result):
        texts[MAP] = render(result, "geojson")
    written = msgspec.structs.replace(result, files=_digests(texts))
    _write(folder, texts, RESULT, written.to_json(), "the audit", leaving=MAP)
    return written


def write_comparison(result: ComparisonResult, folder: str | Path) -> ComparisonResult:
    """Write `report.html`, `report.md`, `changes.csv` and last `compare.json`.

    Parameters
    ----------
    result : ComparisonResult
    folder : str or Path
        Made if it is not there; the files of an earlier comparison are replaced.

    Returns
    -------
    ComparisonResult
        As it was written, with the digests of the other files.

    Raises
    ------
    OptionError
        If the folder cannot be written, or holds an audit, whose report would be replaced.
    """
    folder = Path(folder)
    if (folder / RESULT).exists():
        raise OptionError(
            f"the folder holds an audit ({RESULT}), whose report would be replaced",
            where=f"-o {folder}",
            fix="name another folder",
        )
    texts = {
        "report.html": render(result, "html"),
        "report.md": render(result, "md"),
        "changes.csv": render(result, "csv"),
    }
    written = msgspec.structs.replace(result, files=_digests(texts))
    _write(folder, texts, COMPARISON, written.to_json(), "the comparison")
    return written


def write_trend(trend: Trend, folder: str | Path) -> None:
    """Write each comparison into a folder of its own, and `trend.html`, `trend.md` and `trend.csv`.

    Parameters
    ----------
    trend : Trend
    folder : str or Path
        Gets the folders `2-against-1`, `3-against-1`, `3-against-2` and so on.

    Raises
    ------
    OptionError
        If a folder cannot be written.
    """
    folder = Path(folder)
    for number, pair in enumerate(zip(trend.since_first, trend.since_previous, strict=True), start=2):
        for against, result in dict(zip((1, number - 1), pair, strict=True)).items():
            write_comparison(result, folder / f"{number}-against-{against}")
    texts = {f"trend.{form}": render(trend, form) for form in ("html", "md")}
    _write(folder, texts, "trend.csv", render(trend, "csv"), "the trend")


def _digests(texts: Mapping[str, str]) -> dict[str, str]:
    return {name: hashlib.sha256(text.encode()).hexdigest() for name, text in texts.items()}


def _write(
    folder: Path, texts: Mapping[str, str], last: str, result: str, what: str, leaving: str | None = None
) -> None:
    """Write files, the result last: an interrupted run must not leave an old one beside new files.

    Nor must a file that an earlier run made, named `leaving`, stay where there is none now.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for old in filter(None, (last, leaving)):
            (folder / old).unlink(missing_ok=True)
        for name, text in {**texts, last: result}.items():
            (folder / name).write_bytes(text.encode())
    except OSError as error:
        raise OptionError(f"cannot write {what}: {error.strerror}", where=f"-o {folder}") from None


def read_audit(path: str | Path) -> AuditResult:
    """Read `audit.json`, and refuse it where a file beside it is of another audit.

    Parameters
    ----------
    path : str or Path
        The file, or the folder that holds it.

    Raises
    ------
    ResultError
        If it cannot be read, or one of its files was changed.
    """
    path = Path(path)
    path = path / RESULT if path.is_dir() else path
    result = AuditResult.from_json(_content(path), str(path))
    _check_files(result, path)
    return result


def read_comparison(path: str | Path) -> ComparisonResult:
    """Read `compare.json`, and refuse it where a file beside it is of another comparison.

    Parameters
    ----------
    path : str or Path
        The file, or the folder that holds it.

    Raises
    ------
    ResultError
        If it cannot be read, is no comparison, or one of its files was changed.
    """
    path = Path(path)
    path = path / COMPARISON if path.is_dir() else path
    result = read_result(path)
    if not isinstance(result, ComparisonResult):
        raise ResultError("this is an audit, not a comparison", where=str(path), allowed=COMPARISON)
    return result


def read_result(path: str | Path) -> AuditResult | ComparisonResult:
    """Read `audit.json` or `compare.json`, and refuse it where a file beside it is of another result.

    Parameters
    ----------
    path : str or Path
        The file, or the folder that holds one of the two.

    Raises
    ------
    ResultError
        If it cannot be read, the folder holds both or a trend, or a file beside it was changed.
    """
    path = Path(path)
    if path.is_dir():
        there = [name for name in (RESULT, COMPARISON) if (path / name).is_file()]
        if len(there) > 1:
            raise ResultError("the folder holds two results", where=str(path), allowed=" or ".join(there))
        within = sorted(file.parent.name for file in path.glob(f"*/{COMPARISON}"))
        if within and not there:
            raise ResultError(
                "the folder holds a trend, which is several comparisons",
                where=str(path),
                allowed=", ".join(within),
                fix=f"name one of them: {path / within[-1]}",
            )
        path = path / (there or [RESULT])[0]
    content = _content(path)
    try:
        kind = msgspec.json.decode(content, type=_Kind).kind
    except (msgspec.DecodeError, RecursionError):
        # That it is no result at all is said below.
        kind = ""
    result: AuditResult | ComparisonResult
    if kind == "comparison":
        result = ComparisonResult.from_json(content, str(path))
    else:
        result = AuditResult.from_json(content, str(path))
    _check_files(result, path)
    return result


class _Kind(msgspec.Struct):
    """What a result says of itself; an audit says nothing."""

    kind: str = "audit"


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ResultError(
            f"cannot read the result: {error.strerror}",
            where=str(path),
            fix="make one with fairaudit audit or fairaudit compare, and -o DIR",
        ) from None


def _check_files(result: AuditResult | ComparisonResult, path: Path) -> None:
    for name, digest in result.files.items():
        file = path.parent / Path(name).name
        if file.is_file() and hashlib.sha256(file.read_bytes()).hexdigest() != digest:
            made, again = ("audit", "audit") if isinstance(result, AuditResult) else ("comparison", "compare")
            raise ResultError(
                f"{name} was not written by this {made}, or was changed since",
                where=str(file),
                fix=f"{again} again, or move the result to a folder of its own",
            )
