"""A plot as one SVG element, to stand in a page: real text, no script, nothing from elsewhere."""

from __future__ import annotations

import re
from io import StringIO
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

from fairaudit.exceptions import OptionError
from fairaudit.plot.style import styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SPACE = "http://www.w3.org/2000/svg"
#: What a page has no use for; a style of the plot's would be one of the whole page's.
DROPPED = ("metadata", "title", "desc", "style")
#: Attributes that are made of numbers.
NUMBERS = ("d", "x", "y", "width", "height", "transform", "points", "x1", "x2", "y1", "y2", "cx", "cy", "r")
#: Another element's id, in `href` or in `url()`; ours and matplotlib's are longer than a colour.
REFERENCE = r"((?:^|url\()#)((?![0-9a-f]{6}$)[\w.-]+)"
#: What the browser reads text in, as wide as what the plot was laid out for, or narrower.
FONT = "sans-serif"


def svg(drawn: Axes | Figure, *, name: str, title: str, description: str) -> str:
    """Render a plot as one SVG element, as wide as what it stands in.

    Parameters
    ----------
    drawn : Axes or Figure
        Of axes their whole figure.
    name : str
        Unique in the page: all ids start with it. Letters, digits and hyphens, a letter first.
    title, description : str
        What a screen reader says in the place of the plot.

    Returns
    -------
    str
        Well-formed XML without prolog, DTD or metadata; equal plots give equal text with one version of
        matplotlib.

    Raises
    ------
    OptionError
        If the name cannot be the start of an id.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> text = svg(Figure(), name="empty", title="Nothing", description="An empty figure.")
    >>> text[:4], '<title id="empty-title">Nothing</title>' in text
    ('<svg', True)
    """
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9-]*", name):
        raise OptionError(
            f"name {name!r}",
            where="plot.svg(name=...)",
            allowed="letters, digits and hyphens, a letter first",
            fix="take the name of the plot, such as 'forest-1'",
        )
    from matplotlib.figure import Figure

    figure = drawn if isinstance(drawn, Figure) else drawn.get_figure(root=True)
    assert figure is not None
    root = ElementTree.fromstring(_written(figure))
    _bare(root)
    _trimmed(root)
    _named(root, name)
    _described(root, name, title, description)
    return ElementTree.tostring(root, encoding="unicode", short_empty_elements=True)


def _written(figure: Figure) -> str:
    """Draw a figure as SVG, once: `savefig` lays out what it draws twice, which takes half as long again."""
    from matplotlib.backends.backend_svg import FigureCanvasSVG

    canvas, dpi, written = figure.canvas, figure.dpi, StringIO()
    try:
        with styled():
            drawing: Any = FigureCanvasSVG(figure)  # whose methods have no types
            drawing.print_svg(written, metadata={"Date": None})
    finally:
        figure.set_canvas(canvas)
        figure.dpi = dpi
    return written.getvalue()


def _bare(root: ElementTree.Element) -> None:
    """Take name spaces, metadata and white space between elements away."""
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
        for attribute in list(element.attrib):
            if "}" in attribute:
                element.set(attribute.rpartition("}")[2], element.attrib.pop(attribute))
        element.tail = None
        if element.tag != "text" and not (element.text or "").strip():
            element.text = None
    for parent in list(root.iter()):
        for element in [child for child in parent if child.tag in DROPPED]:
            parent.remove(element)


def _trimmed(root: ElementTree.Element) -> None:
    """Take away digits that nobody can see, turns by nothing, and fonts that the reader may not have."""
    for element in root.iter():
        for attribute in NUMBERS:
            if (value := element.get(attribute)) is not None:
                element.set(attribute, re.sub(r"-?\d+\.\d+(?:e-?\d+)?", _short, " ".join(value.split())))
        if re.match(r"rotate\(0 ", element.get("transform", "")):
            del element.attrib["transform"]
        if (style := element.get("style")) is not None:
            style = re.sub(r"font-family: [^;]*;? ?", "", style)
            element.set("style", re.sub(r"-?\d+\.\d{3,}", _short, style))


def _short(number: re.Match[str]) -> str:
    text = f"{float(number[0]):.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def _named(root: ElementTree.Element, name: str) -> None:
    """Keep the ids that something refers to, and start them with the name."""
    used = {found for element in root.iter() for found in _referred(element)}
    kept = dict.fromkeys(old for element in root.iter() if (old := element.get("id")) in used)
    new = {old: f"{name}-{number}" for number, old in enumerate(kept, start=1)}
    for element in root.iter():
        old = element.attrib.pop("id", None)
        if old in new:
            element.set("id", new[old])
        for attribute, value in element.attrib.items():
            element.set(attribute, re.sub(REFERENCE, lambda found: f"{found[1]}{new[found[2]]}", value))


def _referred(element: ElementTree.Element) -> list[str]:
    return [found[2] for value in element.attrib.values() for found in re.finditer(REFERENCE, value)]


def _described(root: ElementTree.Element, name: str, title: str, description: str) -> None:
    """Let the plot fill what it stands in, and say what it shows."""
    width = float(root.attrib.pop("width").removesuffix("pt"))
    root.attrib.pop("height")
    root.attrib.pop("version", None)
    root.attrib |= {
        "xmlns": SPACE,
        "role": "img",
        "aria-labelledby": f"{name}-title {name}-desc",
        "width": "100%",
        "font-family": FONT,
        "stroke-linejoin": "round",
        # Beyond its own size text would be larger than the page's.
        "style": f"max-width:{round(width * 4 / 3)}px",
    }
    for tag, text in (("desc", description), ("title", title)):
        element = ElementTree.Element(tag, {"id": f"{name}-{tag}"})
        element.text = text
        root.insert(0, element)
