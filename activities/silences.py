"""A channel that says nothing of any message: supervisors and administrators are told by mail, once."""

from datetime import datetime
from uuid import UUID, uuid5

from activities.letters import staff_addressee, template_of, written
from activities.posting import Envelope, post
from activities.resources import Resources
from journeys.channels.letter import Letter
from journeys.channels.wording import VARIABLES, fill
from journeys.domain.fund import ZONE
from journeys.domain.recipients import DESK
from journeys.domain.sending import Spares, first_free
from journeys.store import silences, staff
from journeys.store.controlling import working_days
from journeys.store.silences import Quiet

TEMPLATE = "channel-silent"
_TOLD = frozenset({"supervisor", "administrator"})


async def tell_of(resources: Resources, quiet: Quiet, now: datetime) -> None:
    """Tell whoever can ask the gateway, in their absence the address of last resort: not at night, nor on a Sunday.

    The next round tries again where nobody could be told.
    """
    if quiet.told or first_free(now, await working_days(resources.pool), Spares.REST) != now:
        return
    done = await post(resources, await _letters(resources, quiet))
    if done.sent:
        await silences.told(resources.pool, quiet.id)


async def _letters(resources: Resources, quiet: Quiet) -> list[Envelope]:
    """The same letter has the same id however often it is written."""
    everyone = await staff.members(resources.pool)
    keys = [each.id for each in everyone if each.active and each.email and _TOLD & set(each.roles)]
    template, envelopes = await template_of(resources, TEMPLATE), []
    for key in keys or [DESK]:
        to = await staff_addressee(resources, key)
        if to is None or not to.address:
            continue
        values = {
            **dict.fromkeys(VARIABLES["staff"], ""),
            "first_name": to.first_name, "date": written(quiet.since.astimezone(ZONE).date(), to.lang),
            "reason": str(quiet.messages), "link": resources.public_url or "journeys doctor",
            "association": resources.association,
        }  # fmt: skip
        text = fill(template, "staff", to.lang, values)
        letter = Letter(
            id=str(uuid5(UUID(quiet.id), to.key)), to=to.address, subject=text.subject, body=text.body, lang=to.lang,
            at=quiet.since,
        )  # fmt: skip
        envelopes.append(Envelope(to, letter))
    return envelopes
