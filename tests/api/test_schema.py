"""The OpenAPI document tells the truth: what it allows is taken or refused by a rule, what it forbids is refused.

A few examples of each operation here; whole: make campaign-api.
"""

import json

from journeys.app.fields import commands
from journeys.app.web.api import bodies, shapes
from tests.api.schema_campaign import FEW, check_all
from tests.api.site import Site


def test_what_the_document_says_holds(site: Site) -> None:
    found = check_all(site, examples=2, seed=20261128, commands=FEW)
    assert found.failures == []
    assert found.operations > 15 and found.cases > found.operations


def test_the_document_is_served_to_whoever_asks(site: Site) -> None:
    with site.client(None) as program:
        answer = program.get("/openapi.json")
    told = answer.json()
    assert (answer.status_code, told["openapi"][:3]) == (200, "3.1")
    assert {path.rpartition("/")[2] for path in told["paths"] if "/commands/" in path} == set(commands())
    for path, methods in told["paths"].items():
        for method, operation in methods.items():
            assert operation["security"] == [{"HTTPBearer": []}], path
            assert all(
                "application/problem+json" in answer["content"]
                for status, answer in operation["responses"].items()
                if int(status) >= 400
            )
            if method == "post":
                assert operation["requestBody"]["content"]["application/json"]["example"] is not None, path


def test_every_example_is_one(site: Site) -> None:
    for name in bodies.models():
        bodies.model_of(name).model_validate_json(json.dumps(bodies.example_of(name)))
    bodies.Start.model_validate_json(json.dumps(bodies.START_EXAMPLE))
    bodies.Retry.model_validate_json(json.dumps(bodies.RETRY_EXAMPLE))
    shown = [each for each in vars(shapes).values() if isinstance(each, type) and issubclass(each, shapes.Shape)]
    told = [each for each in shown if shapes.example_of(each) is not None]
    assert len(told) > 15
    for each in told:
        each.model_validate(shapes.example_of(each))
