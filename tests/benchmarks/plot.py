"""Plots as plain SVG: nothing to install, readable in any browser, light and dark."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape

WIDTH, LEFT, ROW = 760, 210, 17
COLOURS = ("#d1495b", "#2e86ab", "#3a7d44", "#e08e45", "#7768ae", "#5f6c7b", "#b5838d", "#1b998b", "#8d99ae")


def bars(title: str, groups: Mapping[str, Mapping[str, float]], unit: str) -> str:
    """Horizontal bars on a logarithmic scale, group below group; a line marks 1."""
    values = [value for group in groups.values() for value in group.values()]
    low, high = _decades([*values, 1.0])

    def across(value: float) -> float:
        return LEFT + (WIDTH - LEFT - 70) * (math.log10(value) - low) / (high - low)

    parts, y = [_text(12, 24, title, size=15)], 50
    for number, (name, group) in enumerate(groups.items()):
        parts.append(_text(12, y + 4, name, size=13))
        y += ROW
        for label, value in group.items():
            colour = COLOURS[0] if label.startswith("assay") else COLOURS[5]
            x, length = across(10**low), across(value) - across(10**low)
            parts.append(f'<rect x="{x:.1f}" y="{y - 6}" width="{length:.1f}" height="11" fill="{colour}"/>')
            parts.append(_text(LEFT - 8, y + 4, label, anchor="end"))
            parts.append(_text(across(value) + 6, y + 4, f"{value:.2f}" if value < 10 else f"{value:.0f}"))
            y += ROW
        y += 8 if number < len(groups) - 1 else 0
    one = across(1.0)
    parts.append(f'<line x1="{one:.1f}" y1="40" x2="{one:.1f}" y2="{y}" stroke="currentColor" stroke-dasharray="3 3"/>')
    parts.append(_text(one, y + 14, f"1 = {unit}", anchor="middle"))
    return _svg(parts, y + 26)


def lines(title: str, series: Mapping[str, Sequence[tuple[float, float]]], across: str, up: str) -> str:
    """Lines on two logarithmic scales, each named at its end."""
    height, top, bottom, left, right = 360, 50, 310, 70, 560
    xs = [x for points in series.values() for x, _ in points]
    ys = [y for points in series.values() for _, y in points]
    x_low, x_high = math.log10(min(xs)), math.log10(max(xs))
    y_low, y_high = _decades(ys)

    def at(x: float, y: float) -> tuple[float, float]:
        return (
            left + (right - left) * (math.log10(x) - x_low) / max(x_high - x_low, 1e-9),
            bottom - (bottom - top) * (math.log10(y) - y_low) / (y_high - y_low),
        )

    parts = [_text(12, 24, title, size=15), _text(right, bottom + 36, across, anchor="end"), _text(12, top - 8, up)]
    for power in range(y_low, y_high + 1):
        _, y = at(min(xs), 10.0**power)
        parts.append(f'<line x1="{left}" y1="{y:.1f}" x2="{right}" y2="{y:.1f}" stroke="currentColor" opacity="0.2"/>')
        parts.append(_text(left - 6, y + 4, f"{10.0**power:g}", anchor="end"))
    parts.extend(_text(at(x, 10.0**y_low)[0], bottom + 18, f"{x:g}", anchor="middle") for x in sorted(set(xs)))
    taken: list[float] = []
    for number, (name, points) in enumerate(series.items()):
        colour = COLOURS[number % len(COLOURS)]
        places = " ".join("{:.1f},{:.1f}".format(*at(x, y)) for x, y in points)
        parts.append(f'<polyline points="{places}" fill="none" stroke="{colour}" stroke-width="2"/>')
        y = at(*points[-1])[1] + 4
        while any(abs(y - other) < 13 for other in taken):
            y += 3
        taken.append(y)
        parts.append(_text(at(*points[-1])[0] + 8, y, name, fill=colour))
    return _svg(parts, height)


def _decades(values: Sequence[float]) -> tuple[int, int]:
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    return low, max(high, low + 1)


def _text(x: float, y: float, words: str, *, size: int = 11, anchor: str = "start", fill: str = "currentColor") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}" fill="{fill}">{escape(words)}</text>'


def _svg(parts: Sequence[str], height: float) -> str:
    style = "svg{color:#222;background:#fff}@media(prefers-color-scheme:dark){svg{color:#ddd;background:#161616}}"
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0f}" font-family="sans-serif"><style>{style}</style>'
    return "\n".join([head, *parts, "</svg>\n"])
