"""Each notebook is there twice, as text and as ipynb, and both say the same. CI executes them."""

import json
import re
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent.parent / "notebooks"
NAMES = sorted(path.stem for path in FOLDER.glob("*.md"))


def cells_of_text(name):
    """Return the cells of the text: code in fences, and what stands between as Markdown."""
    text = (FOLDER / f"{name}.md").read_text("utf-8")
    body = re.sub(r"\A---\n.*?\n---\n", "", text, flags=re.S)
    parts = re.split(r"^```python\n(.*?)^```$", body, flags=re.S | re.M)
    kinds = ("markdown", "code")
    cells = [(kinds[number % 2], part.strip()) for number, part in enumerate(parts)]
    return [cell for cell in cells if cell[1]]


def paired(name):
    return json.loads((FOLDER / f"{name}.ipynb").read_text("utf-8"))


def test_there_are_the_promised_notebooks():
    assert set(NAMES) == {
        "first_audit", "compare_releases", "map", "voices", "own_discoverer", "warehouse",
    }  # fmt: skip
    assert sorted(path.stem for path in FOLDER.glob("*.ipynb")) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_text_and_notebook_are_equal(name):
    """`make notebooks` writes one from the other."""
    cells = [(cell["cell_type"], "".join(cell["source"]).strip()) for cell in paired(name)["cells"]]
    assert cells == cells_of_text(name)


@pytest.mark.parametrize("name", NAMES)
def test_outputs_are_stripped(name):
    for cell in paired(name)["cells"]:
        assert cell.get("outputs", []) == []
        assert cell.get("execution_count") is None
    assert "widgets" not in paired(name)["metadata"]


@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_tells_a_story_in_few_cells(name):
    cells = cells_of_text(name)
    assert cells[0][1].startswith("# ")
    assert sum(kind == "code" for kind, _ in cells) <= 14
    assert len(" ".join(text for kind, text in cells if kind == "markdown").split()) > 250


@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_needs_no_network_and_writes_nothing_beside_itself(name):
    code = "\n".join(text for kind, text in cells_of_text(name) if kind == "code")
    assert not re.search(r"https?://|\bto_\w+\(['\"]|open\(|write|savefig|widget|^[!%]", code, flags=re.M)
