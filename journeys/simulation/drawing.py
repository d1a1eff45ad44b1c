"""Work week by week as a picture: one band a role, all on one scale."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Final

from journeys.i18n import Lang, text

WIDTH: Final = 1000
NAMES: Final = 190
"""Pixels for the names on the left."""
BAND: Final = 64
HEAD: Final = 30
FOOT: Final = 26

STYLE: Final = (
    "text{font:13px system-ui,sans-serif;fill:#222}.quiet{fill:#555;font-size:11px}rect{fill:#2a5d9c}line{stroke:#bbb}"
)
"""For a file of its own; in a page the stylesheet says it."""


def weeks(bands: Mapping[str, Sequence[int]], title: str, lang: Lang, *, style: bool = False) -> str:
    """An SVG text; empty when nothing happened. `bands` holds what happened in each week, from the first on."""
    most = max((max(band, default=0) for band in bands.values()), default=0)
    if not most:
        return ""
    length = max(len(band) for band in bands.values())
    step = (WIDTH - NAMES) / length
    height = HEAD + BAND * len(bands) + FOOT
    say = text(lang)
    parts = [
        f'<svg class="weeks" viewBox="0 0 {WIDTH} {height}" role="img" aria-labelledby="weeks-title" '
        f'xmlns="http://www.w3.org/2000/svg"><title id="weeks-title">{escape(title)}</title>',
        f"<style>{STYLE}</style>" if style else "",
        f'<text x="0" y="16">{escape(title)}</text>',
    ]
    for row, (name, band) in enumerate(bands.items()):
        base = HEAD + (row + 1) * BAND
        parts.append(f'<text x="0" y="{base - 26}">{escape(name)}</text>')
        busiest = say("au plus {most} en une semaine").format(most=max(band, default=0))
        parts.append(f'<text class="quiet" x="0" y="{base - 10}">{escape(busiest)}</text>')
        parts.append(f'<line x1="{NAMES}" x2="{WIDTH}" y1="{base}" y2="{base}"/>')
        for week, count in enumerate(band):
            if count:
                tall = max(count / most * (BAND - 10), 1)
                told = say("semaine {week} : {count}").format(week=week + 1, count=count)
                parts.append(
                    f'<rect x="{NAMES + week * step:.1f}" y="{base - tall:.1f}" width="{max(step - 1, 1):.1f}" '
                    f'height="{tall:.1f}"><title>{escape(told)}</title></rect>'
                )
    apart = max(-(-length // 12), 1)
    for week in range(0, length, apart):
        label = say("S{week}").format(week=week + 1)
        parts.append(f'<text class="quiet" x="{NAMES + week * step:.1f}" y="{height - 8}">{escape(label)}</text>')
    return "".join([*parts, "</svg>"])
