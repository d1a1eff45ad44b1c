"""The demonstration: two lives on the real stack, all of them in the core on any day, and files that are wrong."""

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import pytest

from journeys import clock
from journeys.app.cli import demo
from journeys.app.cli.demo_tables import WIDTH, Pages, as_json
from journeys.app.failures import Exit, Failure
from journeys.audit.verdicts import Verdict
from journeys.authoring.reading import programme_names
from journeys.local import player
from journeys.local.bank_days import Reconciled, reconcile
from journeys.local.lives import LIVES, Lives, LivesInvalid, cohort_names, parse_when, read_lives
from journeys.local.player import PlayFailed, Report, play
from journeys.local.record import StackInfo
from journeys.local.stack import AfterStart, Stack
from journeys.settings import load_settings
from journeys.store.database import Pool, open_pool
from journeys.store.signing import KeyRing
from tests.app.rehearsal import Rehearsed, rehearse
from tests.homes import a_home
from worker import WORKFLOWS

read_once = cache(read_lives)
AUXILIA = read_once(LIVES / "auxilia.yaml")

BEGINNINGS = [
    datetime(2026, 11, 20, 11, 0, tzinfo=UTC),
    datetime(2026, 12, 24, 22, 50, tzinfo=UTC),
    datetime(2027, 2, 6, 5, 0, tzinfo=UTC),
    datetime(2027, 3, 28, 0, 59, tzinfo=UTC),
    datetime(2027, 5, 5, 16, 30, tzinfo=UTC),
    datetime(2027, 7, 13, 9, 0, tzinfo=UTC),
    datetime(2027, 10, 31, 23, 30, tzinfo=UTC),
]
"""A plain day, holidays, a weekend at night, both changes of the clock, the eve of a feast, the end of a month."""


def only(lives: Lives, *first_names: str) -> Lives:
    chosen = tuple(life for life in lives.cohort.lives if life.person.first_name in first_names)
    assert len(chosen) == len(first_names)
    return replace(lives, cohort=lives.cohort.model_copy(update={"lives": chosen}))


# --- every life, on any day


@cache
def rehearsed(name: str, begun: datetime) -> dict[str, Rehearsed]:
    """Every life of a cohort, by its first name."""
    lives = read_once(LIVES / f"{name}.yaml")
    return {life.person.first_name: rehearse(lives, life, begun) for life in lives.cohort.lives}


@pytest.mark.parametrize(
    ("name", "begun"),
    [(name, at) for name in cohort_names() for at in (BEGINNINGS if name == demo.DEFAULT else BEGINNINGS[:2])],
    ids=lambda value: value if isinstance(value, str) else f"{value:%Y-%m-%d}",
)
def test_every_step_of_every_life_goes_as_written_on_any_day(name: str, begun: datetime) -> None:
    assert not {name: life.surprises for name, life in rehearsed(name, begun).items() if life.surprises}


def test_the_ten_lives_show_what_they_promise() -> None:
    """What the issue asks of them, found in their events."""
    found = rehearsed("auxilia", BEGINNINGS[0])
    kinds = {name: {event.kind for event in one.events} for name, one in found.items()}
    refused = {
        event.data.code  # type: ignore[attr-defined]
        for one in found.values()
        for event in one.events
        if event.kind == "CommandRefused"
    }
    assert len(found) == 10
    assert {"self-approval", "over-cap", "no-right"} <= refused
    assert found["Karim"].state.reached("job-kept") is not None
    assert "DateMoved" in kinds["Lucas"]
    assert {"none", "own"} <= {value.value for value in found["Mehdi"].state.situations["housing"]}
    assert {"EscalationUntold", "EscalationClimbed", "AppointmentMissed"} <= kinds["Dylan"]
    assert {"PaymentSettled", "PaymentReturned", "GrantReopened"} <= kinds["Rayan"]
    assert {"PaymentUnknown", "EscalationAcknowledged"} <= kinds["Sofiane"]
    assert {"JourneySuspended", "JourneyResumed"} <= kinds["Sofiane"]
    assert {"MentorEnded", "MentorDeclined"} <= kinds["Nicolas"]
    assert "DeadlineCorrected" in kinds["Amadou"]
    assert (found["Jordan"].state.outcome, found["Mathieu"].state.outcome) == ("withdrawn", "deceased")


# --- two lives on the real stack


@pytest.fixture(scope="module")
def played() -> Iterator[tuple[Report, dict[str, Reconciled]]]:
    """Dylan, whose alert climbs past everybody who is away, and Mathieu, whose death settles the rest."""

    async def play_and_tamper(home: Path) -> tuple[Report, dict[str, Reconciled]]:
        lives = only(AUXILIA, "Dylan", "Mathieu")
        async with player.stage(lives, home, workflows=WORKFLOWS, finance=demo.Clerk) as (report, stack):
            return report, await _tampered(report, stack.database_url)

    with a_home() as home:
        yield asyncio.run(play_and_tamper(home / "demo"))


@pytest.fixture
def report(played: tuple[Report, dict[str, Reconciled]]) -> Report:
    return played[0]


@pytest.fixture
def tampered(played: tuple[Report, dict[str, Reconciled]]) -> dict[str, Reconciled]:
    """What is found once a line is missing, by where it is missing."""
    return played[1]


def test_the_audit_of_played_lives_holds_strictly(report: Report) -> None:
    assert len(report.verifications) == 2
    for one in report.verifications:
        assert {account.verdict for account in one.accounts} == {Verdict.AGREES}
        assert one.seq > 100
    assert report.latest < timedelta(minutes=5)
    assert report.holds
    assert demo._exit(report) == Exit.DONE


def test_the_demonstration_fails_when_something_came_late(report: Report, capsys: pytest.CaptureFixture[str]) -> None:
    late = replace(report, latest=timedelta(hours=1))
    assert demo._exit(late) == Exit.FAILED
    Pages(late, "fr").show()
    assert "Le contrôle ne tient pas" in capsys.readouterr().out


def test_the_report_tells_a_director_who_got_where(report: Report, capsys: pytest.CaptureFixture[str]) -> None:
    Pages(report, "fr").show()
    out = capsys.readouterr().out
    assert max(len(line) for line in out.splitlines()) <= WIDTH
    for words in ("Qui en est où", "Alertes", "Argent", "Ce que les règles ont refusé", "Le contrôle tient"):
        assert words in out
    told = " ".join(out.split())
    assert "Dylan R." in told and "Mathieu G." in told and "décès" in told
    assert "injoignables : référent et responsable" in told
    assert "M. Ostrowski (astreinte" in told
    assert "240 €" in told and "C. Morel (responsable)" in told and "2 dispensés" in told
    assert "2 sur 2 concordent" in told
    assert "None" not in out and "{" not in out


def test_what_left_by_transfer_is_the_same_everywhere(report: Report, capsys: pytest.CaptureFixture[str]) -> None:
    found = report.reconciled
    assert found.agrees
    assert {found.files, found.lines, found.ledger, found.journal, found.payments} == {240_00}
    assert not found.findings
    wrong = replace(report, reconciled=replace(found, lines=found.lines - 1))
    assert demo._exit(wrong) == Exit.FAILED
    Pages(wrong, "fr").show()
    out = capsys.readouterr().out
    assert "✗ Virements : fichiers de la banque 240 €, lignes importées 239,99 €" in " ".join(out.split())
    assert "Le contrôle ne tient pas" in out


async def _tampered(report: Report, database_url: str) -> dict[str, Reconciled]:
    """What is found once a line is taken from each account in turn; it is put back after, but for the bank's file."""
    streams = [one.journey for one in report.outcomes]
    pool = await open_pool(database_url, role=None, largest=1)
    try:
        found = {
            table: await _without_a_line(pool, table, report, streams)
            for table in ("bank_lines", "ledger_entries", "payments")
        }
        max(report.bank_folder.glob("*camt.053.xml")).unlink()
        found["file"] = await reconcile(pool, report.bank_folder, streams, 240_00, report.ended)
        return found
    finally:
        await pool.close()


async def _without_a_line(pool: Pool, table: str, report: Report, streams: list[str]) -> Reconciled:
    which = {
        "bank_lines": "(file, position) IN (SELECT file, position FROM bank_lines WHERE cents < 0 LIMIT 1)",
        "ledger_entries": "ctid IN (SELECT ctid FROM ledger_entries WHERE account = 'paid' LIMIT 1)",
        "payments": "id IN (SELECT id FROM payments WHERE status = 'settled' LIMIT 1)",
    }[table]
    await pool.execute(f"CREATE TABLE kept AS SELECT * FROM {table} WHERE {which}")
    await pool.execute(f"ALTER TABLE {table} DISABLE TRIGGER ALL")
    await pool.execute(f"DELETE FROM {table} WHERE {which}")
    found = await reconcile(pool, report.bank_folder, streams, 240_00, report.ended)
    columns = await pool.fetchval(
        "SELECT string_agg(quote_ident(column_name), ', ') FROM information_schema.columns"
        " WHERE table_name = $1 AND table_schema = current_schema AND is_generated = 'NEVER'",
        table,
    )
    await pool.execute(f"INSERT INTO {table} ({columns}) OVERRIDING SYSTEM VALUE SELECT {columns} FROM kept")
    await pool.execute("DROP TABLE kept")
    return found


def test_a_line_taken_away_behind_its_back_fails_the_demonstration(
    report: Report, tampered: dict[str, Reconciled]
) -> None:
    found = tampered
    for one in found.values():
        assert demo._exit(replace(report, reconciled=one)) == Exit.FAILED
    assert {name: one.agrees for name, one in found.items()} == dict.fromkeys(found, False)
    assert found["bank_lines"].lines == 120_00 and found["bank_lines"].ledger == 240_00
    assert found["payments"].payments == 120_00
    assert found["file"].files < 240_00 == found["file"].lines
    assert {each.code for each in found["bank_lines"].findings} == {"ledger-bank"}
    assert not found["file"].findings


def test_the_report_is_complete_in_english(report: Report, capsys: pytest.CaptureFixture[str]) -> None:
    Pages(report, "en").show()
    out = capsys.readouterr().out
    assert "Who got where" in out and "The audit holds" in out
    assert not {"personne", "référent", "responsable", "étape", "prévenu"} & set(out.lower().split())


def test_the_json_has_what_the_interface_promises(report: Report) -> None:
    told = json.loads(json.dumps(as_json(report)))
    assert {"journeys", "escalations", "payments", "audit"} <= told.keys()
    for journey in told["journeys"]:
        assert {"id", "status", "programme", "phase", "seq", "next_due"} <= journey.keys()
        assert journey["status"] == "closed"
    climbed = [one for one in told["escalations"] if "supervisor" in one["nobody"]]
    assert climbed and all(one["told"] == {"duty": ["Mireille Ostrowski"]} for one in climbed)
    assert [(one["amount"], one["status"], one["receipt"]) for one in told["payments"]] == [
        (12000, "settled", "waived"), (12000, "settled", "waived"),
    ]  # fmt: skip
    for one in told["payments"]:
        assert [each["said"] for each in one["bank"]] == ["accepted", "settled"]
        assert one["given_on"] <= one["bank"][0]["on"] < one["bank"][1]["on"]
    assert told["audit"]["holds"] is True


# --- a life of every other programme, on one stack

SHORT = {
    "actice": "Solange", "benevolat": "Fabrice", "concienta": "Dorian", "dedans-dehors": "Abdou",
    "permis-de-construire": "Rodrigue", "sortie-seche": "Enzo", "spip-suivi": "Loïc",
}  # fmt: skip
"""Of each programme a life that ends early: `make demo PROGRAMME=…` plays them all."""


def sooner() -> Lives:
    """Concienta's Dorian, who left in the night after two months of nearly a contact a day, gone after one."""
    text = (LIVES / "concienta.yaml").read_text(encoding="utf-8")
    before, _, his = text.partition("first_name: Dorian")
    for far, near in (("62 days", "34 days"), ("60 days", "32 days"), ("59 days", "31 days")):
        assert far in his
        his = his.replace(f"{far} after arrival", f"{near} after arrival")
    return changed(f"{before}first_name: Dorian{his}")


def otherwise() -> Lives:
    """Dylan, whose file does not expect a refusal that comes."""
    return changed((LIVES / "auxilia.yaml").read_text(encoding="utf-8").replace("refused: no-right, ", ""))


def changed(text: str) -> Lives:
    with a_home() as home:
        file = home / "lives.yaml"
        file.write_text(text, encoding="utf-8")
        return read_lives(file)


async def together(cohorts: list[player._Cohort], wrong: Lives, home: Path) -> tuple[list[Report], PlayFailed]:
    """Several cohorts side by side on one stack, and a demonstration that fails: to start it is most of the time."""

    async def prepare(info: StackInfo) -> None:
        for cohort in cohorts:
            await cohort.prepare(info)

    def tell(what: str, done: float) -> None:
        pass

    async def fail(stack: Stack) -> PlayFailed:
        @asynccontextmanager
        async def start(*_: object, after_start: AfterStart, **__: object) -> AsyncIterator[Stack]:
            await after_start(stack.info)
            yield stack

        with pytest.MonkeyPatch.context() as patch, pytest.raises(PlayFailed) as failed:
            patch.setattr(Stack, "start", start)
            await play(wrong, home, workflows=WORKFLOWS, finance=demo.Clerk)
        return failed.value

    async with Stack.start(
        home, worker_command=(sys.executable, str(player.WORKER)), time_skipping=True, after_start=prepare
    ) as stack:
        try:
            failed, *played = await asyncio.gather(fail(stack), *(cohort.play(stack.info, tell) for cohort in cohorts))
            began = time.monotonic()
            reports = [
                await cohort.report(stack.info, journeys, WORKFLOWS, tell, began)
                for cohort, journeys in zip(cohorts, played, strict=True)
            ]
            return reports, failed
        finally:
            clock.set_offset(timedelta())
            for cohort in cohorts:
                await cohort.close()


@pytest.fixture(scope="module")
def on_one_stack() -> tuple[list[Report], PlayFailed]:
    """What a life of each came to, and how the demonstration failed that goes otherwise than its file says."""
    with a_home() as home, player._settings_of_nobody():
        keys = load_settings(data_dir=home / "demo").signing_keys()
        ring = KeyRing(keys.current, dict(keys.by_id))
        files = {name: sooner() if name == "concienta" else read_once(LIVES / f"{name}.yaml") for name in SHORT}
        chosen = [only(files[name], person) for name, person in SHORT.items()]
        cohorts = [player._Cohort(lives, ring, demo.Clerk) for lives in chosen]
        return asyncio.run(together(cohorts, only(otherwise(), "Dylan"), home / "demo"))


def test_a_life_of_every_programme_ends_on_the_real_server_and_its_audit_holds(
    on_one_stack: tuple[list[Report], PlayFailed],
) -> None:
    assert SHORT.keys() | {"auxilia"} == set(cohort_names())
    assert set(cohort_names()) == set(programme_names()) - {"exemple-trois-lignes"}
    reports, _ = on_one_stack
    assert [report.lives.cohort.programme for report in reports] == list(SHORT)
    for report in reports:
        assert report.holds, report.lives.cohort.programme
        assert [one.status for one in report.outcomes] == ["closed"]
        assert all(account.verdict is Verdict.AGREES for one in report.verifications for account in one.accounts)


def test_a_step_that_goes_otherwise_is_told_by_name(on_one_stack: tuple[list[Report], PlayFailed]) -> None:
    """A refusal that the file does not expect ends the demonstration, and says where."""
    _, failed = on_one_stack
    said = failed.text("fr")
    assert "Dylan Rousseau" in said and "4 working days after release" in said and "no-right" in said


# --- files that are wrong


BROKEN = [
    ("do: opt-out", "do: opt-oot", "do", "opt-out"),
    ("as: bruno", "as: brumo", "as", "bruno"),
    ("milestone: course-outside", "milestone: course-outsid", "with.milestone", "course-outside"),
    ("when: 41 days after release 09:30", "when: 41 days after relaese 09:30", "when", "release"),
    ("when: 41 days after release 09:30", "when: some day", "when", "3 working days after release 14:30"),
    ("amount: 850 EUR", "amount: -850 EUR", "with.amount", "850 EUR"),
    ("follows: [dedans, sortie, mentorat]", "follows: [dehors]", "follows[1]", "dedans"),
    ("bank: [return]", "bank: [perhaps]", "bank[1]", "return"),
    ("grant: permis}", "grant: permi}", "with.grant", "permis"),
    ("referent: yann", "referent: ian", "referent", "yann"),
    ("programme: auxilia", "programme: auxilla", "programme", "auxilia"),
    ('    story: {fr: "Décès", en: "Death"}\n', "", "lives[10]", "story"),
    (', with: {outcome: withdrawn, reason: "Il arrête. La porte reste ouverte, il le sait."}', "", "with", "outcome"),
]


@pytest.mark.parametrize(("right", "wrong", "where", "remedy"), BROKEN, ids=[wrong[:24] for _, wrong, _, _ in BROKEN])
def test_a_broken_file_gives_its_line_and_what_to_write(
    right: str, wrong: str, where: str, remedy: str, tmp_path: Path
) -> None:
    text = (LIVES / "auxilia.yaml").read_text(encoding="utf-8")
    assert right in text
    line = text[: text.index(right)].count("\n") + 1
    file = tmp_path / "lives.yaml"
    file.write_text(text.replace(right, wrong, 1), encoding="utf-8")
    with pytest.raises(Failure) as failure:
        demo.read(None, str(file))
    invalid = failure.value.__context__
    assert isinstance(invalid, LivesInvalid)
    fault = invalid.faults[0]
    assert abs(fault.line - line) <= 2
    assert fault.path.endswith(where)
    assert remedy in fault.remedy("fr") and remedy in fault.remedy("en")
    assert f"{file}:{fault.line} : " in invalid.text("fr")
    assert failure.value.exit == Exit.USAGE
    assert failure.value.more["faults"][0]["line"] == fault.line


@pytest.mark.parametrize(
    ("content", "code"),
    [(b"lives: [", "yaml-bracket"), (b"lives: \xff", "not-utf-8"), (b"[1, 2]", "model_type"), (b"", "model_type")],
    ids=["bracket", "latin", "list", "empty"],
)
def test_what_is_no_file_of_lives_is_told(content: bytes, code: str, tmp_path: Path) -> None:
    file = tmp_path / "lives.yaml"
    file.write_bytes(content)
    with pytest.raises(LivesInvalid) as invalid:
        read_lives(file)
    assert invalid.value.faults[0].line == 1
    assert invalid.value.faults[0].fr and invalid.value.faults[0].remedy("fr")


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(Failure) as failure:
        demo.read(None, str(tmp_path / "nowhere.yaml"))
    assert failure.value.exit == Exit.USAGE
    assert "auxilia" in failure.value.what.fr


def test_a_programme_without_lives_names_those_that_have() -> None:
    with pytest.raises(Failure) as failure:
        demo.read("auxilla", None)
    assert failure.value.exit == Exit.NOT_FOUND
    assert failure.value.remedy is not None and "auxilia" in failure.value.remedy.fr


def test_data_of_somebody_are_never_played_upon(tmp_path: Path) -> None:
    (tmp_path / "postgres").mkdir()
    with pytest.raises(Failure) as failure, demo._home(str(tmp_path)):
        pass
    assert failure.value.exit == Exit.USAGE
    assert (tmp_path / "postgres").exists()


@pytest.mark.parametrize(
    ("text", "moment", "hour"),
    [
        ("at start", "at start", "10:00"),
        ("3 working days before release 9:05", "3 working days before release", "09:05"),
    ],
)
def test_moments_have_an_hour(text: str, moment: str, hour: str) -> None:
    when = parse_when(text)
    assert (str(when.moment), when.hour) == (moment, hour)


@pytest.mark.parametrize(
    "text", ["", "tomorrow", "4 hours after release", "at release 25:00", "2 days after cv reached"]
)
def test_what_is_no_moment_of_a_life(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_when(text)


def test_a_file_that_is_not_there_is_told_in_words(tmp_path: Path) -> None:
    with pytest.raises(LivesInvalid) as invalid:
        read_lives(tmp_path / "none.yaml")
    [fault] = invalid.value.faults
    assert "il n’existe pas" in fault.message("fr") and "it does not exist" in fault.message("en")
