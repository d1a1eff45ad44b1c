"""Payments, files of the bank and its lines, as a finance officer works them off: by keyboard, without a mouse."""

import re
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from journeys.app.entry import key_ring
from journeys.domain.banking import Line, StatementHead
from journeys.settings import load_settings
from journeys.store import bank_files
from journeys.store.bank_files import Incoming
from journeys.store.database import open_pool
from journeys.store.directory import By
from journeys.store.payments import reference_of
from tests.browser.conftest import Enter, Hand, Site, apart, execute, id_of, keep_picture
from tests.browser.test_paths import unique
from tests.days import paris_today

Look = Callable[[Page, str], None]
OURS = "FR7630006000011234567890189"
TODAY = paris_today()


def put(site: Site, journey: str, status: str, *, pay_by: str = "sepa", days: int = 0, **more: str | None) -> str:
    """A payment beside the journey's own, as an append writes its row."""
    id = str(uuid.uuid4())
    execute(
        site,
        "INSERT INTO payments (id, stream, seq, grant_id, number, fund, person, amount, pay_by, reference, status,"
        " since, moved, reason, doubt) SELECT $1, 'journey-' || $2, 1, $3, 1, 'parvis-solidaire', person, 12000, $4,"
        " $5, $6, $7, 1, $8, $9 FROM journeys WHERE id = $2::uuid",
        id, journey, str(uuid.uuid4()), pay_by, reference_of(id), status, datetime.now(UTC) - timedelta(days=days),
        more.get("reason"), more.get("doubt"),
    )  # fmt: skip
    return id


def paid(site: Site, journey: str, grant: str) -> str:
    """The journey's own payment, once the engine has made it."""
    until = time.monotonic() + 30
    while time.monotonic() < until:
        rows = execute(site, "SELECT id::text FROM payments WHERE stream = $1 AND grant_id = $2::uuid",
                       f"journey-{journey}", grant)  # fmt: skip
        if rows:
            return str(rows[0]["id"])
        time.sleep(0.2)
    raise AssertionError("no payment was made")


def lines(site: Site, references: list[str], cents: int) -> None:
    """Lines of a statement that fit nothing by themselves."""

    async def take() -> None:
        pool = await open_pool(site.database, largest=2)
        head = StatementHead(id="1", kind="camt.053", iban=OURS, currency="EUR", opening=0, closing=0,
                             first_day=TODAY, last_day=TODAY, created=datetime.now(UTC))  # fmt: skip
        came = [
            Line(position=nth, booked_on=TODAY, cents=cents, currency="EUR", reference=each, iban=OURS,
                 name="Élodie Martin", bank_reference=uuid.uuid4().hex[:16], returned=False, reason=None, about="")
            for nth, each in enumerate(references, start=1)
        ]  # fmt: skip
        by = By(actor=id_of_finance, role="finance", at=datetime.now(UTC))
        ring = key_ring(load_settings(data_dir=site.data_dir))
        await bank_files.take_in(pool, ring, Incoming(uuid.uuid4().hex * 2, [head, *came]), OURS, by)
        await pool.close()

    id_of_finance = id_of(site, "fin")
    apart(take())


@pytest.mark.parametrize(
    ("width", "media", "scripts"),
    [(1280, {}, True), (320, {"color_scheme": "dark"}, True), (1280, {"media": "print"}, False)],
    ids=["at-a-desk", "on-a-phone-in-the-dark", "on-paper-and-without-javascript"],
)
def test_two_hundred_lines_on_a_keyboard(
    site: Site, enter: Enter, looked_at: Look, width: int, media: dict[str, Any], scripts: bool
) -> None:
    name = unique("Martin")
    aline, sam = Hand(site, "aline"), Hand(site, "sam")
    path = aline.begin(name, id_of(site, "aline"))
    grant = aline.ask_grant(path, "600")
    sam.approve(path, grant)
    Hand(site, "fin").approve(path, grant)
    journey = path.rpartition("/")[2]
    fin = enter("fin", width=width)
    fin.emulate_media(**media)
    mode = f"{width}-{'-'.join(media.values())}" if media else str(width)
    doubted = put(site, journey, "accepted", doubt="no-match")
    for status, days in (("unknown", 9), ("settled", 3), ("accepted", 0)):
        put(site, journey, status, days=days)
    put(site, journey, "instructed", pay_by="voucher")
    put(site, journey, "blocked", reason="fund-cap")
    lines(site, [f"INCONNU{mode}A", reference_of(doubted), f"INCONNU{mode}B"], -119_99)

    if media.get("media") != "print":
        fin.goto("/")
        fin.get_by_role("navigation", name="L’argent à suivre").get_by_role("link", name="à rapprocher").click()
    for address, picture in (("/", "today"), ("/versements", "list"), ("/versements/fichiers", "files"),
                             (f"/versements/{doubted}", "doubt"), ("/a-rapprocher", "queue")):  # fmt: skip
        fin.goto(address)
        assert fin.evaluate("document.documentElement.scrollWidth") <= width, address
        looked_at(fin, f"money-{picture}-{mode}")
    if not scripts:
        fin, looked_at = enter("fin", scripts=False), keep_picture  # axe is a script too
    fin.goto(f"/versements/{doubted}")
    expect(fin.get_by_role("link", name="Garder")).to_be_visible()
    fin.goto(f"/versements/{paid(site, journey, grant)}")
    expect(fin.locator("main")).to_contain_text("a donné son accord")
    expect(fin.get_by_text("Samia Kaci, Fanny Noël")).to_be_visible()
    looked_at(fin, f"money-payment-{mode}")
    fin.goto("/versements?faire=handing")
    fin.get_by_role("row", name=name).get_by_role("link", name="Noter la remise").click()
    expect(fin.get_by_role("heading", level=1)).to_be_visible()

    fin.goto("/a-rapprocher")
    fin.get_by_role("link", name="Commencer par la plus ancienne").click()
    for _ in range(2):
        first = fin.url.partition("?")[0]
        looked_at(fin, f"money-line-{mode}")
        if scripts:
            expect(fin.locator("[data-first] input").first).to_be_focused()
        fin.get_by_label("pas un de nos versements").focus()
        fin.keyboard.press("Space")
        fin.keyboard.press("Tab")
        fin.keyboard.type("Frais de la banque")
        fin.keyboard.press("Enter")
        expect(fin).not_to_have_url(re.compile(re.escape(first) + r"(\?|$)"))
        expect(fin.get_by_role("status")).to_contain_text("Voici la suivante")
    looked_at(fin, f"money-next-{mode}")
    fin.goto("/a-rapprocher?traitees=1")
    expect(fin.get_by_role("cell", name="Frais de la banque").first).to_be_visible()
