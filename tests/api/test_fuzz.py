"""Broken requests of every kind on every address: no 5xx while every server is there. Whole: make campaign-fuzz."""

from tests.api.fuzz import run
from tests.api.site import Site

SEED = 20261128


def test_no_request_brings_the_application_down(site: Site) -> None:
    storm = run(site, 500, SEED)
    assert storm.failed == []
    assert sum(storm.statuses.values()) + storm.not_http == 500 and storm.not_http < 50
    assert {200, 303, 401, 403, 404, 405, 422} <= set(storm.statuses), "it must come past every door"
