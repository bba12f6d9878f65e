"""The stages of a command: what it is doing, how long each took and how long is left, in words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Event
from time import monotonic

#: Cells of the bar.
BAR = 12
#: Set when Ctrl-C is pressed, since the exception alone can get lost: Python drops it inside some callbacks.
PRESSED = Event()
#: Before so many seconds since the first report of a stage there is nothing to judge the rest by.
FEWEST_SECONDS = 0.5


@dataclass
class Stage:
    """One stage of work.

    Parameters
    ----------
    name : str
        What is done, in plain words.
    total : int
        How much there is to do; 0 where nobody knows.
    began : float
        Seconds of a clock that only goes forward.
    done : int
    first : tuple of int and float, optional
        How much was done at the first report, and when that was.
    ends : float, optional
        When the stage will be over, by the last report.
    """

    name: str
    total: int
    began: float
    done: int = 0
    first: tuple[int, float] | None = None
    ends: float | None = None

    def advance(self, done: int, now: float) -> None:
        """Take note of how much is done, and judge by the pace so far when the stage will end.

        The pace is that since the first report: what was done before it, such as fitting clusters, is done
        once. Between two reports nothing new is known, so that the time left can only run down.

        Examples
        --------
        >>> stage = Stage("by geo: permutations", 200, 0.0)
        >>> stage.advance(50, 30.0)
        >>> stage.advance(100, 40.0)
        >>> stage.ends
        60.0
        """
        self.done = done
        if self.first is None:
            self.first = done, now
        before, since = self.first
        if self.total and done > before and now - since >= FEWEST_SECONDS:
            self.ends = now + (now - since) * max(0, self.total - done) / (done - before)

    def line(self, now: float, width: int) -> str:
        """Word the stage while it runs, in one line.

        Examples
        --------
        >>> stage = Stage("by geo: permutations", 200, 0.0)
        >>> stage.advance(50, 10.0)
        >>> stage.line(10.0, 44)
        '   0:10  by geo: permutations  25 %'
        >>> stage.advance(100, 20.0)
        >>> stage.line(20.0, 60), stage.line(24.0, 60)
        ('   0:20  by geo: permutations  50 %, 0:20 left', '   0:24  by geo: permutations  50 %, 0:16 left')
        >>> Stage("reading the log", 0, 0.0).line(61.0, 40)
        '   1:01  reading the log'
        """
        seconds = now - self.began
        text = f"{minutes(seconds):>7}  {self.name}"
        if not self.total or not self.done:
            return cropped(text, width)
        share = min(1.0, self.done / self.total)
        told = f"  {100 * share:.0f} %"
        if self.ends is not None:
            told += f", {minutes(max(0.0, self.ends - now))} left"
        full = round(share * BAR)
        bar = f"  {'━' * full}{'─' * (BAR - full)}"
        # The bar goes first where a line is short, then the end of the name, and the time never.
        if len(text + bar + told) < width:
            return text + bar + told
        return cropped(text, width - len(told)) + told


def cropped(text: str, width: int) -> str:
    """Cut a text that would not leave the last cell of its line free, and so would wrap.

    Examples
    --------
    >>> cropped("reading the log", 12), cropped("reading", 12)
    ('reading ...', 'reading')
    """
    return text if len(text) < width else f"{text[: max(0, width - 4)]}..."


def minutes(seconds: float) -> str:
    """Word a time that still runs.

    Examples
    --------
    >>> minutes(5), minutes(75), minutes(3675)
    ('0:05', '1:15', '1:01:15')
    """
    whole = round(seconds)
    hours, rest = divmod(whole, 3600)
    return f"{hours}:{rest // 60:02}:{rest % 60:02}" if hours else f"{rest // 60}:{rest % 60:02}"


def taken(seconds: float) -> str:
    """Word a time that is over.

    Examples
    --------
    >>> taken(0.04), taken(12.34), taken(75)
    ('0.0 s', '12.3 s', '1:15')
    """
    return f"{seconds:.1f} s" if seconds < 59.95 else minutes(seconds)


@dataclass
class Stages:
    """The stages of one command, one after the other.

    Parameters
    ----------
    print_line : callable
        Prints the line of a stage that is over.
    began : float
    """

    print_line: Callable[[str], None]
    began: float = field(default_factory=monotonic)
    running: Stage | None = None
    over: int = 0

    def begin(self, name: str, total: int = 0) -> None:
        """End the stage that runs, and begin another."""
        _stop_where_interrupted()
        self.end()
        self.running = Stage(name, total, monotonic())

    def advance(self, done: int) -> None:
        """Take note of how much of the stage is done; what is shown is redrawn in its own time."""
        _stop_where_interrupted()
        if self.running is not None:
            self.running.advance(done, monotonic())

    def end(self) -> None:
        """Say how long the stage took."""
        if self.running is not None:
            stage, self.running = self.running, None
            self.over += 1
            self.print_line(f"{taken(monotonic() - stage.began):>7}  {stage.name}")

    def close(self) -> None:
        """End the last stage, and say how long all of them took."""
        self.end()
        if self.over > 1:
            self.print_line(f"{taken(monotonic() - self.began):>7}  in all")

    def line(self, width: int) -> str:
        """Word the stage that runs, in one line."""
        running = self.running
        return running.line(monotonic(), width) if running is not None else ""


def _stop_where_interrupted() -> None:
    if PRESSED.is_set():
        raise KeyboardInterrupt
