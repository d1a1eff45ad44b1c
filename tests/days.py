"""Which day it is where the house is: near midnight another one than where the machine stands."""

from datetime import date, datetime
from zoneinfo import ZoneInfo


def paris_today() -> date:
    return datetime.now(ZoneInfo("Europe/Paris")).date()
