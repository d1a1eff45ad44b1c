"""`journeys audit key`, `checkpoint`, `verify --all`: the log of everything and its signed checkpoints."""

from pathlib import Path
from typing import TYPE_CHECKING, Final

import typer

from journeys.app.cli.desk import Desk
from journeys.app.cli.shape import at, command, option
from journeys.app.failures import Exit, Failure, Said, usage, why

if TYPE_CHECKING:
    from journeys.store.checkpoints import Copy

READING: Final = Said("Lecture du journal d'ensemble", "Reading the log")


def add_to(room: typer.Typer) -> None:
    """Declare the commands in the group of the audit."""

    @command(room, "key", "La clé publique qui permet de vérifier les attestations ; à donner à qui contrôle.",
             "The public key by which checkpoints are checked; to be given to whoever audits.")  # fmt: skip
    async def key(
        ctx: typer.Context,
        revoke: str = option("--revoke", "cette clé ne compte plus (volée, perdue)",
                             "this key counts no more (stolen, lost)", None, metavar="VKEY"),
        reason: str = option("--why", "pourquoi", "why", None),
    ) -> None:  # fmt: skip
        await _key(at(ctx), revoke, reason)

    @command(room, "checkpoint", "Signe maintenant une attestation de tout le journal, et la remet à qui la garde.",
             "Signs a checkpoint of the whole log now, and delivers it to those who hold it.")  # fmt: skip
    async def checkpoint(
        ctx: typer.Context,
        held: list[str] = option(  # noqa: B008
            "--held", "une attestation gardée ailleurs, à comparer d'abord (répétable)",
            "a checkpoint held elsewhere, compared first (repeatable)", [], metavar="FILE",
        ),
        anew: bool = option("--after-restore",
                            "après un refus dû à une sauvegarde restaurée : continuer sous un nouveau nom, avec --why",
                            "after a refusal because of a restored backup: go on under a new name, with --why", False),
        reason: str = option("--why", "pourquoi", "why", None),
    ) -> int:  # fmt: skip
        return await _checkpoint(at(ctx), held, anew, reason)


async def _key(desk: Desk, revoke: str | None, reason: str | None) -> None:
    from journeys.evidence.note import Signer
    from journeys.store import checkpoints, sequencing

    pool, out = await desk.pool(), desk.out
    if revoke is not None:
        by = await desk.keeper()
        if not await checkpoints.revoke(pool, revoke.strip(), _reason(reason), by):
            raise Failure(Exit.NOT_FOUND, "no-such-key",
                          Said("cette clé n'a jamais signé, ou ne compte déjà plus",
                               "this key never signed, or counts no more already"),
                          Said("« journeys audit key » les nomme toutes", "“journeys audit key” names them all"),
                          field="--revoke")  # fmt: skip
    known, seed = await checkpoints.keys(pool), desk.settings.checkpoint_seed()
    own = Signer((await sequencing.head(pool)).origin, seed).verifier if seed is not None else None
    former = [each for each in known.used if each != own]
    dead = out.t("ne compte plus", "counts no more")

    def show() -> None:
        if own is None:
            out.line(out.t("Aucune clé n'est donnée à ce poste.", "No key is given to this place."))
        else:
            out.line(own.vkey() + (f"   ({dead})" if not known.counts(own) else ""))
        for each in former:
            out.line(f"{each.vkey()}   ({out.t('avant', 'former') if known.counts(each) else dead})")

    out.result(
        {"key": own.vkey() if own is not None else None, "former": [each.vkey() for each in former],
         "revoked": sorted(known.revoked)},
        show,
    )  # fmt: skip


def _reason(given: str | None) -> str:
    if given is None or not given.strip():
        raise usage("why", "dites pourquoi : --why", "say why: --why", field="--why")
    return given.strip()


async def _checkpoint(desk: Desk, held: list[str], anew: bool, reason: str | None) -> int:
    from journeys.app.overseeing import REMEDY, told
    from journeys.store import checkpoints, sequencing

    copies, out = [_copy(path) for path in held], desk.out
    async with desk.notary() as notary:
        if notary.seed is None:
            raise no_key()
        if anew:
            said, by = _reason(reason), await desk.keeper()
            await notary.round(desk.now, copies)
            known = [*notary.copies((await sequencing.head(notary.pool)).origin), *copies]
            if await checkpoints.begin_anew(notary.pool, notary.writer, said, by, known) is None:
                raise Failure(Exit.CONFLICT, "nothing-refused",
                              Said("rien n'a été refusé : il n'y a pas lieu de changer de nom",
                                   "nothing was refused: there is no reason for a new name"))  # fmt: skip
        found = await notary.round(desk.now, copies)
        if found.refused is not None:
            raise Failure(Exit.BROKEN, found.refused.code, told(found.refused), REMEDY)
        origin = (await sequencing.head(notary.pool)).origin
        last = await checkpoints.last(notary.pool, origin)

    def show() -> None:
        if last is None:
            out.line(out.t("Il n'y a encore rien à attester.", "There is nothing to sign yet."))
            return
        out.raw(last.note)
        if found.made is None:
            out.note(out.t("Rien de nouveau depuis.", "Nothing new since."))
        for party in found.failed:
            out.note(out.t(f"Pas remise à {party} : voyez « journeys doctor ».",
                           f"Not delivered to {party}: see “journeys doctor”."))  # fmt: skip

    out.result({
        "origin": origin, "size": last.size if last else 0, "root": last.root.hex() if last else None,
        "note": last.note if last else None, "new": found.made is not None, "placed": found.placed,
        "not_delivered": list(found.failed),
    }, show)  # fmt: skip
    return Exit.FAILED if found.failed else Exit.DONE


def no_key() -> Failure:
    """Nothing can be signed here."""
    return Failure(Exit.USAGE, "no-key",
                   Said("aucune clé d'attestation n'est donnée à ce poste",
                        "no key of checkpoints is given to this place"),
                   Said("donnez-la par JOURNEYS_CHECKPOINT_KEY_FILE (une nouvelle : openssl rand -hex 32)",
                        "give it by JOURNEYS_CHECKPOINT_KEY_FILE (a new one: openssl rand -hex 32)"),
                   field="JOURNEYS_CHECKPOINT_KEY")  # fmt: skip


def _copy(path: str) -> "Copy":
    from journeys.store.checkpoints import Copy

    try:
        return Copy(path, Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise Failure(Exit.USAGE, "held", Said(f"{path} : {why(error).fr}", f"{path}: {why(error).en}"),
                      field="--held") from None  # fmt: skip
    except UnicodeDecodeError:
        raise usage("held", f"{path} : ce n'est pas une attestation", f"{path}: this is no checkpoint",
                    field="--held") from None  # fmt: skip


async def verify_all(desk: Desk, id: str | None, held: list[str]) -> int:
    """The log against itself and everything that was signed; 6 when anything is wrong."""
    from journeys.audit.log_account import verify_log
    from journeys.evidence.note import Signer
    from journeys.store import sequencing
    from journeys.store.checkpoints import Copy

    if id is not None:
        raise usage("all-or-one", "un parcours ou --all, pas les deux", "a journey or --all, not both", field="--all")
    pool, out = await desk.pool(), desk.out
    log = await sequencing.head(pool)
    copies: list[Copy] = [_copy(path) for path in held]
    async with desk.notary() as notary:
        copies += notary.copies(log.origin)
        key = Signer(log.origin, notary.seed).verifier if notary.seed is not None else None
    with out.progress(READING, log.size) as tell:
        found = await verify_log(pool, key, copies, lambda done, _: tell(done, None))

    def show() -> None:
        for finding in found.findings:
            out.line(f"✗ {finding.told(out.lang)}")
        for notice in found.notices:
            out.line(f"! {notice.told(out.lang)}")
        out.line(out.t(
            f"{found.size} événements de {found.streams} suites, {found.checkpoints} attestation(s),"
            f" {found.snapshots} relevé(s) des fins, {len(copies)} copie(s) gardée(s) ailleurs : "
            + ("tout concorde." if not found.findings else f"{len(found.findings)} anomalie(s)."),
            f"{found.size} events of {found.streams} streams, {found.checkpoints} checkpoint(s),"
            f" {found.snapshots} snapshot(s) of heads, {len(copies)} copy(ies) held elsewhere: "
            + ("all agree." if not found.findings else f"{len(found.findings)} finding(s)."),
        ))  # fmt: skip
        if found.waiting:
            out.line(out.t(f"{found.waiting} événement(s) attendent encore leur place.",
                           f"{found.waiting} event(s) still wait for their place."))  # fmt: skip

    out.result(found.as_json(), show)
    return Exit.BROKEN if found.findings else Exit.DONE
