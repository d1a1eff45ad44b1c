"""Values that nobody types: told as the sender's slip, never as a database that does not answer."""

from typing import Any

from tests.web.conftest import Ground, form

START = {"programme": "auxilia", "first_name": "Samir", "last_name": "Benali"}


async def test_a_control_character_in_an_address_is_the_senders_slip(ground: Ground) -> None:
    session = await ground.session(await ground.member("sam", "supervisor"))
    async with ground.browser(session) as browser:
        for path in ("/parcours", "/parcours.csv"):
            for query in ("site=a%00b", "programme=%00", "phase=%00", "texte=%00"):
                answer = await browser.get(f"{path}?{query}")
                assert answer.status_code in (200, 422), (path, query, answer.text)


async def test_a_start_names_what_is_in_the_list(ground: Ground) -> None:
    me = await ground.member("sam", "supervisor")
    session = await ground.session(me)
    async with ground.browser(session) as browser:
        for field, value in (
            ("referent", "2027-05-12T25:00"), ("referent", "\0"), ("programme", "/etc/passwd"), ("programme", "../x"),
            ("programme", "\0"),
        ):  # fmt: skip
            typed: dict[str, Any] = {**START, "referent": me, "date-release": "2099-01-01", field: value}
            answer = await browser.post("/nouveau", data=form(session, **typed))
            assert answer.status_code == 422 and f'href="#f-{field}"' in answer.text, (field, value, answer.text)
            assert "root:" not in answer.text, (field, value)


async def test_an_origin_that_is_no_address_is_another_site(ground: Ground) -> None:
    session = await ground.session(await ground.member("sam", "supervisor"))
    async with ground.browser(session) as browser:
        for name in ("Origin", "Referer"):
            if name == "Referer":
                del browser.headers["origin"], browser.headers["sec-fetch-site"]
            answer = await browser.post("/compte/sessions", data=form(session), headers={name: "http://[::1"})
            assert answer.status_code == 403, name
