"""From a result to matplotlib Axes: a plot takes a result and an optional `ax`, and computes nothing new."""

from fairaudit.plot.clusters import voices
from fairaudit.plot.curves import gap_by_share
from fairaudit.plot.inline import svg
from fairaudit.plot.intervals import forest
from fairaudit.plot.kinds import errors
from fairaudit.plot.null import chance
from fairaudit.plot.regions import regions
from fairaudit.plot.series import trend

__all__ = ["chance", "errors", "forest", "gap_by_share", "regions", "svg", "trend", "voices"]
