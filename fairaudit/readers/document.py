"""A file or folder while it is read: its lines with their numbers, its beginning, and how it is refused."""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, cast

from fairaudit.exceptions import LogError
from fairaudit.log import file_sha256

#: What some programs write before UTF-8 text.
MARK = b"\xef\xbb\xbf"
#: Bytes from which a format is recognised.
HEAD = 2**16
#: How a file in a folder may be compressed.
ENDINGS = ("", ".gz", ".zst")
_PACKED = re.compile(r"\.(gz|zst)$", re.IGNORECASE)


@dataclass(frozen=True)
class Document:
    """A file, or a folder of files, of a foreign format.

    Parameters
    ----------
    path : Path
        Where it is on disk, without compression.
    name : str
        How it is called in messages.
    origin : Path, optional
        The file as the user gave it, where `path` is an unpacked copy.
    """

    path: Path
    name: str
    origin: Path | None = None
    _read: dict[str, Path] = field(default_factory=dict, repr=False, compare=False)

    @property
    def plain_name(self) -> str:
        """The name without .gz or .zst."""
        return _PACKED.sub("", self.name)

    @property
    def ending(self) -> str:
        """The last ending of that in small letters, such as `.json`."""
        return Path(self.plain_name).suffix.lower()

    @property
    def stem(self) -> str:
        """The name without its last ending (and without .gz or .zst)."""
        return Path(self.plain_name).stem

    @property
    def is_folder(self) -> bool:
        """Whether it is a folder."""
        return self.path.is_dir()

    def has(self, *names: str) -> bool:
        """Tell whether a folder holds all of these files, compressed or not."""
        return self.is_folder and all(self._path_of(name) is not None for name in names)

    def child(self, name: str) -> Document:
        """Return a file of the folder; what is read of it counts as read of the folder."""
        path = self._path_of(name) or self.path / name
        return Document(path, f"{self.name}/{path.relative_to(self.path).as_posix()}", None, self._read)

    def children(self, pattern: str) -> list[Document]:
        """Return the files of the folder that match a pattern, compressed or not, sorted by name."""
        paths = (path for ending in ENDINGS for path in self.path.glob(pattern + ending) if path.is_file())
        found = sorted({path.relative_to(self.path).as_posix() for path in paths})
        return [self.child(name) for name in found]

    def head(self) -> str:
        """Return the beginning of the file as text, an empty one of a folder or of bytes that are no text.

        The last line is cut off where the file goes on.
        """
        if self.is_folder:
            return ""
        try:
            with self._opened() as stream:
                start = stream.read(HEAD).removeprefix(MARK)
        except (OSError, EOFError):
            return ""
        # A character may be cut in two at the end.
        for surplus in range(4):
            try:
                return start[: len(start) - surplus].decode()
            except UnicodeDecodeError:
                continue
        return ""

    def content(self) -> bytes:
        """Return all of the file, without a byte order mark.

        Raises
        ------
        LogError
            If it cannot be read.
        """
        self.note()
        try:
            with self._opened() as stream:
                return stream.read().removeprefix(MARK)
        except (OSError, EOFError) as error:
            raise self._unreadable(error) from None

    def lines(self) -> Iterator[tuple[int, str]]:
        """Give each line that is not blank with its number, without its end.

        Raises
        ------
        LogError
            If a line is not UTF-8 text, or the file cannot be read.
        """
        self.note()
        try:
            with self._opened() as stream:
                for number, line in enumerate(stream, 1):
                    try:
                        text = line.removeprefix(MARK if number == 1 else b"").decode()
                    except UnicodeDecodeError:
                        raise self.error("not UTF-8 text", number, fix="save it as UTF-8") from None
                    if text.strip():
                        yield number, text.rstrip("\r\n")
        except (OSError, EOFError) as error:
            raise self._unreadable(error) from None

    def note(self) -> None:
        """Say that the file is read, where neither `lines` nor `content` does it: its digest is on record."""
        self._read[self.name] = self.path

    def error(
        self, what: str, line: int | None = None, *, allowed: str | None = None, fix: str | None = None
    ) -> LogError:
        """Return the refusal of this file, to be raised.

        Parameters
        ----------
        what : str
            What is wrong, with the value in it, but never a transcript.
        line : int, optional
            Counted from 1.
        allowed, fix : str, optional
        """
        where = self.name if line is None else f"{self.name}, line {line}"
        return LogError(what, where=where, allowed=allowed, fix=fix)

    def sha256(self) -> str:
        """Return the digest of the file; of a folder, that of the names and digests of all that was read."""
        if not self.is_folder:
            return file_sha256(self.origin or self.path)
        digest = hashlib.sha256()
        for name, path in sorted(self._read.items()):
            digest.update(f"{name.removeprefix(self.name)}\0{file_sha256(path)}\n".encode())
        return digest.hexdigest()

    def _path_of(self, name: str) -> Path | None:
        """Return where a file of the folder is, as it is or compressed; None where it is not."""
        return next((p for end in ENDINGS if (p := self.path / (name + end)).is_file()), None)

    def _opened(self) -> IO[bytes]:
        """Open the file, unpacked if it is a packed one of a folder."""
        if self.path.suffix == ".gz":
            import gzip

            return cast("IO[bytes]", gzip.open(self.path))
        if self.path.suffix == ".zst":
            import pyarrow as pa

            with pa.input_stream(str(self.path), compression="zstd") as stream:
                return io.BytesIO(stream.read())
        return self.path.open("rb")

    def _unreadable(self, error: Exception) -> LogError:
        told = getattr(error, "strerror", None) or str(error)
        fix = "check that the file is complete and may be read"
        return self.error(f"cannot read {self.name}: {told}", fix=fix)
