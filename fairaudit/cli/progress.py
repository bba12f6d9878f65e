"""Stages as standard error shows them: redrawn on a terminal, a line each elsewhere, or not at all."""

from __future__ import annotations

import os
import sys
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from threading import Event, RLock, Thread
from typing import TYPE_CHECKING, TextIO

import click

from fairaudit.cli.messages import PRINTER, QUIET, VERBOSE, echo, says
from fairaudit.cli.stages import Stages, cropped

if TYPE_CHECKING:
    from fairaudit.auditing import Progress

#: Looked at so often in a second, however often work reports; redrawn where something changed.
REDRAWS = 5
#: What a terminal understands that is not dumb: back to the beginning of the line, and erase it.
ERASE = "\r\x1b[2K"


@contextmanager
def stages() -> Iterator[Stages]:
    """Show the stages of a command on standard error: on a terminal, and elsewhere where it is verbose.

    A terminal shows how far the stage that runs has come. One that cannot move its cursor (TERM=dumb) gets
    the lines of stages that are over alone, as a file does.
    """
    level = says()
    terminal = sys.stderr.isatty() and level != QUIET
    if terminal and os.environ.get("TERM", "dumb") not in ("dumb", "unknown"):
        with LastLine(sys.stderr).shown() as shown:
            yield shown
        return
    shown = Stages(echo if terminal or level == VERBOSE else _nowhere)
    yield shown
    shown.close()


def _nowhere(text: str) -> None:
    """Print nothing."""


class LastLine:
    """The last line of a terminal, which is redrawn while a stage runs; other lines come above it.

    A thread of its own redraws it. That thread imports nothing and waits for nothing but its own lock, so
    that an interrupt, wherever it strikes, cannot leave it and the work waiting for each other. The cursor
    is never hidden, so that nothing need be put right after a process that was killed.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._lock = RLock()
        self._over = Event()
        self._drawn = ""
        self._stages = Stages(lambda text: self.print_line(cropped(text, _width(stream))))

    @contextmanager
    def shown(self) -> Iterator[Stages]:
        """Redraw the line until the work is over, and erase it then."""
        thread = Thread(target=self._redraw, daemon=True)
        context = click.get_current_context()
        context.meta[PRINTER] = self.print_line
        try:
            thread.start()
            yield self._stages
            self._stages.close()
            if sys.stdout.isatty():
                # What is printed next is no part of this.
                self.print_line("")
        finally:
            self._over.set()
            self._stages.running = None
            self._draw()
            del context.meta[PRINTER]

    def print_line(self, text: str) -> None:
        """Print a line that stays."""
        with self._lock:
            self._write(f"{ERASE if self._drawn else ''}{text}\n")
            self._drawn = ""
            self._draw()

    def _redraw(self) -> None:
        while not self._over.wait(1 / REDRAWS):
            self._draw()

    def _draw(self) -> None:
        with self._lock:
            width = _width(self._stream)
            line = self._stages.line(width)
            if line != self._drawn:
                self._write(f"{ERASE}{line}")
                self._drawn = line

    def _write(self, text: str) -> None:
        # The work goes on where nobody looks any more.
        with suppress(OSError, ValueError):
            self._stream.write(text)
            self._stream.flush()


def _width(stream: TextIO) -> int:
    with suppress(OSError, ValueError):
        return os.get_terminal_size(stream.fileno()).columns or 80
    return 80


def of_audit(shown: Stages, searched: Collection[str], *, saved: bool) -> Progress:
    """Word what an audit reports of itself.

    Parameters
    ----------
    shown : Stages
    searched : collection of str
        Names of discoverers; all else is declared, and nothing is searched for it.
    saved : bool
        Whether saved partitions are measured.
    """
    partition = ""

    def tell(name: str, done: int, total: int) -> None:
        nonlocal partition
        if name == "count":
            if not done:
                shown.begin("counting words and errors by speaker")
        elif not done:
            partition = name
            work = "" if saved or name not in searched else "search, "
            shown.begin(f"by {name}: {work}{total:,} permutations" if total else f"by {name}", total)
        elif name == partition:
            shown.advance(done)
            if done >= total:
                shown.begin(f"by {name}: measuring cohorts")
        else:
            _injected(shown, f"by {partition}: injecting gaps", done, total)

    return tell


def _injected(shown: Stages, name: str, done: int, total: int) -> None:
    if shown.running is None or shown.running.name != name:
        shown.begin(name, total)
    shown.advance(done)
