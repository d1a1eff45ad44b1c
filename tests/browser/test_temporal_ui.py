"""Temporal's own pages, as its server brings them along, with our codec: by the session of whoever looks."""

from playwright.sync_api import Browser, BrowserContext, expect

from tests.browser.conftest import Enter, Site, keep_picture, token_of
from tests.browser.test_paths import begin, unique

OPENED = '"history_limit": null'
"""What the first payload of every journey says."""


def test_temporals_own_pages_read_what_the_session_may_see(site: Site, enter: Enter, chromium: Browser) -> None:
    journey = begin(enter("aline"), unique("Moteur")).rpartition("/")[2]
    run = f"{site.temporal_ui}/namespaces/default/workflows/journey-{journey}"
    context = chromium.new_context(viewport={"width": 1400, "height": 1000})
    context.add_cookies([{"name": "session", "value": token_of(site.database, "aude"), "url": site.url}])
    page = context.new_page()
    page.goto(run)
    expect(page.locator("body")).to_contain_text("Results will appear", timeout=20_000)
    expect(page.locator("body")).not_to_contain_text(OPENED)
    page.get_by_test_id("data-encoder-status").click()
    dialog = page.locator("#data-encoder-settings")
    dialog.get_by_text("Use my browser setting").click()
    page.locator("#data-encoder-endpoint-input").fill(f"{site.url}/codec")
    dialog.get_by_text("Include cross-origin credentials").click()
    dialog.get_by_test_id("confirm-modal-button").click()
    page.goto(run)
    expect(page.locator("body")).to_contain_text(OPENED, timeout=20_000)
    keep_picture(page, "temporal-ui")
    kept = page.evaluate("JSON.stringify(localStorage)")
    context.close()
    stranger(chromium.new_context(), run, kept)


def stranger(context: BrowserContext, run: str, kept: str) -> None:
    """The same pages, set up alike, in a browser that has not logged in to the application."""
    context.add_init_script(f"for (const [name, value] of Object.entries({kept})) localStorage.setItem(name, value)")
    page = context.new_page()
    page.goto(run)
    expect(page.locator("body")).to_contain_text("Codec Server could not connect", timeout=20_000)
    expect(page.locator("body")).not_to_contain_text(OPENED)
    context.close()
