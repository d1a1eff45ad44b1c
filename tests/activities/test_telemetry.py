"""Logs: allowed keys only, errors by place, no personal text, one line an entry."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from journeys import telemetry

CANARY = "Éloïse D’Œuvre FR7630004000031234567890143"


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    stream = io.StringIO()
    telemetry.configure(stream=stream)
    yield stream
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def entries(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_allowed_keys_stay_and_others_are_dropped_by_name(log: io.StringIO) -> None:
    structlog.get_logger("x").info("effect", kind="deliver", answer="sent", address="a", name=CANARY, iban=CANARY)
    (entry,) = entries(log)
    assert (entry["kind"], entry["answer"], entry["level"]) == ("deliver", "sent", "info")
    assert entry["dropped"] == ["iban", "name"]
    assert "loïse" not in log.getvalue()


def test_ids_bound_around_an_effect_are_on_its_entries_only(log: io.StringIO) -> None:
    with telemetry.bound(journey="journey-1", effect=7):
        structlog.get_logger("x").info("inside")
    structlog.get_logger("x").info("outside")
    inside, outside = entries(log)
    assert (inside["journey"], inside["effect"]) == ("journey-1", 7)
    assert "journey" not in outside


def _fail() -> None:
    raise ValueError(CANARY)


def test_an_error_is_told_by_its_place_without_its_text(log: io.StringIO) -> None:
    try:
        try:
            _fail()
        except ValueError as error:
            raise RuntimeError(CANARY) from error
    except RuntimeError:
        structlog.get_logger("x").exception("failed")
        logging.getLogger("elsewhere").exception("failed too")
    first, second = entries(log)
    for entry in (first, second):
        assert "RuntimeError at test_telemetry.py" in entry["exception"]
        assert "from ValueError" in entry["exception"]
    assert "FR76" not in log.getvalue()


def test_a_value_cannot_begin_a_line_of_its_own(log: io.StringIO) -> None:
    structlog.get_logger("x").info("ended", reason='x\n{"event": "forged"}\x1b[31m')
    (entry,) = entries(log)
    assert entry["event"] == "ended"
    assert "\x1b" not in entry["reason"]


def test_a_line_for_people_has_the_same_bounds() -> None:
    stream = io.StringIO()
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    try:
        telemetry.configure(form="console", stream=stream)
        structlog.get_logger("x").warning("effect", kind="tell", name=CANARY)
        try:
            _fail()
        except ValueError:
            structlog.get_logger("x").exception("failed")
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
        structlog.reset_defaults()
    assert "kind" in stream.getvalue()
    assert "FR76" not in stream.getvalue()


def test_quieter_levels_say_nothing(log: io.StringIO) -> None:
    structlog.get_logger("x").debug("detail")
    logging.getLogger("elsewhere").debug("detail")
    assert entries(log) == []
