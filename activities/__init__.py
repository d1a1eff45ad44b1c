"""Side effects of a journey: thin, claimed before they touch the world, judged on the journal, not on their input."""

from collections.abc import Callable
from typing import Any

from activities.archive import Archive
from activities.checkpoints import Checkpoints
from activities.control import Control
from activities.digests import Digests
from activities.erasure import Erasure
from activities.escalations import Escalations
from activities.fleet import Fleet
from activities.grants import Grants
from activities.journal import Journal
from activities.milestones import Milestones
from activities.reminders import Reminders
from activities.replaying import Replaying
from activities.resources import Resources
from activities.retention import Retaining
from activities.verification import Verification
from activities.webhooks import Webhooks

__all__ = ["Resources", "all_activities"]


def all_activities(resources: Resources) -> list[Callable[..., Any]]:
    """Every activity that a worker serves."""
    grants, hooks, erasure = Grants(resources), Webhooks(resources), Erasure(resources)
    return [
        Journal(resources).append,
        Reminders(resources).deliver,
        Escalations(resources).tell,
        Milestones(resources).check,
        grants.instruct,
        grants.enquire,
        Fleet(resources).wake,
        Control(resources).control,
        Digests(resources).send,
        Archive(resources).keep,
        Checkpoints(resources.notary).keep,
        Verification(resources).verify,
        Replaying(resources).replay,
        Retaining(resources).round,
        erasure.close, erasure.survey, erasure.destroy, erasure.delete, erasure.runs, erasure.letters, erasure.certify,
        hooks.deliver,
        hooks.stop,
        hooks.begin,
    ]  # fmt: skip
