"""A reliability plot as SVG, drawn by hand: what was promised across, what was kept up, the diagonal where both agree.

One panel for each set, one line for each system, a dot for each bin. The picture has a ground of its own and follows
the reader's preference for light or dark, also where a page shows it as an image.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

from bench.metrics import Bin

_SIDE, _LEFT, _TOP, _GAP = 150, 58, 64, 54
"""Pixels: of a panel, before the first, above it, and between two."""
_COLUMNS = 4
_TICKS = (0.0, 0.5, 1.0)

_STYLE = """
text { font: 11px system-ui, sans-serif; fill: #333 }
.title { font-weight: 600 }
.ground { fill: #fff } .frame { fill: none; stroke: #999 } .even { stroke: #999; stroke-dasharray: 3 3 }
.line { fill: none; stroke-width: 1.6 }
.s0 { stroke: #0b62a4; fill: #0b62a4 } .s1 { stroke: #c2570c; fill: #c2570c } .s2 { stroke: #4d7c0f; fill: #4d7c0f }
.line.s0, .line.s1, .line.s2 { fill: none }
@media (prefers-color-scheme: dark) {
  text { fill: #ddd } .ground { fill: #15181c } .frame, .even { stroke: #777 }
  .s0 { stroke: #6cb6ff; fill: #6cb6ff } .s1 { stroke: #ffa657; fill: #ffa657 } .s2 { stroke: #a3d977; fill: #a3d977 }
}
"""


@dataclass(frozen=True, slots=True)
class Panel:
    """The bins of each system on one set."""

    title: str
    lines: tuple[tuple[str, tuple[Bin, ...]], ...]


def reliability(title: str, panels: Sequence[Panel]) -> str:
    """An SVG of all panels; at most three systems have a colour of their own."""
    systems = list(dict.fromkeys(system for panel in panels for system, _ in panel.lines))
    columns = min(_COLUMNS, max(1, len(panels)))
    rows = (len(panels) + columns - 1) // columns
    width = max(_LEFT + columns * (_SIDE + _GAP), 420)
    height = _TOP + rows * (_SIDE + _GAP)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'role="img" aria-label="{escape(title)}">',
        f"<title>{escape(title)}</title>",
        f"<style>{_STYLE}</style>",
        f'<rect class="ground" width="{width}" height="{height}"/>',
        f'<text class="title" x="{_LEFT - 40}" y="18">{escape(title)}</text>',
        *_legend(systems),
    ]
    for number, panel in enumerate(panels):
        row, column = divmod(number, columns)
        parts += _panel(panel, systems, _LEFT + column * (_SIDE + _GAP), _TOP + row * (_SIDE + _GAP))
    return "\n".join([*parts, "</svg>"]) + "\n"


def _legend(systems: Sequence[str]) -> Iterator[str]:
    at = _LEFT - 40
    for number, system in enumerate(systems):
        yield f'<circle class="s{number % 3}" cx="{at + 4}" cy="32" r="4"/>'
        yield f'<text x="{at + 13}" y="36">{escape(system)}</text>'
        at += 24 + 7 * len(system)


def _panel(panel: Panel, systems: Sequence[str], left: int, top: int) -> Iterator[str]:
    def x(share: float) -> str:
        return f"{left + share * _SIDE:.1f}"

    def y(share: float) -> str:
        return f"{top + (1 - share) * _SIDE:.1f}"

    yield f'<text class="title" x="{left}" y="{top - 6}">{escape(panel.title)}</text>'
    yield f'<rect class="frame" x="{left}" y="{top}" width="{_SIDE}" height="{_SIDE}"/>'
    yield f'<line class="even" x1="{x(0)}" y1="{y(0)}" x2="{x(1)}" y2="{y(1)}"/>'
    for tick in _TICKS:
        yield f'<text x="{x(tick)}" y="{top + _SIDE + 14}" text-anchor="middle">{tick:g}</text>'
        yield f'<text x="{left - 5}" y="{y(tick)}" dy="4" text-anchor="end">{tick:g}</text>'
    yield f'<text x="{x(0.5)}" y="{top + _SIDE + 28}" text-anchor="middle">promised</text>'
    across, middle = left - 34, top + _SIDE // 2
    turned = f'transform="rotate(-90 {across} {middle})"'
    yield f'<text x="{across}" y="{middle}" text-anchor="middle" {turned}>kept</text>'
    for system, bins in panel.lines:
        colour = f"s{systems.index(system) % 3}"
        path = " ".join(f"{x(b.promised)},{y(b.kept)}" for b in bins)
        yield f'<polyline class="line {colour}" points="{path}"/>'
        for b in bins:
            said = escape(f"{system}: promised {b.promised:.2f}, kept {b.kept:.2f}, of {b.count}")
            at = f'cx="{x(b.promised)}" cy="{y(b.kept)}"'
            yield f'<circle class="{colour}" {at} r="2.5"><title>{said}</title></circle>'
