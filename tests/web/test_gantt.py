"""The picture along time can be read: names of days stand beside each other, inside the picture."""

import re
from datetime import date, timedelta
from random import Random

from journeys.app.web.gantt import WIDTH, Mark, drawn

A_LETTER = 6.4
"""Pixels of a letter of 11.5, on average, in the fonts that browsers take."""


def test_names_of_days_never_run_into_each_other() -> None:
    draw, day, told = Random(7), date(2026, 11, 28), 0
    for _ in range(200):
        marks = [Mark("m", day + timedelta(draw.randint(1, 400)), "due") for _ in range(draw.randint(1, 25))]
        ends = 0.0
        for x, side, name in re.findall(
            r'<text class="month" x="([\d.]+)" y="28"( text-anchor="end")?>([^<]+)<',
            drawn([], marks, day, "Le parcours le long du temps", "fr"),
        ):
            begins = float(x) - (len(name) * A_LETTER if side else 0)
            assert begins >= ends, (name, marks)
            ends, told = begins + len(name) * A_LETTER, told + 1
            assert ends <= WIDTH
    assert told > 600
