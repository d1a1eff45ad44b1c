"""A journey's phases and milestones along time, as a picture that needs no script: idle stretches are folded."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Final

from markupsafe import Markup, escape

from journeys.app.finding import Loaded
from journeys.domain.events import PhaseCompleted
from journeys.domain.forecast import Forecast
from journeys.domain.programme import Programme
from journeys.i18n import N_, Lang, capital, format_date, text

WIDTH: Final = 1000
NAMES: Final = 190
"""Pixels for the names on the left."""
ROW: Final = 26
HEAD: Final = 34
IDLE: Final = timedelta(days=21)
"""A stretch in which nothing begins, ends or falls due is folded when it is longer."""
LETTER: Final = 7.0
"""Pixels that a letter of a day's name takes, rather more than less."""
FOLDED_DAYS: Final = 6.0
"""Days' room that a folded stretch takes."""


@dataclass(frozen=True, slots=True)
class Bar:
    """A phase: from its first day to its last, or to today while it runs."""

    label: str
    begins: date
    ends: date
    running: bool


@dataclass(frozen=True, slots=True)
class Mark:
    """A milestone: reached, late, or still to come on a day."""

    label: str
    day: date
    kind: str


def gantt(loaded: Loaded, now: datetime, lang: Lang) -> Markup:
    """A journey's picture as inline SVG; empty when nothing has a day yet. The page tells the same in its tables."""
    today = loaded.book.calendar.day(now)
    return drawn(_bars(loaded, today, lang), _marks(loaded, lang), today, N_("Le parcours le long du temps"), lang)


def programme_gantt(programme: Programme, found: Forecast, today: date, lang: Lang) -> Markup:
    """A programme's picture for chosen days: phases that have both ends, and milestones that have a day."""
    last = max((day for day in found.milestones.values() if day is not None), default=today)
    ends = found.ends or last
    bars = [
        Bar(capital(programme.phases[code].label.in_(lang)), each.begins, max(each.ends or ends, each.begins), True)
        for code, each in found.phases.items()
        if each.begins is not None
    ]
    marks = [
        Mark(capital(programme.milestones[code].label.in_(lang)), day, "due")
        for code, day in found.milestones.items()
        if day is not None
    ]
    return drawn(bars, marks, today, N_("Le programme le long du temps"), lang)


def drawn(bars: Sequence[Bar], marks: Sequence[Mark], today: date, title_word: str, lang: Lang) -> Markup:
    """Bars and marks along time; `title_word` is what the picture is called, a text of ours."""
    days = sorted({today, *(day for bar in bars for day in (bar.begins, bar.ends)), *(mark.day for mark in marks)})
    if len(days) < 2:
        return Markup("")
    place = _scale(days)
    height = HEAD + ROW * (len(bars) + (1 if marks else 0)) + 14
    _ = text(lang)
    title, now_word, steps = (escape(_(each)) for each in (title_word, N_("aujourd'hui"), N_("Étapes")))
    parts = [
        f'<svg class="gantt" viewBox="0 0 {WIDTH} {height}" role="img" aria-labelledby="gantt-title" '
        f'xmlns="http://www.w3.org/2000/svg"><title id="gantt-title">{title}</title>'
    ]
    parts += _months(days, place, height, lang)
    parts += _folds(days, place, height)
    for row, bar in enumerate(bars):
        y = HEAD + row * ROW
        left, right = place(bar.begins), max(place(bar.ends), place(bar.begins) + 3)
        kind = "running" if bar.running else "done"
        parts.append(f'<text class="name" x="0" y="{y + 15}">{escape(_cut(bar.label))}</text>')
        parts.append(f'<rect class="{kind}" x="{left:.1f}" y="{y + 3}" width="{right - left:.1f}" height="15" rx="4">'
                     f"<title>{escape(bar.label)}</title></rect>")  # fmt: skip
    y = HEAD + len(bars) * ROW
    if marks:
        parts.append(f'<text class="name" x="0" y="{y + 15}">{steps}</text>')
    parts += [_mark(mark, place(mark.day), y + 10, lang) for mark in marks]
    x = f"{place(today):.1f}"
    parts.append(f'<line class="today" x1="{x}" x2="{x}" y1="16" y2="{height - 4}"/>')
    parts.append(f'<text class="today" x="{x}" y="12" text-anchor="middle">{now_word}</text></svg>')
    return Markup("".join(parts))


def _bars(loaded: Loaded, today: date, lang: Lang) -> list[Bar]:
    state = loaded.state
    ended = {
        event.data.phase: loaded.book.calendar.day(event.occurred_at)
        for event in loaded.events
        if type(event.data) is PhaseCompleted
    }
    found = []
    for code, phase in loaded.book.programme.phases.items():
        known = state.phases.get(code)
        if known is not None:
            end = ended.get(code, today) if known.completed else today
            label = capital(phase.label.in_(lang))
            found.append(Bar(label, known.entered, max(end, known.entered), not known.completed))
    return found


def _marks(loaded: Loaded, lang: Lang) -> list[Mark]:
    state, calendar = loaded.state, loaded.book.calendar
    due = {known.milestone: calendar.day(known.at) for known in state.deadlines.values()}
    marks = []
    for code, milestone in loaded.book.programme.milestones.items():
        known, label = state.milestones.get(code), capital(milestone.label.in_(lang))
        if known is not None and known.settled is not None and known.on is not None:
            marks.append(Mark(label, known.on, "done"))
        elif known is not None and known.missed_day is not None:
            marks.append(Mark(label, known.missed_day, "late"))
        elif code in due:
            marks.append(Mark(label, due[code], "due"))
    return marks


def _scale(days: Sequence[date]) -> Callable[[date], float]:
    """Days to pixels; a gap longer than IDLE takes the room of FOLDED_DAYS."""
    rooms = [0.0]
    for one, next_ in pairwise(days):
        gap = (next_ - one).days
        rooms.append(rooms[-1] + (gap if next_ - one <= IDLE else FOLDED_DAYS))
    unit = (WIDTH - NAMES - 30) / max(rooms[-1], 1)
    at = {day: NAMES + 15 + room * unit for day, room in zip(days, rooms, strict=True)}
    return lambda day: at[day]


def _folds(days: Sequence[date], place: Callable[[date], float], height: int) -> list[str]:
    return [
        f'<line class="fold" x1="{x:.1f}" x2="{x:.1f}" y1="20" y2="{height - 6}"/>'
        for one, next_ in pairwise(days)
        if next_ - one > IDLE
        for x in ((place(one) + place(next_)) / 2,)
    ]


def _months(days: Sequence[date], place: Callable[[date], float], height: int, lang: Lang) -> list[str]:
    """The first day shown of each month, where there is room for its name; those at the right edge end at their day."""
    found, free, month = [], 0.0, None
    for day in days:
        if (day.year, day.month) == month:
            continue
        told, x = " ".join(format_date(day, lang).split(" ")[:2]), place(day)
        long = LETTER * len(told)
        ends = x + long > WIDTH
        begins = x - long if ends else x
        if begins >= free:
            side = ' text-anchor="end"' if ends else ""
            found.append(f'<text class="month" x="{x:.1f}" y="28"{side}>{escape(told)}</text>')
            month, free = (day.year, day.month), begins + long + LETTER
    return found


def _mark(mark: Mark, x: float, y: float, lang: Lang) -> str:
    told = f"<title>{escape(mark.label)}, {escape(format_date(mark.day, lang))}</title>"
    match mark.kind:
        case "late":
            return f'<path class="late" d="M{x:.1f} {y - 7:.1f}l7 13h-14z">{told}</path>'
        case "due":
            return f'<circle class="due" cx="{x:.1f}" cy="{y:.1f}" r="5">{told}</circle>'
        case _:
            return f'<rect class="done" x="{x - 5:.1f}" y="{y - 5:.1f}" width="10" height="10">{told}</rect>'


def _cut(label: str) -> str:
    return label if len(label) <= 24 else label[:23] + "…"
