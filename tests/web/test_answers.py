"""A command without an answer: the page says which of three it is, keeps what was typed, and sends the same again."""

import html
import os
import re
import signal
import subprocess
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from journeys import temporal
from journeys.app.web import acting
from journeys.app.web.application import make_application
from journeys.app.web.house import open_house
from journeys.contract import Answer, Fate
from journeys.local.record import read_record
from journeys.settings import load_settings
from journeys.store import people
from tests.app.conftest import gone_up
from tests.web.browser import Browser
from tests.web.conftest import Ground
from tests.web.office import PDF
from tests.web.pace import Unhurried

NOTE = "Elle a trouvé une chambre,\nrue des Lilas."


@dataclass(frozen=True)
class Servers:
    """A whole embedded stack of these tests' own, whose parts are stopped and woken."""

    data_dir: Path
    supervisor: subprocess.Popen[str]

    def pids(self, part: str) -> list[int]:
        """A part's process and its children."""
        found = read_record(self.data_dir)
        assert found is not None
        first = found.pids[part]
        parents = {int(p.name): _parent(p) for p in Path("/proc").iterdir() if p.name.isdecimal()}
        return [first, *(pid for pid, parent in parents.items() if parent == first)]

    def stop(self, part: str) -> None:
        """Frozen: it keeps its connections and answers nothing."""
        for pid in self.pids(part):
            os.kill(pid, signal.SIGSTOP)

    def wake(self, part: str) -> None:
        for pid in self.pids(part):
            os.kill(pid, signal.SIGCONT)

    def kill(self, part: str) -> None:
        """Dead, and not begun again before `revive`."""
        self.supervisor.send_signal(signal.SIGSTOP)
        os.kill(self.pids(part)[0], signal.SIGKILL)

    def revive(self) -> None:
        self.supervisor.send_signal(signal.SIGCONT)


def _parent(process: Path) -> int:
    try:
        return int((process / "stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0


@pytest.fixture(scope="module")
def servers() -> Iterator[Servers]:
    with gone_up() as up:
        yield Servers(up.data_dir, up.process)


@pytest_asyncio.fixture
async def ground(servers: Servers) -> AsyncIterator[Ground]:
    found = read_record(servers.data_dir)
    assert found is not None
    settings = load_settings(data_dir=servers.data_dir)
    async with open_house(settings, found.database_url, found.temporal_address) as house:
        yield Ground(house, make_application(house, pace=Unhurried()), found.database_url)


_NUMBER = iter(range(1_000))


async def begun(ground: Ground) -> tuple[Browser, str]:
    """A caseworker, and the address of a journey of theirs."""
    handle = f"aline{next(_NUMBER)}"
    await ground.member(handle, "referent", password=True)
    browser = await ground.entered(handle)
    answer = await start(browser, handle)
    assert answer.status_code == 303, answer.text
    return browser, answer.headers["location"].removesuffix("/debut")


async def start(browser: Browser, name: str) -> Any:
    await browser.get("/nouveau?programme=auxilia")
    referent = re.search(r'<option value="([^"]+)" selected>Aline', browser.page)
    assert referent is not None
    checked = await browser.send(
        "/nouveau", first_name="Ali", last_name=name, referent=referent[1], **{"date-release": "2099-05-04"}
    )
    assert checked.status_code == 200, checked.text
    return await browser.send("/nouveau", sure="yes")


async def note(browser: Browser, address: str) -> tuple[Any, str]:
    """Send a note from its form; the answer, and the id of the command."""
    action = f"{address}/agir/add-note"
    await browser.get(action)
    command = browser.hidden(action)["command"]
    return await browser.send(action, text=NOTE), command


async def ready(browser: Browser) -> dict[str, bool]:
    """What `/readyz` says, and its status with it."""
    answer = await browser.client.get("/readyz")
    found: dict[str, bool] = answer.json()
    assert answer.status_code == (200 if all(found.values()) else 503)
    return found


async def written(ground: Ground, command: str) -> int:
    """How many events of this command the journal has."""
    found: int = await ground.house.writing.fetchval(
        "SELECT count(*) FROM events WHERE convert_from(header, 'UTF8')::jsonb ->> 'command' = $1", command
    )
    return found


async def test_an_engine_that_is_gone_has_not_taken_it(
    servers: Servers, ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(acting, "PATIENCE", acting.PATIENCE / 6)
    browser, address = await begun(ground)
    assert await ready(browser) == {"database": True, "schema": True, "temporal": True}
    servers.kill("temporal")
    try:
        assert await ready(browser) == {"database": True, "schema": True, "temporal": False}
        answer, command = await note(browser, address)
        assert answer.status_code == 503
        assert "n’a pas été prise" in answer.text and "Rien n’a été changé" in answer.text and command in answer.text
        assert (
            "rue des Lilas.</textarea>" in answer.text
            and browser.hidden(f"{address}/agir/add-note")["command"] == command
        )
        for path in ("/", "/parcours", address, f"{address}/audit", f"{address}/audit?controle=moteur", "/alertes"):
            assert (await browser.get(path)).status_code == 200, f"{path} can be read"
        monkeypatch.setattr(temporal, "_NEVER_LEFT", ("nothing like it",))
        answer, command = await note(browser, address)
        assert "on ne sait pas" in answer.text, "without the distinction it would be unknown"
        assert await written(ground, command) == 0
    finally:
        servers.revive()
    monkeypatch.undo()
    answer = await browser.send(f"{address}/agir/add-note")
    assert answer.status_code == 303 and await written(ground, command) == 1


async def test_an_engine_that_falls_silent_leaves_it_unknown(
    servers: Servers, ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(acting, "PATIENCE", acting.PATIENCE / 6)
    browser, address = await begun(ground)
    servers.stop("temporal")
    try:
        assert not (await ready(browser))["temporal"]
        answer, command = await note(browser, address)
    finally:
        servers.wake("temporal")
    assert answer.status_code == 503 and "on ne sait pas" in answer.text and command in answer.text
    assert "rue des Lilas.</dd>" in answer.text, "what was typed is shown"
    monkeypatch.undo()
    answer = await browser.send(f"{address}/agir/add-note")
    assert answer.status_code == 303, answer.text
    assert await written(ground, command) == 1


async def test_a_file_is_asked_for_again(servers: Servers, ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page cannot hold a file: without it the same request would be another one."""
    monkeypatch.setattr(acting, "PATIENCE", acting.PATIENCE / 6)
    browser, address = await begun(ground)
    action = f"{address}/agir/add-evidence"
    await browser.get(action)
    fields = {**browser.hidden(action), "milestone": "exit-plan", "kind": "exit-plan"}

    async def send(fields: dict[str, str]) -> Any:
        answer = await browser.client.post(
            action, data=fields, files={"document": ("plan.pdf", PDF)}, headers={"origin": browser.here}
        )
        browser.page = answer.text
        return answer

    servers.stop("temporal")
    try:
        answer = await send(fields)
    finally:
        servers.wake("temporal")
    assert answer.status_code == 503 and "on ne sait pas" in answer.text
    assert 'type="file"' in answer.text and "choisissez-le de nouveau" in answer.text
    monkeypatch.undo()
    answer = await send(browser.hidden(action))
    assert answer.status_code == 303, answer.text
    assert await written(ground, fields["command"]) >= 1
    kept = "SELECT count(*) FROM parts WHERE stream = $1 AND name = 'document'"
    assert await ground.house.writing.fetchval(kept, f"journey-{address.rpartition('/')[2]}") == 1


async def test_a_database_that_falls_silent_after_the_sending_leaves_it_under_way(
    servers: Servers, ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With all of the page's patience: the engine keeps a command once its task was taken up a second time."""
    browser, address = await begun(ground)
    engine = await ground.house.client()

    async def client(house: object) -> object:
        servers.stop("postgres")
        return engine

    monkeypatch.setattr(type(ground.house), "client", client)
    try:
        answer, command = await note(browser, address)
    finally:
        servers.wake("postgres")
    monkeypatch.undo()
    assert answer.status_code == 503 and "train d’être écrite" in answer.text and command in answer.text
    answer = await browser.send(f"{address}/agir/add-note")
    assert answer.status_code == 303 and "fait=add-note" in answer.headers["location"], answer.text
    assert await written(ground, command) == 1


async def test_a_database_that_is_away_keeps_what_was_typed_and_has_changed_nothing(
    servers: Servers, ground: Ground
) -> None:
    browser, address = await begun(ground)
    action = f"{address}/agir/add-note"
    await browser.get(action)
    command = browser.hidden(action)["command"]
    servers.stop("postgres")
    try:
        answer = await browser.send(action, text=NOTE)
        assert answer.status_code == 503 and "rien n’a été changé" in answer.text and "rue des Lilas." in answer.text
        login = await browser.post("/connexion", {"handle": "aline", "password": "a secret word"})
        assert login.status_code == 503 and "a secret word" not in login.text
        browser.page = answer.text
    finally:
        servers.wake("postgres")
    assert (await browser.send(action)).status_code == 303 and await written(ground, command) == 1


async def test_what_the_journal_has_meanwhile_is_the_answer(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    browser, address = await begun(ground)
    send = temporal.send

    async def lost(*words: Any, **more: Any) -> Answer:
        await send(*words, **more)
        raise temporal.Unreachable("the answer got lost", Fate.UNKNOWN)

    monkeypatch.setattr(temporal, "send", lost)
    answer, command = await note(browser, address)
    assert answer.status_code == 303 and await written(ground, command) == 1


async def test_the_same_form_twice_has_one_effect_and_is_not_a_conflict(ground: Ground) -> None:
    browser, address = await begun(ground)
    for command in ("add-note", "opt-out"):
        action = f"{address}/agir/{command}"
        await browser.get(action)
        fields = {**browser.hidden(action), "text": NOTE} if command == "add-note" else browser.hidden(action)
        assert (await browser.post(action, fields)).status_code == 303
        again = await browser.post(action, fields)
        assert again.status_code == 303, again.text
        assert await written(ground, fields["command"]) == 1


async def test_the_same_form_with_another_content_is_told_and_does_nothing(ground: Ground) -> None:
    browser, address = await begun(ground)
    action = f"{address}/agir/add-note"
    await browser.get(action)
    fields = browser.hidden(action)
    assert (await browser.post(action, {**fields, "text": NOTE})).status_code == 303
    answer = await browser.post(action, {**fields, "text": "Autre chose."})
    assert answer.status_code == 409 and "déjà été envoyé" in answer.text and "--command-id" not in answer.text
    assert await written(ground, fields["command"]) == 1
    assert (await browser.send(action, text="Autre chose.")).status_code == 303, "a new request, on purpose"


async def test_what_is_wrong_with_the_day_is_said_beside_it(ground: Ground) -> None:
    browser, address = await begun(ground)
    action = f"{address}/agir/add-note"
    await browser.get(action)
    answer = await browser.send(action, text=NOTE, occurred="demain")
    assert answer.status_code == 422 and 'id="e-occurred"' in answer.text and 'href="#f-occurred"' in answer.text
    assert "occurred :" not in answer.text.replace("\xa0", " ") and "rue des Lilas.</textarea>" in answer.text


async def test_a_start_without_an_answer_begins_one_journey_only(
    servers: Servers, ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser, _ = await begun(ground)
    send = temporal.send

    async def silent(*words: Any, **more: Any) -> Answer:
        raise temporal.Unreachable("no answer", Fate.UNKNOWN, words[1].id)

    name = f"seul{next(_NUMBER)}"
    monkeypatch.setattr(temporal, "send", silent)
    answer = await start(browser, name)
    assert answer.status_code == 503 and "on ne sait pas" in answer.text
    monkeypatch.setattr(temporal, "send", send)
    fields = browser.hidden("/nouveau")
    for _ in range(2):
        answer = await browser.post("/nouveau", fields)
        assert answer.status_code == 303 and fields["journey"] in answer.headers["location"], answer.text
    [person] = await people.search(ground.house.writing, name)
    count = "SELECT count(*) FROM journeys WHERE person = $1"
    assert await ground.house.writing.fetchval(count, person.id) == 1


async def test_a_beginning_has_a_receipt_that_does_nothing_when_it_is_opened_again(ground: Ground) -> None:
    aline, address = await begun(ground)
    shown = [await aline.get(f"{address}/debut") for _ in range(3)]
    assert len({answer.text for answer in shown}) == 1 and shown[0].status_code == 200
    told = html.unescape(shown[0].text)
    assert address.rpartition("/")[2][:8] in told and "Ali aline" in told and "par Aline" in told
    assert "Auxilia" in told and "4 mai 2099" in told and "Aucun message n’est parti" in told
    coming = re.findall(r"<li>(.*?)</li>", told.partition('class="coming"')[2].partition("</ol>")[0])
    assert coming and all(re.search(r" 20\d\d", each) for each in coming), "each with its day"
    assert f'href="{address}"' in told and f'href="{address}/synthese.pdf"' in told
    assert "Dites-le-lui" not in told
    count = "SELECT count(*) FROM events WHERE stream = $1"
    seq = await ground.house.writing.fetchval(count, f"journey-{address.rpartition('/')[2]}")
    assert (await aline.get(f"{address}/synthese.pdf")).headers["content-type"] == "application/pdf"
    assert await ground.house.writing.fetchval(count, f"journey-{address.rpartition('/')[2]}") == seq


async def test_the_second_of_two_reads_who_did_what_and_decides_again(ground: Ground) -> None:
    """About the same thing; the rest that happened since is told along with it."""
    aline, address = await begun(ground)
    await ground.member(handle := f"samia{next(_NUMBER)}", "supervisor", password=True)
    samia = await ground.entered(handle)
    moving, noting = f"{address}/agir/move-date", f"{address}/agir/add-note"
    await aline.get(f"{moving}?date=release")
    await samia.get(noting)
    assert (await samia.send(noting, text="Vue ce matin au parloir.")).status_code == 303
    await samia.get(f"{moving}?date=release")
    assert (await samia.send(moving, date="release", on="2099-06-01", reason="reporté")).status_code == 303
    answer = await aline.send(moving, date="release", on="2099-07-01", reason=NOTE)
    assert answer.status_code == 409
    since = answer.text.partition('id="depuis"')[2].partition("</section>")[0]
    assert handle.capitalize() in since and "Vue ce matin au parloir." in since and "DateMoved" not in answer.text
    assert "rue des Lilas.</textarea>" in answer.text
    assert (await aline.send(moving, date="release", on="2099-07-01", reason=NOTE)).status_code == 303


async def test_who_acts_on_another_thing_meanwhile_is_not_held_up(ground: Ground) -> None:
    """The rule of the API, in the pages: a note, and a milestone beside a date that somebody moves."""
    aline, address = await begun(ground)
    await ground.member(handle := f"samia{next(_NUMBER)}", "supervisor", password=True)
    samia, moving = await ground.entered(handle), f"{address}/agir/move-date"
    for command, typed in (
        ("add-note", {"text": NOTE}), ("reach-milestone", {"milestone": "lodging-asked", "note": "demandé"}),
    ):  # fmt: skip
        await aline.get(f"{address}/agir/{command}")
        await samia.get(f"{moving}?date=release")
        moved = await samia.send(moving, date="release", on="2099-06-01", reason=f"reporté {command}")
        assert moved.status_code in (303, 403), moved.text
        answer = await aline.send(f"{address}/agir/{command}", **typed)
        assert answer.status_code == 303, answer.text


async def test_the_same_form_again_after_somebody_elses_change_has_its_first_answer(ground: Ground) -> None:
    aline, address = await begun(ground)
    await ground.member(handle := f"samia{next(_NUMBER)}", "supervisor", password=True)
    samia, moving = await ground.entered(handle), f"{address}/agir/move-date"
    await aline.get(f"{moving}?date=release")
    fields = {**aline.hidden(moving), "date": "release", "on": "2099-07-01", "reason": "reporté"}
    assert (await aline.post(moving, fields)).status_code == 303
    await samia.get(f"{moving}?date=release")
    assert (await samia.send(moving, date="release", on="2099-08-01", reason="encore")).status_code == 303
    answer = await aline.post(moving, fields)
    assert answer.status_code == 303, answer.text
    assert await written(ground, fields["command"]) == 1
