"""How plots look: one set of colours, shapes and sizes, kept out of the user's settings."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from io import BytesIO
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Colours of text, of lines that guide the eye, and of what is neither bottom nor top.
INK, SOFT, FAINT, REST = "#1c2126", "#545d66", "#d5dade", "#66707a"
#: Okabe and Ito's colours that stand out from white by 3 to 1 at least, and a dark amber in the place of
#: their yellow. They can be told apart by the colour-blind; beside each stands a shape or a dash.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#8c5a00", "#b3558a", "#6a3d9a")
#: Dashes and markers of lines: of twelve no two are alike in colour and dash.
DASHES: tuple[Any, ...] = ("-", (0, (5, 1.5)), (0, (1, 1.2)), (0, (6, 1.5, 1, 1.5)))
SHAPES = ("o", "s", "D", "^", "v", "<", ">")
#: Colour and marker of each side.
SIDES = {"bottom": ("#d55e00", "D"), "top": ("#0072b2", "s"), "rest": (REST, "o")}
#: Width of a figure in inches, and the size of its text in points.
WIDTH, TEXT = 6.4, 9.0
#: Dots per inch of what a notebook shows: twice those of a screen.
DPI = 192

_SETTINGS: dict[str, Any] = {
    "axes.edgecolor": SOFT,
    "axes.labelcolor": INK,
    "axes.labelsize": TEXT,
    "axes.linewidth": 0.8,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.unicode_minus": True,
    "figure.facecolor": "white",
    "font.size": TEXT,
    "legend.fontsize": TEXT,
    "legend.frameon": False,
    "svg.fonttype": "none",
    "svg.hashsalt": "fairaudit",
    "text.color": INK,
    # A dollar sign in a label of the user's is a dollar sign.
    "text.parse_math": False,
    "text.usetex": False,
    "xtick.color": SOFT,
    "xtick.labelcolor": INK,
    "xtick.labelsize": TEXT,
    "ytick.color": SOFT,
    "ytick.labelcolor": INK,
    "ytick.labelsize": TEXT,
}


@contextmanager
def styled() -> Iterator[None]:
    """Draw by these settings alone, whatever the user's are, and leave the user's as they were."""
    from matplotlib import rc_context, rcdefaults, rcParams

    with rc_context():
        rcdefaults()
        settings: Any = rcParams  # whose type is a literal of every name
        settings.update(_SETTINGS)
        yield


def axes_of(ax: Axes | None, height: float) -> Axes:
    """Return the user's axes, or those of a new figure.

    The figure is not pyplot's: none is left behind where a hundred reports are made, and no window opens.
    A notebook shows its axes all the same.

    Parameters
    ----------
    ax : Axes, optional
    height : float
        Of a new figure, in inches.
    """
    if ax is not None:
        return ax
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    return figure.add_subplot(axes_class=_shown_axes())


@cache
def _shown_axes() -> type[Axes]:
    from matplotlib.axes import Axes

    class ShownAxes(Axes):
        """Axes that a notebook shows when a cell ends with them."""

        def _repr_png_(self) -> tuple[bytes, dict[str, int]]:
            figure, picture = self.get_figure(root=True), BytesIO()
            assert figure is not None
            with styled():
                figure.savefig(picture, format="png", dpi=DPI)
            width, height = figure.get_size_inches()
            return picture.getvalue(), {"width": round(96 * width), "height": round(96 * height)}

    return ShownAxes


def in_per_cent(axis: Any) -> None:
    """Write the ticks of an axis, whose values are fractions, as percentages."""
    from matplotlib.ticker import FuncFormatter

    axis.set_major_formatter(
        FuncFormatter(lambda value, _: f"{round(100 * value, 6):g}".replace("-", "\u2212"))
    )


def key(ax: Axes, columns: int = 4) -> None:
    """Put the key above the axes, where it covers nothing, and may be wider than they are."""
    legend = ax.legend(
        loc="lower left",
        bbox_to_anchor=(0.0, 1.0),
        ncols=columns,
        borderaxespad=0.2,
        columnspacing=1.4,
        handlelength=1.6,
        handletextpad=0.5,
    )
    # Were its width laid out, the axes would shrink with every drawing; its height is left free by a blank.
    legend.set_in_layout(False)
    ax.annotate(" ", (0.0, 1.0), (0, 7), xycoords="axes fraction", textcoords="offset points", va="bottom")
