"""Webhooks: which systems elsewhere are told what happened, of which kinds of events, and how that goes."""

from typing import TYPE_CHECKING, Any, Final

import typer

from journeys.app.cli.desk import Desk
from journeys.app.cli.shape import argument, at, command, group, option
from journeys.app.failures import Exit, Failure, Said, usage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from journeys.store.webhooks import Webhook

MOST_ACTIVE: Final = 20
"""Each keeps one activity of a worker busy."""


def add_to(app: typer.Typer) -> None:
    """Declare the commands."""
    room = group(
        "Les abonnements : des systèmes extérieurs à qui l'on dit, par identifiants seulement, ce qui s'est passé.",
        "Webhooks: systems elsewhere that are told what happened, by ids only.",
    )
    app.add_typer(room, name="webhook")

    @command(room, "add", "Abonne un système ; montre son secret une seule fois.",
             "Subscribes a system; shows its secret once.")  # fmt: skip
    async def add(
        ctx: typer.Context,
        url: str = argument("adresse https qui reçoit", "https address that receives", "URL"),
        event: list[str] = option(  # noqa: B008
            "--event", "type d'événement ; à répéter", "type of event; may be repeated", []
        ),
    ) -> None:
        await _add(at(ctx), url, event)

    @command(room, "list", "Tous les abonnements et comment ils vont.", "All webhooks and how they fare.")
    async def list_(ctx: typer.Context) -> None:
        await _list(at(ctx))

    @command(room, "events", "Les types d'événements.", "The types of events.")
    async def events(ctx: typer.Context) -> None:
        from journeys.domain.announcements import TYPES

        out = at(ctx).out
        out.result({"events": list(TYPES)}, lambda: out.line("\n".join(TYPES)))

    @command(room, "rotate", "Donne un nouveau secret ; l'ancien compte encore 24 heures.",
             "Gives a new secret; the former one counts for 24 hours more.")  # fmt: skip
    async def rotate(ctx: typer.Context, webhook: str = _WEBHOOK) -> None:
        await _rotate(at(ctx), webhook)

    @command(room, "redeliver", "Redit les événements d'un parcours.", "Tells the events of a journey again.")
    async def redeliver(
        ctx: typer.Context,
        webhook: str = _WEBHOOK,
        journey: str = argument("le parcours", "the journey", "ID"),
        first: int = option("--from", "à partir de ce numéro", "from this seq on", 1, min=1, max=2_000_000_000),
    ) -> None:
        await _redeliver(at(ctx), webhook, journey, first)

    @command(room, "resume", "Reprend après une pause, ou essaie tout de suite.", "Resumes, or tries again at once.")
    async def resume(ctx: typer.Context, webhook: str = _WEBHOOK) -> None:
        await _resume(at(ctx), webhook)

    @command(room, "end", "Met fin à un abonnement, pour toujours.", "Ends a webhook, for good.")
    async def end(ctx: typer.Context, webhook: str = _WEBHOOK) -> None:
        await _end(at(ctx), webhook)


_WEBHOOK: Any = argument("début de l'identifiant, ou adresse", "beginning of the id, or address", "ABONNEMENT")


async def _add(desk: Desk, url: str, events: "Sequence[str]") -> None:
    from journeys.identifiers import uuid7
    from journeys.store import webhooks
    from journeys.store.webhooks import Origin, Webhook

    kinds = _kinds(events)
    _must_be_allowed(desk, url)
    by = await desk.keeper()
    pool, client, ring = await desk.pool(), await desk.client(), desk.ring()
    if sum(hook.state == "active" for hook in await webhooks.webhooks(pool)) >= MOST_ACTIVE:
        raise Failure(
            Exit.REFUSED, "too-many",
            Said(f"il y a déjà {MOST_ACTIVE} abonnements actifs", f"there are {MOST_ACTIVE} active webhooks already"),
            Said("mettez fin à l'un d'eux : journeys webhook end", "end one of them: journeys webhook end"),
        )  # fmt: skip
    hook = Webhook(id=uuid7(desk.now), url=url, kinds=kinds, made_at=desk.now, origin=Origin(ring.current_id, 1))
    await webhooks.add(pool, hook, by)
    await _begin(desk, client, hook)
    _tell_secret(desk, hook, "abonné", "subscribed")


async def _list(desk: Desk) -> None:
    from journeys.identifiers import short
    from journeys.store import webhooks

    pool = await desk.pool()
    await desk.keeper()
    found = await webhooks.webhooks(pool)
    out = desk.out
    states = {"active": ("actif", "active"), "paused": ("en pause", "paused"), "ended": ("terminé", "ended")}
    heads = (out.t("id", "id"), out.t("adresse", "address"), out.t("état", "state"), out.t("événements", "events"),
             out.t("dernier accepté", "last taken"), out.t("difficulté", "trouble"))  # fmt: skip
    rows = [
        (
            short(hook.id), hook.url, out.t(*states[hook.state]), str(len(hook.kinds)),
            f"{hook.sent_at:%Y-%m-%d %H:%M} UTC" if hook.sent_at else "", hook.trouble or hook.why or "",
        )
        for hook in found
    ]  # fmt: skip
    out.result({"webhooks": [_json(hook) for hook in found]}, lambda: out.table(heads, rows))


async def _rotate(desk: Desk, asked: str) -> None:
    from journeys.store import webhooks

    hook = await _find(desk, asked)
    by = await desk.keeper()
    rotated = await webhooks.rotate(await desk.pool(), hook.id, desk.ring().current_id, by)
    _tell_secret(desk, rotated, "nouveau secret", "new secret")


async def _redeliver(desk: Desk, asked: str, journey: str, first: int) -> None:
    from journeys.app.finding import find_journey
    from journeys.store import webhooks

    hook = await _find(desk, asked)
    row = await find_journey(await desk.pool(), journey)
    by, client = await desk.keeper(), await desk.client()
    await webhooks.rewind(await desk.pool(), hook.id, row.id, first, by)
    if hook.state == "active":
        await _begin(desk, client, hook)
    _said(desk, hook, "ces événements seront redits", "these events will be told again")


async def _resume(desk: Desk, asked: str) -> None:
    from journeys.store import webhooks

    hook = await _find(desk, asked)
    by, client = await desk.keeper(), await desk.client()
    await webhooks.set_state(await desk.pool(), hook.id, "active", None, by)
    await _begin(desk, client, hook)
    _said(desk, await webhooks.webhook(await desk.pool(), hook.id), "repris", "resumed")


async def _end(desk: Desk, asked: str) -> None:
    from journeys.store import webhooks

    hook = await _find(desk, asked)
    await webhooks.set_state(await desk.pool(), hook.id, "ended", "asked", await desk.keeper())
    _said(desk, await webhooks.webhook(await desk.pool(), hook.id), "terminé", "ended")


async def _begin(desk: Desk, client: Any, hook: "Webhook") -> None:
    """Start telling now. What cannot be started now is by the workers, within ten minutes: nothing is lost."""
    from journeys.temporal import Unreachable, begin_webhook

    try:
        await begin_webhook(client, hook.id, desk.settings.task_queue, wake=True)
    except Unreachable:
        desk.out.note(
            desk.out.t(
                "Temporal ne répond pas ; l'envoi commencera dans les dix minutes de son retour.",
                "Temporal does not answer; telling begins within ten minutes of its return.",
            )
        )


async def _find(desk: Desk, asked: str) -> "Webhook":
    """One that has not ended. Raises Failure."""
    from journeys.app.finding import pick
    from journeys.store import webhooks

    going = {hook.id: hook for hook in await webhooks.webhooks(await desk.pool()) if hook.state != "ended"}
    return going[pick(asked, {id: hook.url for id, hook in going.items()}, "webhook", "ABONNEMENT")]


def _kinds(events: "Sequence[str]") -> tuple[str, ...]:
    from journeys.app.finding import unknown_code
    from journeys.domain.announcements import TYPES

    if not events:
        raise usage("no-event", "dites ce qui doit être transmis : --event journey.milestone_reached …",
                    "say what is to be told: --event journey.milestone_reached …", field="--event",
                    remedy=Said("voyez « journeys webhook events »", "see “journeys webhook events”"))  # fmt: skip
    for event in events:
        if event not in TYPES:
            raise unknown_code("event", event, TYPES, "--event")
    return tuple(dict.fromkeys(TYPES[event] for event in events))


def _must_be_allowed(desk: Desk, url: str) -> None:
    """Raises Failure."""
    from journeys.channels.webhook import Messenger

    match Messenger(hosts=desk.settings.webhook_hosts).refuses(url):
        case None:
            return
        case "not-a-url":
            raise usage(
                "not-a-url",
                "URL : écrivez une adresse comme https://crm.exemple.fr/recu, sans mot de passe",
                "URL: write an address such as https://crm.example.org/in, without a password",
                field="URL",
            )
        case "not-https":
            raise usage("not-https", "URL : il faut https (http ne vaut que pour cette machine)",
                        "URL: https is needed (http is for this machine only)", field="URL")  # fmt: skip
        case _:
            raise Failure(
                Exit.REFUSED, "host-not-allowed",
                Said("URL : cette machine n'est pas de celles que l'on peut prévenir",
                     "URL: this host is not among those that may be told"),
                Said("qui exploite le service l'ajoute à JOURNEYS_WEBHOOK_HOSTS, ici et pour les workers",
                     "whoever runs the service adds it to JOURNEYS_WEBHOOK_HOSTS, here and for the workers"),
                field="URL",
            )  # fmt: skip


def _tell_secret(desk: Desk, hook: "Webhook", fr: str, en: str) -> None:
    from journeys.identifiers import short
    from journeys.store.webhooks import secret_of, written

    secret = written(secret_of(desk.ring(), hook.id, hook.origin))
    out = desk.out

    def show() -> None:
        out.line(f"{short(hook.id)} : {fr}." if out.lang == "fr" else f"{short(hook.id)}: {en}.")
        out.line(secret)
        out.line(
            out.t("Gardez ce secret : il n'est montré que cette fois.", "Keep this secret: it is shown only once.")
        )

    out.result({"webhook": _json(hook), "secret": secret}, show)


def _said(desk: Desk, hook: "Webhook | None", fr: str, en: str) -> None:
    from journeys.identifiers import short

    assert hook is not None
    out, name = desk.out, short(hook.id)
    out.result({"webhook": _json(hook)}, lambda: out.line(out.t(f"{name} : {fr}.", f"{name}: {en}.")))


def _json(hook: "Webhook") -> dict[str, Any]:
    from journeys.domain.announcements import type_of

    return {
        "id": hook.id, "url": hook.url, "events": [type_of(kind) for kind in hook.kinds], "state": hook.state,
        "why": hook.why, "made_at": hook.made_at, "sent_at": hook.sent_at, "troubled_since": hook.troubled_since,
        "trouble": hook.trouble, "former_secret_until": hook.old_until,
    }  # fmt: skip
