"""Short messages: numbers, lengths, and what each answer of a gateway proves."""

import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from journeys.channels import phone, segments
from journeys.channels.asking import Line
from journeys.channels.letter import Fate, Letter, Sent
from journeys.channels.sms import Gateway, Own, Rejected, Taken, Text
from journeys.channels.sms_vendors import Brevo, Ovh
from tests.channels.test_provider import Host, hosting, http
from tests.gateway import server
from tests.gateway.ledger import Way, asked, open_ledger, phones
from tests.gateway.process import TOKEN, gateway_process

ID = "0190b5a0-0000-7000-8000-00000000000a"
NUMBER = "06 12 34 56 78"


def letter(body: str = "Rendez-vous le 12 mai à 9 h", to: str = NUMBER, id: str = ID) -> Letter:
    return Letter(id=id, to=to, subject="", body=body, lang="fr", at=datetime(2027, 5, 12, 7, tzinfo=UTC))


def gateway(url: str, seconds: float = 1.0) -> Gateway:
    return Gateway(Own(url, TOKEN, "Asso"), line=Line(1.0, seconds))


def of(host: Host) -> Gateway:
    return gateway(f"http://127.0.0.1:{host.port}")


@pytest.mark.parametrize(
    ("written", "zone", "found"),
    [
        (NUMBER, None, "+33612345678"),
        ("0033 6.12.34.56.78", None, "+33612345678"),
        ("+33 (0)6 12 34 56 78", None, "+33612345678"),
        ("٠٦١٢٣٤٥٦٧٨", None, "+33612345678"),
        ("0690 12 34 56", None, "+590690123456"),
        ("+33 690 12 34 56", None, "+590690123456"),
        ("0692 12 34 56", "Indian/Reunion", "+262692123456"),
        ("75 12 34", "Pacific/Noumea", "+687751234"),
        ("06 12 34 56 78", "Indian/Reunion", "+33612345678"),
        ("06 12 34 56 78", "Pacific/Noumea", "+33612345678"),
        ("0690 12 34 56", "Indian/Reunion", "+590690123456"),
        ("0692 12 34 56", "America/Martinique", "+262692123456"),
        ("75 12 34", None, "bad-number-short"),
        ("3639", None, "bad-number-short"),
        ("01 12 34 56 78", None, "bad-number-not-mobile"),
        ("0899 12 34 56", None, "bad-number-not-mobile"),
        ("06 12 34 56 7", None, "bad-number-unknown"),
        ("+44 7400 123456", None, "bad-number-abroad"),
        ("", None, "bad-number-shape"),
        ("06 12 34 56 78 (mère)", None, "bad-number-shape"),
        ("0612345678\n0687654321", None, "bad-number-shape"),
        ("1" * 4_000, None, "bad-number-shape"),
        ("+" + "9" * 30, None, "bad-number-shape"),
    ],
)
def test_a_number_is_what_its_network_dials(written: str, zone: str | None, found: str) -> None:
    said = phone.check(written, zone=zone)
    assert (said.code if isinstance(said, phone.WrongNumber) else said) == found


@pytest.mark.parametrize("zone", [None, *phone.OVERSEAS])
@pytest.mark.parametrize(
    "written",
    [NUMBER, "0692 12 34 56", "0262 12 34 56", "75 12 34", "87 12 34 56", "+33 690 12 34 56", "612345678", "vide"],
)
def test_a_gateway_reads_a_number_again_as_its_owners_answer_is_read(written: str, zone: str | None) -> None:
    dialled = phone.dialled(written, zone)
    assert phone.check(dialled, None) in (dialled, phone.check(written, None, zone))


def test_a_country_that_is_allowed_is_not_abroad() -> None:
    assert phone.check("+44 7400 123456", ("FR", "GB")) == "+447400123456"


@pytest.mark.parametrize(
    ("text", "alphabet", "units", "cut"),
    [
        ("a" * 160, "gsm-7", 160, 1), ("a" * 161, "gsm-7", 161, 2), ("a" * 306, "gsm-7", 306, 2),
        ("a" * 307, "gsm-7", 307, 3), ("€" * 80, "gsm-7", 160, 1), ("é" * 160, "gsm-7", 160, 1),
        ("a" * 152 + "€" + "a" * 152, "gsm-7", 306, 3), ("ç" * 70, "ucs-2", 70, 1), ("ç" * 71, "ucs-2", 71, 2),
        ("😀" * 35, "ucs-2", 70, 1), ("a" * 66 + "😀" + "a" * 66, "ucs-2", 134, 3), ("", "gsm-7", 0, 1),
    ],
)  # fmt: skip
def test_a_text_is_cut_where_no_sign_breaks(text: str, alphabet: str, units: int, cut: int) -> None:
    assert segments.length(text) == segments.Length(alphabet, units, cut)  # type: ignore[arg-type]


def test_typesetting_costs_no_segments() -> None:
    assert (
        segments.plain("  C’est «\u00a0ici\u00a0» – à l’heure…\n\n  Bien  sûr\n")
        == "C'est \" ici \" - à l'heure...\nBien sûr"
    )


GOOD = {"message": ID, "status": "accepted", "reference": "gw-1"}


@pytest.mark.parametrize(
    ("answer", "sent"),
    [
        (http("202 Accepted", GOOD), Sent(Fate.SENT, reference="gw-1")),
        (http("200 OK", {**GOOD, "reference": ["x"]}), Sent(Fate.SENT)),
        (
            http("200 OK", {**GOOD, "status": "rejected", "reason": "dead-number"}),
            Sent(Fate.REFUSED, "dead-number"),
        ),
        (
            http("200 OK", {**GOOD, "status": "rejected", "reason": "blocked-number"}),
            Sent(Fate.REFUSED, "blocked-number"),
        ),
        (http("200 OK", {**GOOD, "status": "rejected", "reason": "spam"}), Sent(Fate.REFUSED, "sms-spam")),
        (http("200 OK", {**GOOD, "status": "rejected", "reason": "M. X a changé"}), Sent(Fate.REFUSED, "sms-refused")),
        (http("429 Too Many", {}, "Retry-After: 7"), Sent(Fate.NOTHING_LEFT, "sms-429", after_seconds=7.0)),
        (http("503 Away", b"", "Retry-After: soon"), Sent(Fate.NOTHING_LEFT, "sms-503")),
        (http("500 Error", b"oops"), Sent(Fate.NOTHING_LEFT, "sms-500", perhaps=True)),
        (http("401 Who", {}), Sent(Fate.NOTHING_LEFT, "sms-401")),
        (http("402 Pay", {}), Sent(Fate.NOTHING_LEFT, "sms-402")),
        (http("400 Bad", {}), Sent(Fate.REFUSED, "sms-400")),
        (http("409 Conflict", {}), Sent(Fate.UNKNOWN, "sms-409")),
        (http("302 Found", GOOD, "Location: /elsewhere"), Sent(Fate.UNKNOWN, "sms-302")),
        (http("202 Accepted", {**GOOD, "message": ID[:-1] + "b"}), Sent(Fate.UNKNOWN, "sms-wrong-answer")),
        (http("202 Accepted", b"ok"), Sent(Fate.UNKNOWN, "sms-wrong-answer")),
        (http("204 No Content", b""), Sent(Fate.UNKNOWN, "sms-204")),
        (b"HTTP/1.1 202 Accepted\r\nContent-Length: 500\r\n\r\n{", Sent(Fate.UNKNOWN, "sms-no-answer")),
        (b"", Sent(Fate.UNKNOWN, "sms-no-answer")),
    ],
)
async def test_each_answer_proves_what_it_proves_and_is_asked_for_once(answer: bytes, sent: Sent) -> None:
    with hosting(answer) as host:
        assert await of(host).send(letter()) == sent
    (request,) = host.requests
    assert f"idempotency-key: {ID}".encode() in request.lower()


async def test_an_error_of_a_gateway_that_keeps_no_keys_is_a_doubt() -> None:
    with hosting(http("500 Error", b"")) as host:
        kept = of(host)
        assert (await replace(kept, dialect=replace(kept.dialect, keyed=False)).send(letter())).fate is Fate.UNKNOWN  # type: ignore[type-var]


async def test_nothing_is_asked_of_a_wrong_number_or_for_a_text_without_end() -> None:
    with hosting(http("202 Accepted", GOOD)) as host:
        assert await of(host).send(letter(to="3639")) == Sent(Fate.REFUSED, "bad-number-short")
        assert await of(host).send(letter("ç" * 202)) == Sent(Fate.REFUSED, "sms-too-long")
        assert host.requests == []


async def test_only_what_was_not_written_is_unsent(monkeypatch: pytest.MonkeyPatch) -> None:
    """A port where nobody listens; and, the look at the writing taken away, a broken connection would be sent again."""
    assert await gateway("http://127.0.0.1:1").send(letter()) == Sent(Fate.NOTHING_LEFT, "sms-unreachable")
    with hosting(write=lambda request: time.sleep(1.5)) as host:
        assert await of(host).send(letter()) == Sent(Fate.UNKNOWN, "sms-timeout")


# --- the fake gateway


@dataclass
class Fake:
    path: Path
    url: str

    async def send(self, way: Way, id: str = ID) -> Sent:
        return await gateway(self.url, 0.5).send(letter(f"Bonjour GW-{way.upper()}", id=id))


@contextmanager
def faking(path: Path) -> Iterator[Fake]:
    running = server.serve(
        server.Gateway(open_ledger(path), TOKEN, hang_seconds=0.8, late_seconds=0.1, retry_seconds=1)
    )
    threading.Thread(target=running.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield Fake(path, f"http://127.0.0.1:{running.server_port}")
    finally:
        running.shutdown()
        running.server_close()


async def test_the_fake_gateway_fails_on_demand_and_sends_on_once_a_key(tmp_path: Path) -> None:
    first = {
        Way.ACCEPTS: Fate.SENT, Way.REFUSES: Fate.REFUSED, Way.TIMES_OUT: Fate.UNKNOWN, Way.SILENCE: Fate.UNKNOWN,
        Way.ERROR: Fate.NOTHING_LEFT, Way.ERROR_AFTER: Fate.NOTHING_LEFT, Way.BUSY: Fate.NOTHING_LEFT,
        Way.SLOW: Fate.SENT,
    }  # fmt: skip
    with faking(tmp_path / "ledger") as fake:
        for way, fate in first.items():
            id = str(uuid.uuid4())
            before = len(phones(fake.path))
            sent = await fake.send(way, id)
            assert sent.fate is fate, way
            if fate is Fate.NOTHING_LEFT:
                assert (sent.after_seconds == 1.0) is (way is Way.BUSY)
                assert (await fake.send(way, id)).fate is Fate.SENT
            reached = len(phones(fake.path)) - before
            assert reached == (way not in (Way.REFUSES, Way.SILENCE)), way
        assert asked(fake.path)[Way.BUSY] == 2


async def test_the_fake_gateway_as_a_process_forgets_nothing_when_killed(tmp_path: Path) -> None:
    with gateway_process(tmp_path / "ledger", "--drawn", "late-error") as process:
        assert (await gateway(process.url, 5.0).send(letter())).reason == "sms-500"
        process.kill()
        process.begin()
        assert (await gateway(process.url, 5.0).send(letter())).fate is Fate.SENT
    assert phones(tmp_path / "ledger") == [("+33612345678", "Rendez-vous le 12 mai à 9 h")]


# --- vendors, against what their documentation shows


TEXT = Text(ID, "+33612345678", "Rendez-vous", 1, False)


@pytest.mark.parametrize(
    ("said", "answer"),
    [({"messageId": 1511882900176220, "reference": "ab"}, Taken("1511882900176220")), ({"code": "x"}, None)],
)
def test_brevo_as_documented(said: dict[str, Any], answer: Taken | Rejected | None) -> None:
    brevo = Brevo("key", "Asso")
    asked = brevo.question(TEXT)
    assert asked.url == "https://api.brevo.com/v3/transactionalSMS/send" and asked.headers == {"api-key": "key"}
    assert brevo.answer(TEXT, said) == answer and brevo.never_run and not brevo.keyed


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        ({"ids": [42], "validReceivers": [TEXT.to], "invalidReceivers": []}, Taken("42")),
        ({"ids": [], "validReceivers": [], "invalidReceivers": [TEXT.to]}, Rejected("dead-number")),
        ({"ids": []}, None),
    ],
)
def test_ovh_as_documented(
    said: dict[str, Any], answer: Taken | Rejected | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "time", lambda: 1_800_000_000)
    ovh = Ovh("app:secret:consumer", "Asso", "sms-ab1-1")
    asked = ovh.question(TEXT)
    assert asked.url == "https://eu.api.ovh.com/1.0/sms/sms-ab1-1/jobs"
    assert asked.headers["x-ovh-timestamp"] == "1800000000" and asked.headers["x-ovh-signature"].startswith("$1$")
    assert "secret" not in asked.headers.values() and b"secret" not in asked.content
    assert ovh.answer(TEXT, said) == answer and ovh.never_run and not ovh.keyed
