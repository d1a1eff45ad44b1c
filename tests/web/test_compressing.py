"""Pages are compressed for those who ask here; what another site has a browser ask for is not told by its length."""

import gzip

from tests.web.conftest import Ground


async def raw(ground: Ground, path: str, **headers: str) -> tuple[str, bytes]:
    """How a body is encoded, and the body as it was sent."""
    async with ground.browser() as browser:
        browser.headers["Accept-Encoding"] = "gzip"
        browser.headers.pop("Sec-Fetch-Site")
        async with browser.stream("GET", path, headers={k.replace("_", "-"): v for k, v in headers.items()}) as answer:
            assert answer.status_code == 200
            return answer.headers.get("content-encoding", ""), b"".join([part async for part in answer.aiter_raw()])


async def test_a_page_that_was_asked_for_here_is_compressed_and_what_another_site_asked_for_is_not(
    ground: Ground,
) -> None:
    for site in ("same-origin", "none"):
        encoding, body = await raw(ground, "/connexion", sec_fetch_site=site)
        assert encoding == "gzip" and b"<main" in gzip.decompress(body), site
    for site in ("cross-site", "same-site", ""):
        encoding, body = await raw(ground, "/connexion", **({"sec_fetch_site": site} if site else {}))
        assert encoding == "" and b"<main" in body, site


async def test_what_is_the_same_for_everybody_always_is(ground: Ground) -> None:
    encoding, body = await raw(ground, "/static/pico-2.1.1.min.css", sec_fetch_site="cross-site")
    assert encoding == "gzip" and len(body) < 15_000 < len(gzip.decompress(body))
