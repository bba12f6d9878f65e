"""A file that is written whole or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from fairaudit.exceptions import OptionError


@contextmanager
def whole_file(file: Path, option: str = "-o") -> Iterator[Path]:
    """Let a file be written beside, and put it in its place once it is complete.

    What was there before stays until then, and after an interruption.

    Parameters
    ----------
    file : Path
    option : str
        By which the user named it.

    Yields
    ------
    Path
        Where to write; there, and empty.

    Raises
    ------
    OptionError
        If it cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "truth.json"
    >>> with whole_file(file) as beside:
    ...     size = beside.write_bytes(b"{}")
    >>> size, [there.name for there in file.parent.iterdir()]
    (2, ['truth.json'])
    """
    beside = file.with_name(f".{file.name}.partial")
    try:
        # Here, where the reason of the system is a plain one.
        beside.open("wb").close()
        yield beside
        beside.replace(file)
    except OSError as error:
        raise OptionError(f"cannot write: {error.strerror or error}", where=f"{option} {file}") from None
    finally:
        with suppress(OSError):
            beside.unlink()
