"""Kaldi's ark and scp, and what writes like it: ESPnet, and WeSpeaker's xvector.scp and spk_xvector.scp.

kaldiio decodes the numbers. It would also unpickle and run pipes where an entry says so, hence it is handed
nothing but the bytes of an entry whose header was looked at here.
"""

from __future__ import annotations

import io
import os
import re
import shlex
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from fairaudit.embeddings.checks import Found, stack
from fairaudit.exceptions import LogError

#: Binary kinds: layout of the header, which ends with the length or with rows and columns; bytes a number.
HEADERS = {
    b"FV": ("<xi", 4),
    b"DV": ("<xi", 8),
    b"FM": ("<xixi", 4),
    b"DM": ("<xixi", 8),
    b"CM": ("<ffii", 9),
    b"CM2": ("<ffii", 2),
    b"CM3": ("<ffii", 1),
}
ALLOWED = "a vector, or a matrix of one row, of floating point numbers, in binary or text"


@dataclass(frozen=True)
class Line:
    """One line of an scp: the id, and which file holds its vector from which byte on."""

    number: int
    name: str
    written: Path
    path: Path
    offset: int


def read_ark(path: Path) -> Found:
    """Read an archive, binary or text, from its first entry to its last.

    Raises
    ------
    LogError
        Names the first entry that is no vector, or is cut short.
    """
    ids: list[str] = []
    vectors: list[NDArray[Any]] = []
    places: list[str] = []
    with path.open("rb") as stream:
        while True:
            places.append(f"entry {len(ids) + 1}")
            token: str | None = ""
            try:
                if (token := _token(stream)) is None:
                    break
                vectors.append(_entry(stream))
            except ValueError as error:
                raise _refused(str(error), token or "", f"{path.name}, {places[-1]}") from None
            ids.append(token)
    return Found(ids, stack(ids, vectors, path.name), places.__getitem__)


def read_scp(path: Path, moved: Mapping[str, str]) -> Found:
    """Read the vectors that the lines of an scp point at; each archive is opened once.

    Raises
    ------
    LogError
        Names the line whose archive is not there, or whose entry is no vector.
    """
    lines = read_lines(path, moved)
    vectors: list[Any] = [None] * len(lines)
    by_file: dict[Path, list[int]] = {}
    for position, line in enumerate(lines):
        by_file.setdefault(line.path, []).append(position)
    for ark, positions in by_file.items():
        with ark.open("rb") as stream:
            for position in positions:
                line = lines[position]
                stream.seek(line.offset)
                try:
                    vectors[position] = _entry(stream)
                except ValueError as error:
                    where = f"{path.name}, line {line.number} ({ark.name}, byte {line.offset})"
                    raise _refused(str(error), line.name, where) from None
    ids = [line.name for line in lines]
    return Found(ids, stack(ids, vectors, path.name), lambda position: f"line {lines[position].number}")


def read_lines(path: Path, moved: Mapping[str, str]) -> list[Line]:
    """Read the lines of an scp, and see that the files that they name are there.

    Parameters
    ----------
    path : Path
    moved : mapping of str to str
        Old to new beginning of the paths, in whole parts; the longest that fits counts. `.` is that of
        every relative path.

    Raises
    ------
    LogError
        Names the first line that is a pipe, that is malformed, or whose file is not there.
    """
    lines: list[Line] = []
    there: set[Path] = set()
    with path.open(encoding="utf-8") as stream:
        for number, text in enumerate(stream, 1):
            line = _line(text.strip(), f"{path.name}, line {number}", number, moved)
            if line.path not in there and not line.path.is_file():
                raise _missing(line, path)
            there.add(line.path)
            lines.append(line)
    for old in moved:
        if not any(line.written.is_relative_to(old) for line in lines):
            raise LogError(
                f"no path in {path.name} begins with {old}",
                where="--embeddings-path",
                allowed="OLD=NEW, where paths of the scp begin with OLD"
                + (f", as {lines[0].written} in line 1" if lines else ""),
                fix="leave the option out, or correct OLD",
            )
    return lines


def _line(text: str, where: str, number: int, moved: Mapping[str, str]) -> Line:
    name, _, target = text.partition(" ") if " " in text else text.partition("\t")
    target = target.strip()
    if not target:
        raise LogError(
            f"'{text}' is no line of an scp",
            where=where,
            allowed="an id, white space, and FILE:BYTE",
            fix="write the scp again, or take the line out",
        )
    for refused, what in (
        (target.startswith("|") or target.endswith("|"), "a pipe"),
        (target == "-", "standard input"),
        (target.endswith("]"), "a range of a matrix"),
    ):
        if refused:
            raise LogError(
                f"the entry of '{name}' is {what}: {target}",
                where=where,
                allowed="FILE:BYTE; nothing in a file is executed",
                fix="write the vectors to an archive: copy-vector scp:OLD.scp ark,scp:NEW.ark,NEW.scp",
            )
    file, byte = re.fullmatch(r"(.*?)(?::(\d{1,18}))?", target).groups()  # type: ignore[union-attr]
    written = Path(file)
    return Line(number, name, written, _moved(written, moved), int(byte or 0))


def _moved(path: Path, moved: Mapping[str, str]) -> Path:
    old = max(
        (old for old in moved if path.is_relative_to(old)), key=lambda o: len(Path(o).parts), default=None
    )
    return path if old is None else Path(moved[old]) / path.relative_to(old)


def _missing(line: Line, scp: Path) -> LogError:
    """Say which option names the place where the archive is now."""
    written = "" if line.path == line.written else f" ({line.written} in the scp)"
    beside = (scp.parent / line.path.name).is_file()
    new = shlex.quote(str(scp.parent)) if beside else "NEW"
    old = shlex.quote(str(line.written.parent))
    return LogError(
        f"no such file: {line.path}{written}",
        where=f"{scp.name}, line {line.number}",
        allowed="a file that is there; relative paths begin at the working directory, as in Kaldi",
        fix=f"--embeddings-path {old}={new}"
        + ("" if beside else f", where NEW is the folder in which {line.path.name} is now"),
    )


def _refused(why: str, name: str, where: str) -> LogError:
    of = f" of '{name}'" if name else ""
    return LogError(
        f"cannot read the embedding{of}: {why}",
        where=where,
        allowed=ALLOWED,
        fix="write the vectors again, with copy-vector or kaldiio.WriteHelper",
    )


def _token(stream: BinaryIO) -> str | None:
    """Read an id, up to the next space; None at the end of the file."""
    token = bytearray()
    while byte := stream.read(1):
        if byte == b" ":
            return token.decode("utf-8").strip()
        token += byte
    if token.strip():
        raise ValueError("the file ends within an id")
    return None


def _entry(stream: BinaryIO) -> NDArray[Any]:
    """Read one vector where the stream stands, of shape (n_dimensions,); ValueError where there is none."""
    start = stream.tell()
    if stream.read(2) == b"\0B":
        return _binary(stream, start)
    stream.seek(start)
    # Of what is no vector, only the beginning is read.
    if not re.match(rb" *\[", begin := stream.read(16)):
        raise ValueError(f"it begins with {begin[:8]!r}" if begin else "the file ends before it")
    stream.seek(start)
    return _text(stream)


def _binary(stream: BinaryIO, start: int) -> NDArray[Any]:
    from kaldiio.matio import read_kaldi

    kind, _, rest = stream.read(20).partition(b" ")
    if kind not in HEADERS:
        raise ValueError(f"it is of the kind {kind[:8]!r}")
    layout, width = HEADERS[kind]
    try:
        header = struct.unpack_from(layout, rest)
    except struct.error:
        raise ValueError("the file ends within its header") from None
    rows, columns = (1, header[0]) if kind.endswith(b"V") else header[-2:]
    if rows != 1 or columns < 1:
        raise ValueError(f"it is a matrix of {rows} x {columns}")
    size = 2 + len(kind) + 1 + struct.calcsize(layout) + columns * width
    # Looked at before as much is asked for.
    if start + size > os.fstat(stream.fileno()).st_size:
        raise ValueError(f"it declares {columns:,} numbers, and the file ends within them")
    stream.seek(start)
    content = stream.read(size)
    # A damaged range of a compressed row is no number; that is refused where all vectors are checked.
    with np.errstate(all="ignore"):
        try:
            array: NDArray[Any] = read_kaldi(io.BytesIO(content))
        except AssertionError:
            raise ValueError("its header is damaged") from None
    return array.reshape(-1)


def _text(stream: BinaryIO) -> NDArray[Any]:
    """Read `[ 0.1 0.2 ]`.

    Not by kaldiio: it takes a vector whose first number is written without a point for integers.
    """
    parts = []
    while line := stream.readline():
        parts.append(line)
        if b"]" in line:
            break
    inside, closed, after = b"".join(parts).partition(b"[")[2].partition(b"]")
    if not closed:
        raise ValueError("there is no ] to its [")
    if after.strip():
        raise ValueError(f"{after[:8]!r} stands behind its ]")
    if len(rows := [row for row in inside.split(b"\n") if row.strip()]) != 1:
        raise ValueError(f"it is a matrix of {len(rows)} rows")
    with np.errstate(over="ignore"):
        # As Kaldi and kaldiio read it.
        return np.array([float(number) for number in rows[0].split()], dtype=np.float32)
