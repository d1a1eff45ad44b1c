"""Staff, mentors and partners overseas: written to by day where they work, in the hours that their clocks show."""

import uuid
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from temporalio.testing import ActivityEnvironment

import activities.letters
from activities.digests import Digests
from activities.letters import Addressee, Matter, values_for
from activities.reading import Known, read_journey
from journeys.app.entry import Actor
from journeys.app.publishing import rules
from journeys.app.starting import Beginning, Enrolled, Starter
from journeys.authoring.reading import read_programme
from journeys.channels.letter import Fate, Sent
from journeys.channels.wording import Audience, shipped
from journeys.contract import SendDigests
from journeys.domain import commands as c
from journeys.domain.calendar import Calendar
from journeys.domain.chases import about
from journeys.domain.events import EscalationDeferred, MessageDeferred, Subject
from journeys.domain.invariants import check
from journeys.domain.recipients import one_zone
from journeys.domain.rota import Shift
from journeys.identifiers import uuid7
from journeys.store import journal, mentors, people, rota, sites, staff
from journeys.store.mentors import Mentor
from journeys.store.sites import Site
from tests.activities.conftest import PROGRAMME, Life, make_life
from tests.domain.given import OTHER_REFERENT, PARTNER
from tests.domain.test_grants import asked

GUADELOUPE, TAHITI = "America/Guadeloupe", "Pacific/Tahiti"
REMINDED = datetime(2027, 5, 12, 7, 0, tzinfo=UTC)
"""Nine in Paris, three in the morning in Guadeloupe, nine in the evening in Tahiti."""
MISSED = datetime(2027, 5, 13, 16, 0, tzinfo=UTC)
"""Six in the evening in Paris, noon in Guadeloupe, six in the morning in Tahiti."""


async def moved_to(life: Life, zone: str, site: str = "lyon") -> None:
    """The site of the referent lies there."""
    await sites.describe(life.pool, Site(site, "Accueil", "3 rue de la Mer", zone), life.by)


async def violations(life: Life) -> list[Any]:
    events = [each.event() for each in await journal.read_all(life.pool, life.stream)]
    return [
        each
        for each in check(events, complete=False, book=life.book)
        if each.code in ("in-quiet-hours", "told-at-night")
    ]


@pytest.mark.parametrize(
    ("zone", "morning"),
    [
        (GUADELOUPE, datetime(2027, 5, 12, 12, 0, tzinfo=UTC)),
        # Eight in the evening in Paris, when the programme's own night begins.
        (TAHITI, datetime(2027, 5, 12, 18, 0, tzinfo=UTC)),
    ],
)
async def test_a_reminder_to_staff_overseas_leaves_in_their_morning(
    life: Life, zone: str, morning: datetime
) -> None:  # fmt: skip
    await moved_to(life, zone)
    await life.until(REMINDED)
    (effect,) = life.effects("deliver", to="referent")
    result = await life.settle(effect)
    assert (result["answer"], result["until"], result["zone"]) == (
        "deferred", morning.isoformat().replace("+00:00", ".000000Z"), zone,
    )  # fmt: skip
    (deferred,) = [each for each in await life.facts() if isinstance(each, MessageDeferred)]
    assert deferred.zone == zone
    await life.until(morning)
    (effect,) = life.effects("deliver", to="referent")
    assert (await life.settle(effect))["answer"] == "sent"
    assert life.postman.recipients == ["claire@example.org"]
    assert await violations(life) == []


async def test_unless_the_zone_is_asked_for_it_leaves_in_their_night(
    life: Life, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    async def nowhere(*_: Any) -> None:
        return None

    await moved_to(life, GUADELOUPE)
    monkeypatch.setattr(activities.letters, "zone_of", nowhere)
    await life.until(REMINDED)
    (effect,) = life.effects("deliver", to="referent")
    assert (await life.settle(effect))["answer"] == "sent"


async def test_a_mentor_is_told_what_they_are_asked_in_the_morning_of_their_site(life: Life) -> None:
    await moved_to(life, TAHITI, "papeete")
    id = str(uuid.uuid4())
    jeanne = Mentor(id=id, name="Jeanne Petit", email="jeanne@example.org", phone=None, language="fr",
                    site="papeete", capacity=2)  # fmt: skip
    await mentors.add(life.pool, jeanne, life.by)
    await life.do(c.ProposeMentor(mentor=id))
    (effect,) = life.effects("deliver", to="mentor")
    result = await life.settle(effect)
    assert (result["answer"], result["zone"]) == ("deferred", TAHITI)
    assert result["until"] == "2027-05-10T18:00:00.000000Z", "it is ten in the evening there"


async def test_an_alert_that_is_not_urgent_waits_for_their_morning_too(life: Life) -> None:
    await moved_to(life, TAHITI)
    result = await life.settle(await life.missed())
    assert (result["answer"], result["zone"]) == ("deferred", TAHITI)
    morning = datetime(2027, 5, 13, 18, 0, tzinfo=UTC)
    (alert,) = life.state.escalations.values()
    assert alert.tell_at is not None and alert.tell_at >= morning and (alert.tell_at - morning).seconds < 600
    await life.until(alert.tell_at)
    (effect,) = life.effects("tell")
    assert (await life.settle(effect))["told"] == [life.referent]
    assert await violations(life) == []


async def test_who_answers_in_the_meantime_is_not_told_in_their_own_night(life: Life) -> None:
    await moved_to(life, TAHITI)
    assert (await life.settle(await life.missed()))["zone"] == TAHITI
    noor = await life.hire(str(uuid.uuid4()), "noor", "referent")
    await life.away(life.referent, noor)
    (alert,) = life.state.escalations.values()
    assert alert.tell_at is not None
    await life.until(alert.tell_at)
    (effect,) = life.effects("tell")
    result = await life.settle(effect)
    assert (result["answer"], result["zone"]) == ("deferred", None), "eight in the evening, where she works"
    (alert,) = life.state.escalations.values()
    assert alert.zone is None and alert.tell_at is not None
    await life.until(alert.tell_at)
    (effect,) = life.effects("tell")
    assert life.now >= datetime(2027, 5, 14, 6, 0, tzinfo=UTC)
    assert (await life.settle(effect))["told"] == [noor]
    assert await violations(life) == []


async def test_whoever_it_is_given_to_is_told_by_their_own_clock(life: Life) -> None:
    await moved_to(life, TAHITI)
    assert (await life.settle(await life.missed()))["zone"] == TAHITI
    noor = await life.hire(str(uuid.uuid4()), "noor", "duty")
    (id,) = life.state.escalations
    life.now += timedelta(minutes=10)
    await life.do(c.ReassignEscalation(escalation=id, to=noor), actor=life.supervisor, role="supervisor")
    (effect,) = life.effects("tell")
    assert (await life.settle(effect))["told"] == [noor]
    assert await violations(life) == []


async def test_the_fallback_is_told_in_their_own_morning(life: Life) -> None:
    """In Tahiti it is never day when it is day in Paris: whoever was refused is not waited for again."""
    await moved_to(life, TAHITI, "papeete")
    await staff.set_sites(life.pool, life.supervisor, ("papeete",), life.by)
    await staff.give_role(life.pool, life.supervisor, "duty", life.by)
    life.postman.answers = [Sent(Fate.REFUSED, "mail-550")]
    result = await life.settle(await life.missed())
    assert (result["answer"], result["zone"]) == ("deferred", TAHITI)
    (alert,) = life.state.escalations.values()
    assert alert.tell_at is not None
    await life.until(alert.tell_at)
    (effect,) = life.effects("tell")
    assert (await life.settle(effect))["told"] == [life.supervisor]
    assert life.postman.recipients == ["claire@example.org", "karim@example.org"]
    assert await violations(life) == []


async def test_where_nobody_else_is_left_the_morning_of_who_was_refused_is_waited_for(life: Life) -> None:
    await staff.set_active(life.pool, life.supervisor, False, life.by)
    await moved_to(life, TAHITI)
    await staff.mail_failed(life.pool, life.referent, "mail-550", life.by, returned=False)
    assert (await life.settle(await life.missed()))["answer"] == "deferred"
    (alert,) = life.state.escalations.values()
    assert alert.tell_at is not None
    await life.until(alert.tell_at)
    (effect,) = life.effects("tell")
    assert (await life.settle(effect))["told"] == [life.referent]


async def test_a_volunteer_who_is_told_alone_is_not_told_at_night(journal_pool: Any) -> None:
    life = await make_life(journal_pool, {**deepcopy(PROGRAMME), "clock": {"digest": "09:30"}})
    await life.begin()
    await moved_to(life, TAHITI, "papeete")
    id = str(uuid.uuid4())
    jeanne = Mentor(id=id, name="Jeanne Petit", email="jeanne@example.org", phone=None, language="fr",
                    site="papeete", capacity=2)  # fmt: skip
    await mentors.add(life.pool, jeanne, life.by)
    shift = Shift(str(uuid.uuid4()), "referent", None, id, MISSED, MISSED + timedelta(days=3))
    await rota.add(life.pool, [shift], None, life.by)
    await life.until(MISSED)
    await life.until(datetime(2027, 5, 14, 7, 40, tzinfo=UTC))
    (effect,) = life.effects("tell")
    result = await life.settle(effect)
    assert (result["answer"], result["zone"]) == ("deferred", TAHITI), "it is twenty to ten in the evening there"
    assert life.postman.letters == []


async def test_a_digest_leaves_at_its_hour_where_its_recipient_works(journal_pool: Any) -> None:
    life = await make_life(journal_pool, {**deepcopy(PROGRAMME), "clock": {"digest": "09:30"}})
    await life.begin()
    await moved_to(life, GUADELOUPE)
    await life.until(MISSED)
    assert await _round(life, datetime(2027, 5, 14, 7, 30, tzinfo=UTC)) == 0, "it is half past three there"
    await life.until(datetime(2027, 5, 14, 7, 40, tzinfo=UTC))
    (effect,) = life.effects("tell")
    assert (await life.settle(effect))["answer"] == "deferred"
    (deferred,) = [each for each in await life.facts() if isinstance(each, EscalationDeferred) and each.zone]
    half_past_nine = datetime(2027, 5, 14, 13, 30, tzinfo=UTC)
    assert (deferred.zone, deferred.digest) == (GUADELOUPE, half_past_nine)
    assert await _round(life, half_past_nine) == 1
    (letter,) = life.postman.letters
    (alert,) = life.state.escalations.values()
    assert alert.next_at is not None
    assert f" à {alert.next_at.astimezone(ZoneInfo(GUADELOUPE)):%H:%M}." in letter.body
    assert f" à {alert.next_at.astimezone(life.book.calendar.zone):%H:%M}." not in letter.body
    await life.until(datetime(2027, 5, 14, 13, 40, tzinfo=UTC))
    (effect,) = life.effects("tell")
    assert (await life.settle(effect))["told"] == [life.referent]


async def _round(life: Life, at: datetime) -> int:
    found: int = await ActivityEnvironment().run(Digests(life.resources).send, SendDigests(at=at))
    return found


@pytest.mark.parametrize("zone", ["Pacific/Noumea", "Pacific/Wallis", TAHITI, None])
def test_a_day_until_which_something_is_awaited_is_the_programmes_wherever_it_is_read(zone: str | None) -> None:
    """Six in the evening in Paris is four the next morning in Nouméa and Wallis."""
    lived = asked().when("2027-03-02 12:00", c.SendReferral(partner=PARTNER, purpose="care"))
    lived.when("2027-03-02 12:30", c.Transfer(to=OTHER_REFERENT))
    state, calendar = lived.state, lived.book.calendar
    (open_one, *_), (referral,) = state.deadlines.values(), state.referrals.items()
    assert open_one.day is not None and state.transfer is not None
    (window, contact), *_ = [(id, each) for id, each in state.contacts.items() if each.open]
    about = {
        ("milestone", open_one.milestone): open_one.day,
        ("referral", referral[0]): calendar.day(referral[1].answer_by),
        ("transfer", state.transfer.transfer): calendar.day(state.transfer.accept_at),
        ("contact", window): calendar.day(contact.closes),
        ("grant", lived.grant): calendar.day(state.grants[lived.grant].decide_by),
    }
    known = Known(events=tuple(lived.events), state=state)
    to = activities.letters.Addressee("k", "Zoé", "zoe@example.org", "fr", "participant", zone)
    template: Any = None
    for (kind, id), on in about.items():
        subject = Subject(kind=kind, id=id)
        matter = activities.letters.Matter(
            known=known, book=lived.book, about=subject, template=template, message="m", at=lived.now
        )
        assert activities.letters._about(matter, to)["date"] == activities.letters.written(on, "fr"), kind


async def test_the_zone_is_that_in_which_all_the_sites_of_somebody_lie(life: Life) -> None:
    await moved_to(life, GUADELOUPE, "basse-terre")
    await moved_to(life, TAHITI, "papeete")
    assert await sites.zone_of(life.pool, ["basse-terre", "basse-terre"]) == GUADELOUPE
    assert await sites.zone_of(life.pool, ["basse-terre", "papeete"]) is None
    assert await sites.zone_of(life.pool, ["unheard-of"]) is None
    assert await sites.zone_of(life.pool, ["basse-terre", "unheard-of"]) is None, "it may lie anywhere"
    assert await sites.zone_of(life.pool, []) is None


def test_those_of_several_zones_are_written_to_in_the_programmes_hours(life: Life) -> None:
    here: Calendar = life.book.calendar
    assert one_zone([GUADELOUPE, GUADELOUPE], here) == GUADELOUPE
    assert one_zone([GUADELOUPE, None], here) is None
    assert one_zone([None, "Europe/Paris"], here) is None
    assert one_zone([], here) is None


async def test_who_begins_lives_in_the_zone_of_their_site_else_of_the_programme(life: Life) -> None:
    overseas = Path(__file__).parents[1] / "authoring" / "programmes" / "porteurs-de-projet.yaml"
    known = rules(read_programme(overseas).text, life.now.date())
    leader = await staff.member(life.pool, life.referent)
    assert known.programme.clock.zone == "Indian/Reunion" and leader is not None
    starter = Starter(life.pool, life.resources.ring, known, Actor(leader.id, leader.name, ("referent",)))
    site = f"site-{uuid.uuid4().hex[:8]}"

    async def zone(person: people.Person | None = None, **said: Any) -> str:
        details = people.Details(first_name="Ana", last_name="Hoarau", **said)
        wanted = await starter.at_home(Beginning(details=details, referent=leader, site=site), person)
        assert await starter.at_home(wanted, person) == wanted, "asked again, it stays"
        return wanted.details.zone

    assert await zone() == "Indian/Reunion", "nobody has described the site"
    await moved_to(life, GUADELOUPE, site)
    assert await zone() == GUADELOUPE
    assert await zone(zone=TAHITI) == TAHITI
    before = await people.person(life.pool, life.person)
    assert before is not None and await zone(before) == "Europe/Paris", "who was known before lives where they do"
    here = Enrolled(uuid7(life.now), "Indian/Reunion")
    wanted = Beginning(details=people.Details(first_name="Ana", last_name="Hoarau"), referent=leader)
    plan = starter.planned(wanted, here, uuid7(life.now), life.now).body
    assert isinstance(plan, c.Plan) and plan.zone is None, "in the programme's own hours"


@pytest.mark.parametrize(("audience", "lang", "lives", "said"), [
    ("participant", "fr", "Europe/Paris", "10:00 (heure de Cayenne)"),
    ("participant", "en", "Europe/Paris", "10:00 (Cayenne time)"),
    ("participant", "fr", "America/Cayenne", "10:00"),
    ("participant", "fr", "America/Araguaina", "10:00"),
    ("staff", "fr", None, "10:00 (heure de Cayenne)"),
    ("staff", "fr", "America/Cayenne", "10:00"),
])  # fmt: skip
async def test_an_appointment_has_the_hour_of_the_clocks_at_its_site(
    life: Life, audience: Audience, lang: str, lives: str | None, said: str
) -> None:
    """Staff typed ten o'clock, as it is there; somebody may have been enrolled before the site was described."""
    await moved_to(life, "America/Cayenne")
    await life.do(c.BookAppointment(at=datetime(2027, 5, 21, 13, 0, tzinfo=UTC)))
    (id,) = life.state.appointments
    matter = Matter(
        known=await read_journey(life.pool, life.stream), book=life.book, about=about(id), at=life.now,
        template=shipped("appointment-near"), message=str(uuid.uuid4()),
    )  # fmt: skip
    values = await values_for(life.resources, matter, Addressee(life.person, "", "", lang, audience, lives))
    assert (values["date"], values["time"]) == ("21 May 2027" if lang == "en" else "21 mai 2027", said)
