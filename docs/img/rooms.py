"""Draw ``docs/img/rooms.svg``: the rooms of the two packages and what imports what.

The picture comes from the import graph (grimp) and from the layers that ``pyproject.toml``
declares, so that it shows the code as it is::

    python docs/img/rooms.py

A unit test fails where the picture is out of date.
"""

from __future__ import annotations

import tomllib
from pathlib import Path

import grimp

ROOT = Path(__file__).resolve().parents[2]
PICTURE = ROOT / "docs" / "img" / "rooms.svg"

_CELL = 26
_LABEL = 210
_TOP = 150
_STYLE = (
    ".room{font-size:14px;fill:#1c2430}.head{font-size:12px;fill:#51607a}"
    ".line{stroke:#d5dae3}.dot{fill:#1d5fa8}.self{fill:#e3e8f0}"
)


def layers() -> list[str]:
    """Rooms from the top down, as the contract ``rooms`` of import-linter lists them."""
    configuration = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    contracts = configuration["tool"]["importlinter"]["contracts"]
    (rows,) = (c["layers"] for c in contracts if c["id"] == "rooms")
    names = [name.strip(" ()") for row in rows for name in row.split("|")]
    return [f"clinical_nlp.{name}" for name in names]


def imports(rooms: list[str]) -> set[tuple[str, str]]:
    """Pairs (importer, imported) of rooms."""
    graph = grimp.build_graph(
        "clinical_nlp", "fhir_adapters", exclude_type_checking_imports=True, cache_dir=None
    )

    def room(module: str) -> str | None:
        return next((r for r in rooms if module == r or module.startswith(f"{r}.")), None)

    pairs = {
        (room(module), room(imported))
        for module in graph.modules
        for imported in graph.find_modules_directly_imported_by(module)
    }
    return {(a, b) for a, b in pairs if a and b and a != b}


def draw() -> str:
    """Return the picture: a row for each room, a dot under each room that it imports."""
    upper, *lower = layers()
    rooms = [
        r
        for r in (upper, "fhir_adapters", *lower)
        if (ROOT / r.replace(".", "/")).exists() or (ROOT / f"{r.replace('.', '/')}.py").exists()
    ]
    pairs = imports(rooms)
    side = _CELL * len(rooms)
    names = [room.removeprefix("clinical_nlp.") for room in rooms]
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_LABEL + side + 40} '
        f'{_TOP + side + 10}" role="img" font-family="system-ui, sans-serif">',
        "<title>Rooms and what they import</title>",
        f"<style>{_STYLE}</style>",
        f'<rect width="{_LABEL + side + 40}" height="{_TOP + side + 10}" rx="14" fill="#f7f8fa"/>',
        f'<text class="head" x="14" y="{_TOP - 12}">a room (row) imports</text>',
    ]
    for index, name in enumerate(names):
        x, y = _LABEL + _CELL * index, _TOP + _CELL * index
        middle = x + _CELL / 2
        parts += [
            f'<text class="room" x="14" y="{y + 18}">{name}</text>',
            f'<text class="head" transform="translate({middle + 4:g} {_TOP - 8}) rotate(-55)">'
            f"{name}</text>",
            f'<line class="line" x1="14" y1="{y}" x2="{_LABEL + side}" y2="{y}"/>',
            f'<rect class="self" x="{x}" y="{y}" width="{_CELL}" height="{_CELL}"/>',
        ]
        parts += [
            f'<circle class="dot" cx="{_LABEL + _CELL * column + _CELL / 2:g}" '
            f'cy="{y + _CELL / 2:g}" r="6"/>'
            for column, other in enumerate(rooms)
            if (rooms[index], other) in pairs
        ]
    return "\n".join([*parts, "</svg>", ""])


if __name__ == "__main__":
    PICTURE.write_text(draw(), encoding="utf-8")
