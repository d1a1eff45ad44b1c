"""Who there is: staff (roles, sites, absences), partners, mentors, people."""

import dataclasses
from typing import TYPE_CHECKING, Any, Final, get_args

import typer

from journeys.app.cli import erasing, tokens
from journeys.app.cli.desk import Desk
from journeys.app.cli.shape import argument, at, command, group, option
from journeys.app.failures import Exit, Failure, Lang, Said, usage, why

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from journeys.app.proposing import Proposal
    from journeys.store.directory import By
    from journeys.store.staff import Left

_HANDLE: Final = r"[a-z][a-z0-9._-]{0,39}"
_PURPOSE: Final = ("--purpose", "pour quoi on lui adresse des personnes, à la place de son genre ; à répéter",
                   "what people are referred for, instead of its kind; may be repeated")  # fmt: skip
_PLACES: Final = ("--places", "personnes à la fois", "people at once")
_LANGUAGES: Final = ("--languages", 'langues parlées : "français, arabe"', 'languages spoken: "French, Arabic"')
_INTERESTS: Final = ("--interests", 'centres d\'intérêt : "football, cuisine"', 'interests: "football, cooking"')


def add_to(app: typer.Typer) -> None:
    """Declare the commands."""
    _add_staff(app)
    _add_partners(app)
    _add_mentors(app)
    _add_people(app)


# --- staff


def _add_staff(app: typer.Typer) -> None:
    room = group("L'équipe : qui, dans quels rôles, présent ou absent.", "Staff: who, in which roles, present or away.")
    app.add_typer(room, name="staff")
    erasing.add_to_staff(room)

    @command(room, "add", "Ajoute quelqu'un à l'équipe.", "Adds somebody to the staff.")
    async def add(
        ctx: typer.Context,
        handle: str = argument("nom court pour --as", "short name for --as", "PSEUDO"),
        name: str = option("--name", "nom affiché", "name shown", ...),
        role: list[str] = option("--role", "rôle ; à répéter", "role; may be repeated", []),  # noqa: B008
        site: list[str] = option("--site", "site ; à répéter ; aucun : tous", "site; may be repeated; none: all", []),  # noqa: B008
        fund: list[str] = option("--fund", "fonds ; à répéter ; aucun : tous", "fund; may be repeated; none: all", []),  # noqa: B008
        email: str = option("--email", "adresse", "address"),
        phone: str = option("--phone", "téléphone", "phone"),
        language: str = option("--language", "fr ou en", "fr or en", "fr"),
    ) -> None:
        await _staff_add(at(ctx), handle, name, role, site, fund, email, phone, language)

    @command(room, "list", "Toute l'équipe.", "All staff.")
    async def list_(ctx: typer.Context) -> None:
        await _staff_list(at(ctx))

    @command(room, "change", "Corrige le nom ou les coordonnées.", "Corrects name or contact details.")
    async def change(
        ctx: typer.Context,
        handle: str = argument("qui", "who", "PSEUDO"),
        name: str = option("--name", "nom affiché", "name shown"),
        email: str = option("--email", "adresse", "address"),
        phone: str = option("--phone", "téléphone", "phone"),
        site: list[str] = option("--site", "sites, à la place des anciens", "sites, in place of the former", []),  # noqa: B008
        every_site: bool = option("--every-site", "de nouveau tous les sites", "every site again", False),
        fund: list[str] = option("--fund", "fonds, à la place des anciens", "funds, in place of the former", []),  # noqa: B008
        every_fund: bool = option("--every-fund", "de nouveau tous les fonds", "every fund again", False),
        left: bool = option("--left", "ne fait plus partie de l'équipe", "has left", False),
        back: bool = option("--back", "est de retour dans l'équipe", "is back on the staff", False),
    ) -> None:
        bounds = _Bounds(site, every_site, fund, every_fund)
        await _staff_change(at(ctx), handle, name, email, phone, bounds, left, back)

    @command(room, "password", "Pose un mot de passe pour l'application.", "Sets a password for the application.")
    async def password(
        ctx: typer.Context,
        handle: str = argument("qui", "who", "PSEUDO"),
        stdin: bool = option("--stdin", "lire le mot de passe sur l'entrée", "read the password from stdin", False),
    ) -> None:
        await _staff_password(at(ctx), handle, stdin)

    @command(room, "sessions", "Les sessions ouvertes dans l'application.", "Open sessions in the application.")
    async def sessions(
        ctx: typer.Context,
        handle: str = argument("qui", "who", "PSEUDO"),
        end: bool = option("--end", "mettre fin à toutes, sur-le-champ", "end all of them, at once", False),
    ) -> None:
        await _staff_sessions(at(ctx), handle, end)

    tokens.add_to_staff(room)

    @command(room, "role", "Donne ou retire un rôle.", "Gives or takes a role.")
    async def role(
        ctx: typer.Context,
        handle: str = argument("qui", "who", "PSEUDO"),
        role: str = argument("le rôle", "the role", "ROLE"),
        take: bool = option("--take", "retirer le rôle", "take the role away", False),
        site: list[str] = option("--site", "sites, à la place des anciens", "sites, in place of the former", []),  # noqa: B008
        every_site: bool = option("--every-site", "de nouveau tous les sites", "every site again", False),
        fund: list[str] = option("--fund", "fonds, à la place des anciens", "funds, in place of the former", []),  # noqa: B008
        every_fund: bool = option("--every-fund", "de nouveau tous les fonds", "every fund again", False),
    ) -> None:
        await _staff_role(at(ctx), handle, role, take, _Bounds(site, every_site, fund, every_fund))

    @command(room, "absence", "Note une absence, avec qui remplace.", "Notes an absence, with who stands in.")
    async def absence(
        ctx: typer.Context,
        handle: str = argument("qui", "who", "PSEUDO"),
        first: str = option("--from", "premier jour", "first day", ...),
        last: str = option("--to", "dernier jour", "last day"),
        deputy: str = option("--deputy", "qui remplace", "who stands in"),
        drop: bool = option(
            "--drop", "supprimer l'absence qui commence ce jour", "strike out the absence that begins then", False
        ),
    ) -> None:
        await _staff_absence(at(ctx), handle, first, last, deputy, drop)


@dataclasses.dataclass(frozen=True, slots=True)
class _Bounds:
    """How far a member's roles reach, as typed: sites and funds in place of the former, or all of them again."""

    sites: "Sequence[str]"
    every_site: bool
    funds: "Sequence[str]"
    every_fund: bool

    async def check(self, desk: Desk) -> None:
        """Raises Failure (usage): some and all at once, or a fund that nobody knows."""
        for name, some, every in (("--site", self.sites, self.every_site), ("--fund", self.funds, self.every_fund)):
            if some and every:
                raise usage("some-and-all", f"{name} ou --every-{name[2:]}, pas les deux",
                            f"{name} or --every-{name[2:]}, not both", field=name)  # fmt: skip
        for fund in self.funds:
            await _known_fund(desk, fund)

    async def set(self, desk: Desk, member: str, by: "By") -> bool:
        """Write down what was typed; whether anything was."""
        from journeys.store import staff

        pool = await desk.pool()
        if self.sites or self.every_site:
            await staff.set_sites(pool, member, self.sites, by)
        if self.funds or self.every_fund:
            await staff.set_funds(pool, member, self.funds, by)
        return bool(self.sites or self.every_site or self.funds or self.every_fund)


async def _staff_add(
    desk: Desk, handle: str, name: str, roles: "Sequence[str]", sites: "Sequence[str]", funds: "Sequence[str]",
    email: str | None, phone: str | None, language: str,
) -> None:  # fmt: skip
    import re

    from journeys.identifiers import uuid7
    from journeys.store import staff
    from journeys.store.staff import Member

    if not re.fullmatch(_HANDLE, handle):
        raise usage(
            "not-a-handle",
            f"PSEUDO : « {handle} » ; minuscules, chiffres, points ou tirets, d'abord une lettre",
            f"PSEUDO: “{handle}”; lower case, digits, dots or dashes, a letter first",
            field="PSEUDO",
        )
    pool = await desk.pool()
    known_roles = await _roles(desk)
    for role in roles:
        _known_role(role, known_roles)
    for fund in funds:
        await _known_fund(desk, fund)
    by = await desk.keeper()
    checked = _contact(name, email, phone, language)
    member = Member(
        id=uuid7(desk.now), handle=handle, roles=tuple(dict.fromkeys(roles)), sites=tuple(sites), funds=tuple(funds),
        active=True, **checked,
    )  # fmt: skip
    await staff.add(pool, member, by)
    fr, en = (_roles_words(member.roles, lang, known_roles) for lang in get_args(Lang))
    _told(desk, "staff", member, f"{member.name} ({handle}) est dans l'équipe : {fr}.",
          f"{member.name} ({handle}) is on the staff: {en}.")  # fmt: skip


async def _staff_password(desk: Desk, handle: str, stdin: bool) -> None:
    from journeys.app.finding import find_staff
    from journeys.app.passwords import refuse_weak
    from journeys.store import accounts, sessions

    pool = await desk.pool()
    member = await find_staff(pool, handle, "PSEUDO")
    await desk.keeper()
    password = _read_password(desk, stdin)
    refuse_weak(password, member.handle, member.name, "--stdin" if stdin else "PSEUDO")
    await accounts.set_password(pool, member.id, password)
    ended = await sessions.close_all(pool, member.id)
    _told(desk, "staff", member,
          f"{member.name} peut se connecter avec ce mot de passe ; sessions closes : {ended}.",
          f"{member.name} can log in with this password; sessions ended: {ended}.")  # fmt: skip


def _read_password(desk: Desk, stdin: bool) -> str:
    """From a terminal twice and unseen, else the first line of stdin. Raises Failure."""
    import getpass
    import sys

    if stdin:
        return sys.stdin.readline().rstrip("\r\n")
    if not sys.stdin.isatty():
        raise usage("no-terminal", "il n'y a pas de terminal pour taper le mot de passe ; ajoutez --stdin",
                    "there is no terminal to type the password on; add --stdin", field="--stdin")  # fmt: skip
    first = getpass.getpass(desk.out.t("Nouveau mot de passe : ", "New password: "))
    if first != getpass.getpass(desk.out.t("Encore une fois : ", "Once more: ")):
        raise usage("not-the-same", "les deux mots de passe diffèrent ; rien n'a changé",
                    "the two passwords differ; nothing has changed", field="PSEUDO")  # fmt: skip
    return first


async def _staff_sessions(desk: Desk, handle: str, end: bool) -> None:
    from journeys.app.finding import find_staff
    from journeys.store import sessions

    pool = await desk.pool()
    member = await find_staff(pool, handle, "PSEUDO")
    await desk.keeper()
    if end:
        ended = await sessions.close_all(pool, member.id)
        _told(desk, "staff", member, f"{handle} : {ended} session(s) close(s).", f"{handle}: {ended} session(s) ended.")
        return
    found = await sessions.open_sessions(pool, member.id)
    out = desk.out
    heads = (out.t("ouverte", "opened"), out.t("dernier usage", "last used"), out.t("par", "by"))
    rows = [(f"{each.opened_at:%Y-%m-%d %H:%M} UTC", f"{each.seen_at:%Y-%m-%d %H:%M} UTC", each.how) for each in found]
    out.result({"sessions": [dataclasses.asdict(each) for each in found]}, lambda: out.table(heads, rows))


async def _staff_list(desk: Desk) -> None:
    from journeys.app.reading import today_of
    from journeys.store import staff

    pool = await desk.pool()
    members = await staff.members(pool)
    away: dict[str, str] = {}
    names = {member.id: member.handle for member in members}
    for absence in await staff.absences(pool, today_of(desk.now)):
        deputy = f" ({names.get(absence.deputy, '')})" if absence.deputy else ""
        away.setdefault(absence.staff, f"{absence.first_day:%d/%m/%Y} – {absence.last_day:%d/%m/%Y}{deputy}")
    out, known = desk.out, await _roles(desk)
    rows = [
        (m.handle, m.name, _roles_words(m.roles, out.lang, known), ", ".join(m.sites) or out.t("tous", "all"),
         ", ".join(m.funds) or out.t("tous", "all") if "finance" in m.roles else "",
         (m.email or "") + (out.t(" (n'arrive pas)", " (does not arrive)") if m.mail_failed else ""),
         away.get(m.id, "") if m.active else out.t("parti", "left"))
        for m in members
    ]  # fmt: skip
    heads = (out.t("pseudo", "handle"), out.t("nom", "name"), out.t("rôles", "roles"), out.t("sites", "sites"),
             out.t("fonds", "funds"), out.t("adresse", "address"), out.t("absence", "away"))  # fmt: skip
    out.result(
        {"staff": [dataclasses.asdict(m) | {"away": away.get(m.id)} for m in members]}, lambda: out.table(heads, rows)
    )


async def _staff_change(
    desk: Desk, handle: str, name: str | None, email: str | None, phone: str | None, bounds: _Bounds,
    left: bool, back: bool,
) -> None:  # fmt: skip
    from journeys.app.finding import find_staff
    from journeys.store import staff

    pool = await desk.pool()
    member = await find_staff(pool, handle, "PSEUDO")
    if left and back:
        raise usage("left-and-back", "--left ou --back, pas les deux", "--left or --back, not both", field="--left")
    await bounds.check(desk)
    by = await desk.keeper()
    if name is not None or email is not None or phone is not None:
        checked = _contact(name or member.name, email or member.email, phone or member.phone, member.language)
        await staff.change(pool, member.id, name=checked["name"], email=checked["email"], phone=checked["phone"], by=by)
    await bounds.set(desk, member.id, by)
    if left or back:
        await staff.set_active(pool, member.id, back, by)
    changed = await staff.member(pool, member.id)
    _told(desk, "staff", changed, f"{handle} : noté.", f"{handle}: noted.")
    if left:
        _say_what_waits(desk, await staff.still_counted_on(pool, member.id))


def _say_what_waits(desk: Desk, found: "Sequence[Left]") -> None:
    """The open journeys that somebody leads who has left, and those that they are asked to take over."""
    from journeys.identifiers import short

    led, asked = (
        [short(each.journey) for each in found if (each.transfer is None) is leads] for leads in (True, False)
    )
    if led:
        desk.out.note(desk.out.t(
            f"Attention : {len(led)} parcours ouvert(s) sont encore à son nom : {', '.join(led)}. Désignez quelqu'un :"
            " journeys do ID assign-referent --referent PSEUDO --reason ….",
            f"Take care: {len(led)} open journey(s) are still led in this name: {', '.join(led)}. Name somebody:"
            " journeys do ID assign-referent --referent HANDLE --reason ….",
        ))  # fmt: skip
    if asked:
        desk.out.note(desk.out.t(
            f"{len(asked)} reprise(s) attendaient sa réponse : {', '.join(asked)}. Elles seront déclinées ; proposez"
            " ces parcours à quelqu'un d'autre.",
            f"{len(asked)} hand-over(s) waited for an answer: {', '.join(asked)}. They will be declined; offer these"
            " journeys to somebody else.",
        ))  # fmt: skip


async def _staff_role(desk: Desk, handle: str, role: str, take: bool, bounds: _Bounds) -> None:
    from journeys.app.finding import find_staff
    from journeys.store import staff

    pool = await desk.pool()
    member = await find_staff(pool, handle, "PSEUDO")
    if not take:
        _known_role(role, await _roles(desk))
    await bounds.check(desk)
    by = await desk.keeper()
    done = await (staff.take_role if take else staff.give_role)(pool, member.id, role, by)
    done = await bounds.set(desk, member.id, by) or done
    changed = await staff.member(pool, member.id)
    fr, en = ("noté", "noted") if done else ("rien à changer", "nothing to change")
    _told(desk, "staff", changed, f"{handle} : {fr}.", f"{handle}: {en}.")


async def _staff_absence(desk: Desk, handle: str, first: str, last: str | None, deputy: str | None, drop: bool) -> None:
    from journeys.app.absences import absence_of
    from journeys.app.finding import find_staff
    from journeys.app.reading import read_day
    from journeys.store import staff

    pool = await desk.pool()
    member = await find_staff(pool, handle, "PSEUDO")
    first_day = read_day(first, "--from")
    by = await desk.keeper("supervisor", "referent")
    if drop:
        done = await staff.drop_absence(pool, member.id, first_day, by)
        fr, en = (
            ("absence supprimée", "absence struck out")
            if done
            else ("aucune absence ce jour-là", "no absence that day")
        )
        _told(desk, "staff", member, f"{handle} : {fr}.", f"{handle}: {en}.")
        return
    last_day = read_day(last, "--to") if last is not None else first_day
    stands_in = await find_staff(pool, deputy, "--deputy") if deputy is not None else None
    absence = absence_of(member, first_day, last_day, stands_in, called=("--to", "--deputy"))
    await staff.set_absence(pool, absence, by)
    _told(desk, "staff", member, f"{handle} : absence notée du {first_day:%d/%m/%Y} au {last_day:%d/%m/%Y}.",
          f"{handle}: absence noted from {first_day} to {last_day}.")  # fmt: skip


async def _roles(desk: Desk) -> dict[str, Said]:
    """Roles of the rights table, and those of programmes shipped or in force, each with what it is called."""
    from journeys.app.inbox import role_label
    from journeys.app.publishing import in_force, shipped
    from journeys.authoring.reading import programme_names
    from journeys.domain.programme import compile_programme
    from journeys.domain.rights import ROLES

    programmes = [compile_programme(shipped(name)) for name in programme_names()]
    programmes += [programme for _, programme in (await in_force(await desk.pool())).values()]
    known = {code: Said(role.fr, role.en) for programme in programmes for code, role in programme.roles.items()}
    known |= {role: Said(role_label(role, "fr"), role_label(role, "en")) for role in ROLES}
    return {code: label for code, label in known.items() if code not in ("participant", "partner", "mentor")}


def _known_role(role: str, known: "Collection[str]") -> None:
    from journeys.app.finding import nearest

    if role in known:
        return
    names = sorted(known)
    near = nearest(role, names)
    raise usage(
        "unknown-role",
        f"--role : « {role} » n'est pas un rôle connu",
        f"--role: “{role}” is not a known role",
        field="--role",
        remedy=Said(
            (f"Vouliez-vous dire « {near} » ? " if near else "") + f"Rôles : {', '.join(names)}",
            (f"Did you mean “{near}”? " if near else "") + f"Roles: {', '.join(names)}",
        ),
    )


async def _known_fund(desk: Desk, fund: str) -> None:
    """A fund that was opened, or from which a programme in force or shipped pays. Raises Failure (not found)."""
    from journeys.app.finding import unknown_code
    from journeys.app.publishing import in_force, shipped
    from journeys.authoring.reading import programme_names
    from journeys.domain.programme import compile_programme
    from journeys.store import funds

    pool = await desk.pool()
    programmes = [compile_programme(shipped(name)) for name in programme_names()]
    programmes += [programme for _, programme in (await in_force(pool)).values()]
    known = {each.code for each in await funds.funds(pool)}
    known |= {grant.fund for programme in programmes for grant in programme.grants.values()}
    if fund not in known:
        raise unknown_code("fund", fund, sorted(known), "--fund")


# --- partners and mentors


def _add_partners(app: typer.Typer) -> None:
    room = group("Les partenaires : logement, emploi, soin, droits.", "Partners: housing, jobs, care, rights.")
    app.add_typer(room, name="partner")
    erasing.add_to_partners(room)

    @command(room, "add", "Ajoute un partenaire.", "Adds a partner.")
    async def add(
        ctx: typer.Context,
        name: str = argument("nom", "name", "NOM"),
        kind: str = option("--kind", "genre (housing, employer, care…)", "kind (housing, employer, care…)", ...),
        site: str = option("--site", "site", "site"),
        email: str = option("--email", "adresse", "address"),
        phone: str = option("--phone", "téléphone", "phone"),
        language: str = option("--language", "fr ou en", "fr or en", "fr"),
        place: str = option("--place", "ville", "town"),
        purpose: list[str] = option(*_PURPOSE, []),  # noqa: B008
        places: int = option(*_PLACES, None, min=0, max=10_000),
    ) -> None:
        from journeys.app.reading import read_codes
        from journeys.identifiers import uuid7
        from journeys.store import partners
        from journeys.store.partners import Partner

        desk = at(ctx)
        by = await desk.keeper("supervisor", "referent")
        partner = Partner(
            id=uuid7(desk.now), kind=kind, site=site, place=_line(place, "--place"),
            purposes=read_codes(purpose, "--purpose"), places=places, **_contact(name, email, phone, language),
        )  # fmt: skip
        await partners.add(await desk.pool(), partner, by)
        _told(desk, "partner", partner, f"C'est noté : {partner.name}.", f"{partner.name} is noted.")

    @command(room, "list", "Tous les partenaires.", "All partners.")
    async def list_(ctx: typer.Context) -> None:
        from journeys.store import partners

        desk = at(ctx)
        _listed(
            desk,
            "partners",
            await partners.partners(await desk.pool()),
            ("name", "kind", "place", "site", "places", "email", "active", "id"),
        )

    @command(room, "change", "Où, pour quoi, et combien de places.", "Where, for what, and how many places.")
    async def change(
        ctx: typer.Context,
        name: str = argument("nom ou id", "name or id", "PARTENAIRE"),
        place: str = option("--place", "ville", "town"),
        purpose: list[str] = option(*_PURPOSE, []),  # noqa: B008
        places: int = option(*_PLACES, None, min=0, max=10_000),
        uncounted: bool = option("--uncounted", "ne plus compter ses places", "count its places no more", False),
    ) -> None:
        from journeys.app.finding import find_partner
        from journeys.app.reading import read_codes
        from journeys.store import partners

        desk = at(ctx)
        pool = await desk.pool()
        known = await find_partner(pool, name, "PARTENAIRE")
        changed = dataclasses.replace(
            known, place=known.place if place is None else _line(place, "--place"),
            purposes=read_codes(purpose, "--purpose") or known.purposes,
            places=None if uncounted else known.places if places is None else places,
        )  # fmt: skip
        await partners.describe(pool, changed, await desk.keeper("supervisor", "referent"))
        _told(desk, "partner", changed, f"{known.name} : noté.", f"{known.name}: noted.")

    @command(
        room, "propose", "Vers quel partenaire orienter, le mieux placé d'abord, avec les raisons.",
        "To which partner to refer, the best first, with the reasons.",
    )  # fmt: skip
    async def propose(
        ctx: typer.Context,
        id: str = argument("le parcours", "the journey", "ID"),
        purpose: str = option("--purpose", "pour quoi (logement : housing…)", "for what (housing…)", ...),
    ) -> None:
        from journeys.app.finding import find_journey, load, unknown_code
        from journeys.app.proposing import partners_for
        from journeys.store import partners

        desk = at(ctx)
        pool = await desk.pool()
        loaded = await load(pool, await find_journey(pool, id))
        known = {code for each in await partners.partners(pool) if each.active for code in each.serves}
        if purpose not in known:
            raise unknown_code("purpose", purpose, sorted(known), "--purpose")
        _proposed(desk, "partners", await partners_for(pool, loaded, purpose))

    @command(room, "leave", "Ce partenaire ne reçoit plus personne.", "This partner takes nobody any more.")
    async def leave(ctx: typer.Context, name: str = argument("nom ou id", "name or id", "PARTENAIRE")) -> None:
        from journeys.app.finding import find_partner
        from journeys.store import partners

        desk = at(ctx)
        pool = await desk.pool()
        partner = await find_partner(pool, name, "PARTENAIRE")
        await partners.leave(pool, partner.id, await desk.keeper("supervisor", "referent"))
        _told(desk, "partner", partner, f"{partner.name} ne reçoit plus personne.", f"{partner.name} takes nobody now.")
        if (left := (await partners.taken(pool)).get(partner.id, 0)) > 0:
            desk.out.note(desk.out.t(
                f"Attention : {left} parcours ouvert(s) y sont adressés ou accueillis ; rien n'y a changé. Sans réponse"
                " au bout du délai, l'orientation prend fin et un autre partenaire est proposé.",
                f"Take care: {left} open journey(s) were sent there or taken; nothing has changed in them. Without an"
                " answer in time the referral ends and another partner is proposed.",
            ))  # fmt: skip


def _add_mentors(app: typer.Typer) -> None:
    room = group(
        "Les mentors : qui peut accompagner combien de personnes.", "Mentors: who can accompany how many people."
    )
    app.add_typer(room, name="mentor")
    erasing.add_to_mentors(room)

    @command(room, "add", "Ajoute un mentor.", "Adds a mentor.")
    async def add(
        ctx: typer.Context,
        name: str = argument("nom", "name", "NOM"),
        capacity: int = option("--capacity", "personnes à la fois", "people at once", 1, min=0, max=100),
        site: str = option("--site", "site", "site"),
        email: str = option("--email", "adresse", "address"),
        phone: str = option("--phone", "téléphone", "phone"),
        language: str = option("--language", "fr ou en", "fr or en", "fr"),
        place: str = option("--place", "ville", "town"),
        languages: str = option(*_LANGUAGES),
        interests: str = option(*_INTERESTS),
        volunteer: str = option(
            "--volunteer", "son propre parcours de bénévole : ses règles valent aussi ici",
            "their own journey as a volunteer: its rules hold here as well", metavar="ID",
        ),
    ) -> None:  # fmt: skip
        from journeys.app.asking import barred, no_mentor
        from journeys.app.finding import find_journey
        from journeys.app.reading import today_of
        from journeys.identifiers import uuid7
        from journeys.store import mentors
        from journeys.store.mentors import Mentor

        desk = at(ctx)
        by, pool = await desk.keeper("supervisor", "referent"), await desk.pool()
        mentor = Mentor(
            id=(await find_journey(pool, volunteer)).person if volunteer else uuid7(desk.now),
            capacity=capacity, site=site, **_contact(name, email, phone, language),
            **_affinities(place, languages, interests),
        )  # fmt: skip
        if (says := (await barred(pool, [mentor], today_of(desk.now))).get(mentor.id)) is not None:
            raise no_mentor(mentor.name, says)
        await mentors.add(pool, mentor, by)
        _told(desk, "mentor", mentor, f"C'est noté : {mentor.name}.", f"{mentor.name} is noted.")

    @command(room, "list", "Tous les mentors.", "All mentors.")
    async def list_(ctx: typer.Context) -> None:
        from journeys.store import mentors

        desk = at(ctx)
        _listed(
            desk,
            "mentors",
            await mentors.mentors(await desk.pool()),
            ("name", "place", "site", "languages", "interests", "capacity", "available", "email", "id"),
        )

    @command(
        room, "change", "Combien de personnes, et si c'est possible en ce moment.", "How many people, and whether now."
    )
    async def change(
        ctx: typer.Context,
        name: str = argument("nom ou id", "name or id", "MENTOR"),
        capacity: int = option("--capacity", "personnes à la fois", "people at once", None, min=0, max=100),
        available: bool = typer.Option(
            None, "--available/--unavailable", help="disponible\x1favailable", show_default=False
        ),
        place: str = option("--place", "ville", "town"),
        languages: str = option(*_LANGUAGES),
        interests: str = option(*_INTERESTS),
    ) -> None:
        from journeys.app.finding import find_mentor
        from journeys.store import mentors

        desk = at(ctx)
        pool = await desk.pool()
        mentor = await find_mentor(pool, name, "MENTOR")
        by = await desk.keeper("supervisor", "referent")
        described = _affinities(place, languages, interests)
        if described:
            await mentors.describe(pool, dataclasses.replace(mentor, **described), by)
        if capacity is not None or available is not None or not described:
            await mentors.change(
                pool, mentor.id, capacity=mentor.capacity if capacity is None else capacity,
                available=mentor.available if available is None else available, by=by,
            )  # fmt: skip
        _told(desk, "mentor", await mentors.mentor(pool, mentor.id), f"{mentor.name} : noté.", f"{mentor.name}: noted.")

    @command(
        room, "propose", "Quel mentor proposer, le mieux placé d'abord, avec les raisons.",
        "Which mentor to propose, the best first, with the reasons.",
    )  # fmt: skip
    async def propose(ctx: typer.Context, id: str = argument("le parcours", "the journey", "ID")) -> None:
        from journeys.app.finding import find_journey, load
        from journeys.app.proposing import mentors_for

        desk = at(ctx)
        pool = await desk.pool()
        loaded = await load(pool, await find_journey(pool, id))
        _proposed(desk, "mentors", await mentors_for(pool, loaded))


# --- people


def _add_people(app: typer.Typer) -> None:
    room = group("Les personnes accompagnées.", "People who are accompanied.")
    app.add_typer(room, name="person")
    erasing.add_to(app, room)

    @command(room, "list", "Cherche des personnes par nom ou référence.", "Finds people by name or reference.")
    async def list_(ctx: typer.Context, text: str = argument("nom ou référence", "name or reference", "TEXTE")) -> None:
        from journeys.store import people

        desk = at(ctx)
        found = await people.search(await desk.pool(), text)
        out = desk.out
        rows = [(p.name, str(p.details.birth_date or ""), p.details.reference or "", p.id) for p in found]
        out.result(
            {"people": [_person_json(p) for p in found]},
            lambda: out.table(
                (out.t("nom", "name"), out.t("né(e) le", "born"), out.t("référence", "reference"), "id"), rows
            ),
        )

    @command(room, "show", "Une personne et ses parcours.", "A person and their journeys.")
    async def show(
        ctx: typer.Context, person: str = argument("nom, référence ou id", "name, reference or id", "PERSONNE")
    ) -> None:
        await _person_show(at(ctx), person)

    @command(room, "export", "Ce que le journal garde sur une personne, en fichiers à lui remettre.",
             "What the journal holds about a person, as files to hand to them.")  # fmt: skip
    async def export(
        ctx: typer.Context,
        person: str = argument("nom, référence ou id", "name, reference or id", "PERSONNE"),
        to: str = option("--to", "un dossier qui n'existe pas encore", "a folder that is not there yet", ...,
                         metavar="DOSSIER"),
        sender: str = option("--sender", "nom de l'association, en tête", "the association's name, at the top", ""),
    ) -> None:  # fmt: skip
        await _person_export(at(ctx), person, to, sender)

    @command(room, "change", "Corrige ce qu'on sait d'une personne.", "Corrects what is known of a person.")
    async def change(
        ctx: typer.Context,
        person: str = argument("nom, référence ou id", "name, reference or id", "PERSONNE"),
        first_name: str = option("--first-name", "prénom", "first name"),
        last_name: str = option("--last-name", "nom", "last name"),
        born: str = option("--born --birth-date", "date de naissance", "birth date"),
        reference: str = option("--reference", "référence", "reference"),
        email: str = option("--email", "adresse", "address"),
        phone: str = option("--phone", "téléphone", "phone"),
        language: str = option("--language", "fr ou en", "fr or en"),
        place: str = option("--place", "ville", "town"),
        languages: str = option(*_LANGUAGES),
        interests: str = option(*_INTERESTS),
    ) -> None:
        from journeys.app.finding import find_person
        from journeys.app.people_file import details_of
        from journeys.store import people

        desk = at(ctx)
        pool = await desk.pool()
        known = await find_person(pool, person)
        by = await desk.keeper("supervisor", "referent")
        typed = {"first_name": first_name, "last_name": last_name, "birth_date": born, "reference": reference,
                 "email": email, "phone": phone, "language": language, "place": place, "languages": languages,
                 "interests": interests}  # fmt: skip
        before = {
            name: str(value)
            for name, value in dataclasses.asdict(known.details).items()
            if value is not None and name != "zone"
        }
        given = {name: text for name, text in typed.items() if text is not None}
        called = {name: f"--{name.replace('_', '-')}" for name in typed}
        details = dataclasses.replace(details_of(before | given, called), zone=known.details.zone)
        changed = await people.change(pool, known.id, details, by)
        desk.out.result(
            {"person": known.id, "changed": list(changed)},
            lambda: desk.out.line(
                desk.out.t(f"{known.name} : {len(changed)} changement(s).", f"{known.name}: {len(changed)} change(s).")
            ),
        )


async def _person_show(desk: Desk, asked: str) -> None:
    from journeys.app.cli.listing import journeys_table, row_json
    from journeys.app.cli.looks import looked_at_each
    from journeys.app.finding import find_person
    from journeys.narration import spoken
    from journeys.store import views

    pool = await desk.pool()
    person = await find_person(pool, asked)
    rows = await views.journeys(pool, person=person.id)
    await looked_at_each(desk, [row.id for row in rows] or [None], "details")
    out = desk.out
    messages = (
        out.t("décédée", "died")
        if person.died
        else out.t("ne veut pas de message", "wants no message")
        if person.opted_out
        else out.t(
            f"messages en pause jusqu'au {person.paused_until:%d/%m/%Y}",
            f"messages paused until {person.paused_until:%Y-%m-%d}",
        )
        if person.paused_until
        else ""
    )
    shown = [
        (out.t("né(e) le", "born"), str(person.details.birth_date or "")),
        (out.t("référence", "reference"), person.details.reference or ""),
        (out.t("adresse", "address"), person.details.email or ""),
        (out.t("téléphone", "phone"), person.details.phone or ""),
        (out.t("langue", "language"), person.details.language),
        (out.t("fuseau", "time zone"), person.details.zone),
        (out.t("moyen choisi", "chosen channel"), spoken(person.channel, out.lang) if person.channel else ""),
        ("", messages),
    ]
    table = await journeys_table(desk, rows)

    def show() -> None:
        out.heading(f"{person.name}  {person.id}")
        for name, value in shown:
            if value:
                out.line(f"  {name} : {value}" if name else f"  {value}")
        table()

    out.result({"person": _person_json(person), "journeys": [row_json(row) for row in rows]}, show)


async def _person_export(desk: Desk, asked: str, to: str, sender: str) -> None:
    import shutil
    import tempfile
    from pathlib import Path

    from journeys.app.accessing import GIVES, files_of, journeys_of
    from journeys.app.cli.files import write
    from journeys.app.finding import find_person
    from journeys.store import people
    from journeys.store.directory import By

    folder, out = Path(to).expanduser().absolute(), desk.out
    if folder.exists() or folder.is_symlink():
        raise usage("folder-there", f"{folder} existe déjà ; nommez un dossier nouveau",
                    f"{folder} is there already; name a new folder", field="--to")  # fmt: skip
    pool, actor = await desk.pool(), await desk.actor()
    person = await find_person(pool, asked)
    journeys = await journeys_of(pool, person, actor)
    names: list[str] = []
    aside = None
    try:
        aside = Path(tempfile.mkdtemp(prefix=f".{folder.name[:40]}.", dir=folder.parent))
        ring, outbox = desk.ring(), desk.settings.outbox_dir
        files = files_of(pool, person, journeys, out.lang, desk.now, sender=sender, ring=ring, outbox=outbox)
        async for name, content in files:
            write(aside / name, content, False, "--to")
            names.append(name)
        documents = sum(name.startswith("document-") for name in names)
        # On record before anybody has the files.
        by = By(actor=actor.id, role=GIVES, at=desk.now)
        await people.note_export(pool, person.id, len(journeys), documents, by)
        aside.rename(folder)
    except OSError as error:
        raise Failure(Exit.FAILED, "unwritable", Said(f"{folder} : {why(error).fr}", f"{folder}: {why(error).en}"),
                      field="--to") from None  # fmt: skip
    finally:
        if aside is not None:
            shutil.rmtree(aside, ignore_errors=True)
    out.result(
        {"person": person.id, "folder": str(folder), "journeys": len(journeys), "documents": documents, "files": names},
        lambda: out.line(
            out.t(
                f"Écrit dans {folder} : {len(names)} fichiers. Relisez-les avant de les remettre : ce qui y est dit"
                " d'autres personnes ne regarde pas forcément celle-ci.",
                f"Written to {folder}: {len(names)} files. Read them before handing them over: what they say of other"
                " people may not be for this one.",
            )
        ),
    )


def _person_json(person: Any) -> dict[str, Any]:
    return {
        "id": person.id,
        **dataclasses.asdict(person.details),
        "channel": person.channel,
        "opted_out": person.opted_out,
        "paused_until": person.paused_until,
        "died": person.died,
        "erasure_requested": person.erasure_requested,
    }


# --- what all share


def _contact(name: str, email: str | None, phone: str | None, language: str) -> dict[str, Any]:
    """Name, address, phone, language, each fit to be kept. Raises Failure."""
    from journeys.app.people_file import details_of

    called = {"first_name": "name", "email": "--email", "phone": "--phone", "language": "--language"}
    typed = {"first_name": name, "last_name": "-", "email": email or "", "phone": phone or "", "language": language}
    if not name.strip():
        raise usage("no-name", "il manque le nom", "the name is missing", field="--name")
    read = details_of(typed, called)
    return {"name": read.first_name, "email": read.email, "phone": read.phone, "language": read.language}


def _affinities(place: str | None, languages: str | None, interests: str | None) -> dict[str, Any]:
    """What was typed of where somebody lives, what they speak and like; an empty text takes it away. Raises Failure."""
    typed = {"place": place, "languages": languages, "interests": interests}
    return {name: _line(text, f"--{name}") for name, text in typed.items() if text is not None}


def _line(text: str | None, field: str) -> str | None:
    from journeys.app.people_file import one_line

    return one_line(text, field) or None if text is not None else None


def _proposed(desk: Desk, kind: str, found: "Sequence[Proposal]") -> None:
    """Who may be proposed, then who cannot be now, each with the reasons."""
    out = desk.out
    rows = [
        {"id": each.id, "name": each.name, "proposed": each.ranked.proposed,
         "grounds": [reason.ground.value for reason in each.ranked.reasons], "reasons": each.reasons(out.lang)}
        for each in found
    ]  # fmt: skip

    def show() -> None:
        good = [each for each in found if each.ranked.proposed]
        if not good:
            out.line(out.t("Personne ne peut être proposé en ce moment.", "Nobody can be proposed at present."))
        for nth, each in enumerate(good, start=1):
            out.line(f"{nth}. {each.told(out.lang)}")
        others = [each for each in found if not each.ranked.proposed]
        if others:
            out.heading(out.t("Pas en ce moment", "Not at present"))
            for each in others:
                out.line(f"   {each.told(out.lang)}")

    out.result({kind: rows}, show)


def _told(desk: Desk, kind: str, found: Any, fr: str, en: str) -> None:
    desk.out.result({kind: dataclasses.asdict(found)}, lambda: desk.out.line(desk.out.t(fr, en)))


def _listed(desk: Desk, kind: str, found: "Sequence[Any]", columns: tuple[str, ...]) -> None:
    rows = [[_cell(getattr(each, column), desk) for column in columns] for each in found]
    heads = [desk.out.t(*_HEADS[column]) for column in columns]
    desk.out.result({kind: [dataclasses.asdict(each) for each in found]}, lambda: desk.out.table(heads, rows))


def _cell(value: Any, desk: Desk) -> str:
    if isinstance(value, bool):
        return desk.out.t("oui", "yes") if value else desk.out.t("non", "no")
    return "" if value is None else str(value)


_HEADS: Final = {
    "name": ("nom", "name"),
    "kind": ("genre", "kind"),
    "site": ("site", "site"),
    "email": ("adresse", "address"),
    "active": ("actif", "active"),
    "place": ("ville", "town"),
    "languages": ("parle", "speaks"),
    "interests": ("intérêts", "interests"),
    "places": ("places", "places"),
    "capacity": ("places", "capacity"),
    "available": ("disponible", "available"),
    "id": ("id", "id"),
}


def _roles_words(roles: tuple[str, ...], lang: Lang, known: "Mapping[str, Said]") -> str:
    nothing = "no role" if lang == "en" else "aucun rôle"
    return ", ".join(known[role].in_(lang) if role in known else role for role in roles) or nothing
