"""The house of fairaudit: who may import whom, and that nothing goes round in a circle."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "fairaudit"

#: A module may import what stands above it. Modules of one line do not import each other.
ORDER = [
    ["exceptions"],
    ["config", "frames", "provenance", "whole"],
    ["schema"],
    ["rates"],
    ["evidence", "rounding"],
    ["result", "readiness", "curve"],
    ["changes", "verdict"],
    ["change_tables", "trend"],
    ["tables", "cells"],
    ["suppress"],
    ["log"],
    ["checks", "counts"],
    ["geography"],
    ["classes"],
    ["scoring", "embeddings", "demographics", "partition", "split"],
    ["areas", "readers"],
    ["aggregate", "conversion"],
    ["estimate"],
    ["discover"],
    ["layout", "placing", "ranking", "figures"],
    ["strata", "bootstrap"],
    ["adjust", "procedure", "power"],
    ["chance"],
    ["against"],
    ["flags", "kinds", "profile", "disparity", "overlap", "spatial"],
    ["measurement"],
    ["attributes", "cohorts", "saved", "injection"],
    ["scrutiny", "resampling", "whereabouts"],
    ["assignment", "planning"],
    ["adjusting", "prospects"],
    ["target"],
    ["texts"],
    ["record"],
    ["world"],
    ["auditing", "checking", "comparison", "gating", "simulation", "testing"],
    ["wording"],
    ["plot"],
    ["report"],
    ["outputs"],
    ["cli"],
]
RANK = {name: number for number, line in enumerate(ORDER) for name in line}
HEAVY = {
    "sklearn",
    "geopandas",
    "matplotlib",
    "pandas",
    "duckdb",
    "pyarrow",
    "narwhals",
    "scipy",
    "shapely",
    "rich",
    "statsmodels",
    "esda",
    "libpysal",
}


def sources():
    return sorted(PACKAGE.rglob("*.py"))


def house_of(path):
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return parts[0]


def module_level(tree):
    """Imports that run when the module is loaded, or that types need."""
    for node in tree.body:
        if isinstance(node, ast.If):
            yield from (n for n in node.body if isinstance(n, ast.Import | ast.ImportFrom))
        elif isinstance(node, ast.Import | ast.ImportFrom):
            yield node


def imported(node):
    if isinstance(node, ast.ImportFrom):
        names = (
            [f"{node.module}.{a.name}" for a in node.names] if node.module == "fairaudit" else [node.module]
        )
        return [n for n in names if n]
    return [a.name for a in node.names]


@pytest.mark.parametrize("path", sources(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_modules_import_only_what_stands_above_them(path):
    if path == PACKAGE / "__init__.py":
        return
    own = house_of(path)
    assert own in RANK, f"{own} has no place in the house: give it one in ORDER"
    for node in module_level(ast.parse(path.read_text("utf-8"))):
        for name in imported(node):
            if not name.startswith("fairaudit."):
                assert name != "fairaudit", f"{path.name} imports the package root"
                continue
            other = name.split(".")[1]
            if other != own:
                assert RANK[other] < RANK[own], f"{own} may not import {other}"


def test_no_import_cycle():
    graph = {}
    for path in sources():
        module = ".".join(("fairaudit", *path.relative_to(PACKAGE).with_suffix("").parts)).removesuffix(
            ".__init__"
        )
        names = [n for node in module_level(ast.parse(path.read_text("utf-8"))) for n in imported(node)]
        graph[module] = {n for n in names if n.startswith("fairaudit.")}
    graph.pop("fairaudit")
    done, path = set(), []

    def visit(module):
        assert module not in path, " -> ".join([*path, module])
        if module in done:
            return
        path.append(module)
        for target in graph.get(module, ()):
            visit(target if target in graph else target.rpartition(".")[0])
        path.pop()
        done.add(module)

    for module in graph:
        visit(module)
    assert done >= set(graph)


@pytest.mark.parametrize("path", sources(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_heavy_packages_are_imported_where_they_are_used(path):
    tree = ast.parse(path.read_text("utf-8"))
    for node in tree.body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            assert not HEAVY & {name.split(".")[0] for name in imported(node)}


def test_help_loads_neither_numpy_nor_any_engine():
    code = "import sys; from fairaudit.cli import main; main(['--help']); print(sorted(sys.modules))"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    loaded = {name.strip("'[] \n") for name in shown.rpartition("[")[2].split(",")}
    assert "click" in loaded
    assert not loaded & (HEAVY | {"numpy", "jinja2"})


def test_public_functions_take_no_arbitrary_keywords():
    for path in sources():
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if (
                isinstance(node, ast.FunctionDef)
                and not node.name.startswith("_")
                and "cli" not in path.parts
            ):
                assert node.args.kwarg is None, f"{path.name}: {node.name}"


def test_every_public_name_is_there():
    import fairaudit

    for name in fairaudit.__all__:
        assert getattr(fairaudit, name).__doc__


def test_nothing_reads_or_writes_pickle():
    lists = set()
    for path in sources():
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Import | ast.ImportFrom):
                assert not {"pickle", "joblib", "shelve", "marshal"} & {
                    n.split(".")[0] for n in imported(node)
                }
                lists |= {path for name in imported(node) if name == "pickletools"}
            if isinstance(node, ast.keyword) and node.arg == "allow_pickle":
                assert isinstance(node.value, ast.Constant)
                assert node.value.value is False
    # It lists the instructions of a pickle and follows none.
    assert lists == {PACKAGE / "embeddings" / "nemo.py"}


def test_no_public_name_is_hidden_by_a_module_of_the_same_name():
    import fairaudit

    modules = {path.stem for path in PACKAGE.glob("*.py")} | {path.name for path in PACKAGE.iterdir()}
    assert not modules & set(fairaudit.__all__)
