"""What the site shows that is not a page in this folder: datasheets, notebooks, changes, schemas.

`mkdocs` runs it as a hook. The files stay where they belong, their links are turned to where they stand in
the site, and nothing is copied by hand.
"""

import json
import posixpath
import re
from pathlib import Path

from mkdocs.structure.files import File

#: Files above this folder that are pages of the site.
ABOVE = {"CHANGELOG.md": "changelog.md", "CONTRIBUTING.md": "contributing.md"}
#: Folders beside this one whose Markdown files are pages of the site.
BESIDE = ("data", "notebooks")
LINK = re.compile(r"(\]\()([^)#:\s]+)((?:#[^)]*)?\))")


def on_config(config):
    """Name the notebooks in the navigation, the first one first."""
    root = Path(config.config_file_path).parent
    found = sorted(
        (root / "notebooks").glob("*.md"), key=lambda path: (path.name != "first_audit.md", path.name)
    )
    config.nav = filled(config.nav, [f"notebooks/{path.name}" for path in found])
    return config


def filled(nav, notebooks):
    """Return the navigation with the notebooks in the place of their pattern."""
    if isinstance(nav, list):
        return [filled(item, notebooks) for item in nav]
    if isinstance(nav, dict):
        return {title: filled(item, notebooks) for title, item in nav.items()}
    return notebooks if nav == "notebooks/*.md" else nav


def on_files(files, config):
    """Add the pages that are made, and remember which file of the project each is."""
    root = Path(config.config_file_path).parent
    for source, page in ABOVE.items():
        files.append(File.generated(config, page, content=turned(root / source, source, page)))
    for folder in BESIDE:
        for path in sorted((root / folder).glob("*.md")):
            place = f"{folder}/{path.name}"
            files.append(File.generated(config, place, content=turned(path, place, place)))
    for path in sorted((root / "docs" / "schemas").glob("*.schema.json")):
        page = f"schemas/{path.name.removesuffix('.schema.json')}.md"
        files.append(File.generated(config, page, content=schema_page(path)))
    return files


def on_page_markdown(markdown, page, config, files):
    """Turn links of a page in this folder that lead to a page which is made."""
    if page.file.generated_by:
        return markdown
    place = page.file.src_uri
    return turn(markdown, f"docs/{place}", place)


def turned(path, source, place):
    """Return the text of a file with its links turned, without the heading of a paired notebook."""
    text = re.sub(r"\A---\n.*?\n---\n", "", path.read_text("utf-8"), flags=re.S)
    return turn(text, source, place)


def turn(markdown, source, place):
    """Return Markdown of `source` in the project as it must read at `place` in the site."""

    def replace(link):
        there = posixpath.normpath(posixpath.join(posixpath.dirname(source), link[2]))
        target = in_site(there)
        return link[0] if target is None else link[1] + relative(target, place) + link[3]

    return LINK.sub(replace, markdown)


def relative(target, place):
    """Return the way from one page to another."""
    return posixpath.relpath(target, posixpath.dirname(place) or ".")


def in_site(path):
    """Return where a file of the project is in the site; None where it is not in it, or is what it seems."""
    if path.endswith(".schema.json"):
        return path.removeprefix("docs/").removesuffix(".schema.json") + ".md"
    if path in ABOVE:
        return ABOVE[path]
    if path.startswith("docs/"):
        return path.removeprefix("docs/")
    return path if path.endswith(".md") and path.startswith(BESIDE) else None


def schema_page(path):
    """Return the page of a JSON Schema: what the file holds, then each kind of object in it."""
    schema = json.loads(path.read_text("utf-8"))
    name = path.name.removesuffix(".schema.json")
    file = f"{name}.toml" if name == "policy" else f"{name}.json"
    origin = (
        f"Made from the JSON Schema [{path.name}]({path.name}), which tests hold against what is written."
    )
    parts = [f"# `{file}`\n\n{origin}\n", object_section(schema)]
    for kind in sorted(schema.get("$defs", {})):
        parts.append(object_section(schema["$defs"][kind]))
    return "\n".join(parts)


def object_section(schema):
    """Return the section of one kind of object: what it is, and a table of its fields."""
    rows = [["field", "meaning", "holds", "present"], ["---"] * 4]
    for field, kind in schema.get("properties", {}).items():
        rows.append([f"`{field}`", kind.get("description", ""), kind_of(kind), needed(field, kind, schema)])
    table = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    return f"## {schema['title']}\n\n{schema.get('description', '')}\n\n{table}\n"


def needed(field, kind, schema):
    """Return whether a field must be there, or what it is when it is not."""
    if field in schema.get("required", ()):
        return "always"
    return f"default `{json.dumps(kind['default'])}`" if "default" in kind else "not always"


def kind_of(kind):
    """Return in words what a field holds."""
    if "$ref" in kind:
        name = kind["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    for several in ("anyOf", "oneOf"):
        if several in kind:
            return " or ".join(kind_of(one) for one in kind[several])
    if "enum" in kind:
        return " or ".join(f"`{json.dumps(value)}`" for value in kind["enum"])
    if kind.get("type") == "array":
        items = kind.get("items") or {}
        return f"list of {kind_of(items)}" if items else "list"
    if kind.get("type") == "object":
        values = kind.get("additionalProperties")
        return f"object of {kind_of(values)}" if isinstance(values, dict) and values else "object"
    return {"string": "text", "boolean": "true or false", "integer": "whole number"}.get(
        kind.get("type"), kind.get("type", "anything")
    )
