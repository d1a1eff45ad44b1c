"""Composition root of a worker: settings, client, resources, Worker. Nothing else.

Run it as `python worker.py` or `journeys worker`; it ends on SIGTERM or SIGINT, letting go of what it has begun.
"""

import asyncio
import signal
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import asyncpg
import structlog
import uvloop
from temporalio.client import Client
from temporalio.worker import Worker

from activities import Resources, all_activities
from activities.notary import HELD, Notary, letter_of
from activities.pacing import SharedPace
from activities.sepa import SepaTill
from activities.tills import Drawer, ProviderTill, Tills
from journeys import garbage, telemetry, temporal
from journeys.authoring.retention import RetentionInvalid, read_retention
from journeys.channels.bank import Bank, SimulatedBank
from journeys.channels.checks import HttpChecks
from journeys.channels.letter import Mailer
from journeys.channels.mail import SmtpMailer, SmtpServer
from journeys.channels.outbox import FileOutbox
from journeys.channels.parties import Directory, Mailbox, Party, System
from journeys.channels.phone import FRENCH
from journeys.channels.provider import Provider
from journeys.channels.sms import Dialect, Gateway, Own
from journeys.channels.sms_vendors import BREVO, OVH, Brevo, Ovh
from journeys.channels.webhook import Messenger
from journeys.domain.retention import Retention
from journeys.i18n.system import unwilling
from journeys.leaving import leave
from journeys.settings import Problem, Settings, SettingsError, SmsSettings, load_settings
from journeys.store import contact_erasing, letters, signing_keys
from journeys.store.database import Pool, await_pool, open_pool
from journeys.store.keys import Keys
from journeys.store.signing import KeyRing
from workflows.archiving import ArchiveWorkflow
from workflows.checkpoints import CheckpointsWorkflow
from workflows.control import ControlWorkflow
from workflows.digests import DigestsWorkflow
from workflows.erasure import ErasureWorkflow
from workflows.housekeeping import HousekeepingWorkflow
from workflows.journey import JourneyWorkflow
from workflows.replaying import ReplayingWorkflow
from workflows.retention import RetentionWorkflow
from workflows.verification import VerificationWorkflow
from workflows.webhooks import WebhookWorkflow

WORKFLOWS: list[type] = [
    JourneyWorkflow, HousekeepingWorkflow, ControlWorkflow, ArchiveWorkflow, CheckpointsWorkflow, WebhookWorkflow,
    ErasureWorkflow, RetentionWorkflow, VerificationWorkflow, DigestsWorkflow, ReplayingWorkflow,
]  # fmt: skip

GRACE = timedelta(seconds=10)
"""How long activities may finish when the worker is told to end."""

DATABASE_SECONDS = 30.0
"""How long a worker that begins waits for a database that is only coming up."""

WORKER_OPTIONS: dict[str, Any] = {
    "max_cached_workflows": 5_000,
    "max_concurrent_workflow_tasks": 200,
    "sticky_queue_schedule_to_start_timeout": timedelta(seconds=2),
    "graceful_shutdown_timeout": GRACE,
}
"""A journey that is kept, some 150 KB, is not played again for each of its steps (docs/decisions/0068). After a kill
it waits at most 2 s for the cache of the worker that is gone."""


def make_worker(client: Client, resources: Resources, settings: Settings, **options: Any) -> Worker:
    """A worker for every workflow and activity."""
    return Worker(
        client,
        task_queue=settings.task_queue,
        workflows=WORKFLOWS,
        activities=all_activities(resources),
        **{**WORKER_OPTIONS, **options},
    )


def make_resources(pool: Pool, settings: Settings, client: Client) -> Resources:
    """What activities work with, as the settings say."""
    keys = settings.signing_keys()
    ring = KeyRing(keys.current, keys.by_id)
    return Resources(
        pool=pool,
        ring=ring,
        tills=make_tills(pool, settings, ring),
        mailer=_mailer(settings, pool.keys),
        texter=_texter(settings.sms, pool),
        silence=timedelta(hours=settings.sms.silent_hours) if settings.sms.notice_secrets else None,
        answerable=settings.sms.answerable,
        checks=HttpChecks(hosts=settings.http_check_hosts),
        messenger=Messenger(hosts=settings.webhook_hosts),
        duty_address=settings.duty_address,
        association=settings.association,
        link=settings.link,
        public_url=settings.public_url,
        lang=settings.lang,
        retention=_retention(settings),
        reads_kept_months=settings.reads_kept_months,
        engine=temporal.EndedRuns(client),
        client=client,
        replayable=(JourneyWorkflow,),
        send=lambda command: temporal.send(client, command, task_queue=settings.task_queue),
        begin=lambda webhook: temporal.begin_webhook(client, webhook, settings.task_queue),
        begin_erasure=lambda asked: temporal.begin_erasure(client, asked, settings.task_queue),
        destroyed=settings.destroyed_file,
    )


def _retention(settings: Settings) -> Retention:
    """Raises SettingsError: the file cannot be used."""
    try:
        return read_retention(settings.retention)
    except OSError as error:
        fr, en = unwilling(error)
        fr, en = f"ce fichier ne peut pas être lu : {fr}", f"this file cannot be read: {en}"
        raise SettingsError(Problem(variable="JOURNEYS_RETENTION", fr=fr, en=en)) from None
    except RetentionInvalid as error:
        fr, en = ("\n".join(each.located(error.source, lang) for each in error.findings)
                  for lang in ("fr", "en"))  # fmt: skip
        raise SettingsError(Problem(variable="JOURNEYS_RETENTION", fr=fr, en=en)) from None


def make_tills(pool: Pool, settings: Settings, ring: KeyRing) -> Tills:
    """What takes payments, by channel. Only where the settings say so it is the simulation."""
    drawer, known = Drawer(), settings.provider
    tills: dict[str, Bank] = {"voucher": drawer, "hand": drawer}
    match settings.bank:
        case "simulated":
            tills |= dict.fromkeys(("sepa", "http"), SimulatedBank(pool))
        case "file":
            tills["sepa"] = SepaTill(pool, ring)
    if known.url is not None and known.token is not None:
        tills["http"] = ProviderTill(
            pool, Provider(known.url, known.token.get_secret_value()), timedelta(hours=known.key_hours),
            timedelta(seconds=known.visible_seconds),
        )  # fmt: skip
    return Tills(tills)


def make_notary(writer: Pool, sequencer: Pool, settings: Settings) -> Notary:
    """Who keeps the log, and those outside who get its checkpoints."""
    messenger = Messenger(hosts=settings.webhook_hosts)
    parties: tuple[Party, ...] = (
        *(Directory(Path(path)) for path in settings.checkpoint_directories),
        *(Mailbox(to, _mailer(settings, writer.keys), *letter_of(settings.lang), lang=settings.lang)
          for to in settings.checkpoint_mails),
        *(System(url, messenger, settings.checkpoint_webhook_keys) for url in settings.checkpoint_webhooks),
    )  # fmt: skip
    return Notary(sequencer, writer, settings.data_dir / HELD, settings.checkpoint_seed(), parties)


def _mailer(settings: Settings, keys: Keys) -> Mailer:
    smtp = settings.smtp
    if smtp.host is None:
        return FileOutbox(settings.outbox_dir, partial(letters.seal_letter, keys), sender=smtp.sender)
    password = smtp.password.get_secret_value() if smtp.password is not None else None
    return SmtpMailer(
        SmtpServer(
            host=smtp.host, port=smtp.port, sender=smtp.sender, tls=smtp.tls, user=smtp.user, password=password,
            timeout_seconds=smtp.timeout_seconds,
        )
    )  # fmt: skip


def _texter(sms: SmsSettings, pool: Pool) -> Mailer | None:
    if sms.token is None:
        return None
    token = sms.token.get_secret_value()
    dialect: Dialect
    match sms.vendor:
        case "http":
            assert sms.url is not None
            dialect = Own(sms.url, token, sms.sender)
        case "brevo":
            dialect = Brevo(token, sms.sender, sms.url or BREVO)
        case "ovh":
            dialect = Ovh(token, sms.sender, sms.account, sms.url or OVH)
    pace = SharedPace(pool, dialect.name, sms.per_second) if sms.per_second is not None else None
    return Gateway(dialect, sms.countries or FRENCH, sms.most_segments, pace=pace)


async def serve(settings: Settings) -> None:
    """Serve until told to end. Raises what connecting raises: Unreachable, WrongSchema, NotDurable."""
    if settings.database_url is None:
        raise SettingsError(
            Problem(
                variable="DATABASE_URL",
                fr="indiquez la base de données, ou lancez « journeys up » qui s'en charge",
                en="name the database, or run “journeys up”, which takes care of it",
            )
        )
    keys = Keys.beside(settings.database_url, settings)
    keys.listen()
    client = await temporal.connect(settings, keys)
    pool = await await_pool(settings.database_url, DATABASE_SECONDS, keys)
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told.set)
    sequencer = await open_pool(settings.database_url, role="journeys_sequencer", largest=2, keys=keys)
    try:
        resources = replace(make_resources(pool, settings, client), notary=make_notary(pool, sequencer, settings))
        await signing_keys.announce(pool, resources.ring)
        back, again = await contact_erasing.put_right(pool, resources.destroyed, datetime.now(UTC))
        if back:
            structlog.get_logger().warning("keys that a backup had brought back are destroyed again", count=back)
        for id in again:
            structlog.get_logger().warning("a restored copy knows somebody who was erased: erased again", person=id)
        async with make_worker(client, resources, settings):
            await temporal.keep_house(client, settings.task_queue)
            await temporal.control_daily(client, settings.task_queue, settings.control_hour)
            await temporal.send_digests(client, settings.task_queue)
            await temporal.archive_daily(client, settings.task_queue)
            await temporal.verify_daily(client, settings.task_queue)
            await temporal.retain_daily(client, settings.task_queue)
            await temporal.keep_checkpoints(client, settings.task_queue)
            garbage.settle()
            structlog.get_logger().info("worker ready", task_queue=settings.task_queue)
            await told.wait()
    finally:
        await sequencer.close()
        await pool.close()


def main() -> None:
    """Entry point of a worker process."""
    telemetry.configure()
    try:
        uvloop.run(serve(load_settings()))
    except SettingsError as error:
        print(error.text(), file=sys.stderr)
        leave(2)
    except Exception as error:
        structlog.get_logger().error("worker ended", reason=type(error).__name__, exc_info=error)
        leave(7 if isinstance(error, temporal.Unreachable | OSError | asyncpg.PostgresConnectionError) else 1)
    leave(0)


if __name__ == "__main__":
    main()
