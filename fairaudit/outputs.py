"""The files of an audit: written together, and read back only if they still belong together."""

from __future__ import annotations

import hashlib
from pathlib import Path

import msgspec

from fairaudit.exceptions import OptionError, ResultError
from fairaudit.report import render
from fairaudit.result import AuditResult
from fairaudit.saved import partitions_json

#: Written last, with the digests of the others: where it is, they are whole.
RESULT = "audit.json"


def write_audit(result: AuditResult, folder: str | Path) -> AuditResult:
    """Write `report.html`, `report.md`, `cohorts.csv`, `partitions.json` and last `audit.json`.

    Parameters
    ----------
    result : AuditResult
    folder : str or Path
        Made if it is not there; the files of an earlier audit are replaced.

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
    digests = {name: hashlib.sha256(text.encode()).hexdigest() for name, text in texts.items()}
    written = msgspec.structs.replace(result, files=digests)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # An interrupted run must not leave an old result beside new files.
        (folder / RESULT).unlink(missing_ok=True)
        for name, text in {**texts, RESULT: written.to_json()}.items():
            (folder / name).write_bytes(text.encode())
    except OSError as error:
        raise OptionError(f"cannot write the audit: {error.strerror}", where=f"-o {folder}") from None
    return written


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
    try:
        text = path.read_bytes()
    except OSError as error:
        raise ResultError(
            f"cannot read the result: {error.strerror}",
            where=str(path),
            fix="make one with fairaudit audit LOG -o DIR",
        ) from None
    result = AuditResult.from_json(text, str(path))
    for name, digest in result.files.items():
        file = path.parent / Path(name).name
        if file.is_file() and hashlib.sha256(file.read_bytes()).hexdigest() != digest:
            raise ResultError(
                f"{name} was not written by this audit, or was changed since",
                where=str(file),
                fix="audit again, or move the result to a folder of its own",
            )
    return result
