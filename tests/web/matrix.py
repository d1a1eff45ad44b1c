"""Who may see, open and ask what, as an auditor reads it. Written by hand: the tests hold the real server against it.

A route of the application that has no line here fails the matrix, with what to do. `python -m tests.web.matrix` prints
docs/rights.md.
"""

from pathlib import Path
from typing import Final

from tests.domain.test_rights import TABLE as COMMANDS_TEXT

DOCUMENT: Final = Path(__file__).parents[2] / "docs" / "rights.md"

NOBODY: Final = "nobody"
"""Whoever has no session."""

SEES_TEXT: Final = """
journey      referent  supervisor  finance  duty  auditor  administrator  mentor  partner  participant
own          sees      sees        -        sees  sees     -              -       -        -
colleague    -         sees        -        sees  sees     -              -       -        -
nowhere      -         sees        -        sees  sees     -              -       -        -
elsewhere    -         -           -        sees  sees     -              -       -        -
fund         -         -           sees     sees  sees     -              -       -        -
other-fund   -         -           -        sees  sees     -              -       -        -
absent       sees      -           -        sees  sees     -              -       -        -
former       -         -           -        sees  sees     -              -       -        -
asked        sees      -           -        sees  sees     -              -       -        -
closed       sees      sees        -        sees  sees     -              -       -        -
"""
SCOPES: Final = {
    "own": "led by the caseworker, at the supervisor's site",
    "colleague": "led by a colleague, at the supervisor's site",
    "nowhere": "led by a colleague, at no site",
    "elsewhere": "led by a colleague, at another site",
    "fund": "at another site; money was asked from the fund to which finance is bound",
    "other-fund": "at another site; money was asked from another fund",
    "absent": "at another site; led by a colleague who is away, with the caseworker as deputy",
    "former": "at another site; led by the caseworker once, now by a colleague",
    "asked": "at another site; the caseworker is asked to take over",
    "closed": "led by the caseworker, at the supervisor's site, closed",
}
"""The journeys of the scene, as seen by one caseworker and one supervisor of a site, and finance bound to a fund."""

ROUTES_TEXT: Final = """
route                                   nobody  referent  supervisor  finance  duty     auditor  administrator  mentor   partner  participant
GET /                                   login   lists     lists       lists    lists    lists    lists          refused  refused  refused
GET /accords                            login   refused   lists       lists    lists    refused  refused        refused  refused  refused
GET /agenda                             login   lists     lists       lists    lists    lists    refused        refused  refused  refused
GET /alertes                            login   lists     lists       lists    lists    lists    refused        refused  refused  refused
GET /alertes/tableau                    login   lists     lists       lists    lists    lists    refused        refused  refused  refused
GET /changements                        login   open      open        open     open     open     open           refused  refused  refused
OPTIONS /codec/decode                   403     403         403         403      403      403      403            403      403      403
POST /codec/decode                      401     422         422         422      422      422      refused        refused  refused  refused
GET /compte                             login   open      open        open     open     open     open           refused  refused  refused
GET /compte/code                        login   open      open        open     open     open     open           refused  refused  refused
POST /compte/code                       login   open      open        open     open     open     open           refused  refused  refused
POST /compte/code/retirer               login   open      open        open     open     open     open           refused  refused  refused
POST /compte/jetons                     login   open      open        open     open     open     open           refused  refused  refused
POST /compte/jetons/retirer             login   open      open        open     open     open     open           refused  refused  refused
POST /compte/mot-de-passe               login   open      open        open     open     open     open           refused  refused  refused
POST /compte/sessions                   login   leaves    leaves      leaves   leaves   leaves   leaves         refused  refused  refused
GET /confirmer                          login   open      open        open     open     open     open           refused  refused  refused
POST /confirmer                         login   open      open        open     open     open     open           refused  refused  refused
GET /connexion                          open    open      open        open     open     open     open           open     open     open
POST /connexion                         open    open      open        open     open     open     open           open     open     open
GET /connexion/fournisseur              login   login     login       login    login    login    login          login    login    login
POST /connexion/fournisseur             login   login     login       login    login    login    login          refused  refused  refused
GET /connexion/retour                   login   login     login       login    login    login    login          login    login    login
POST /deconnexion                       leaves  leaves    leaves      leaves   leaves   leaves   leaves         leaves   leaves   leaves
GET /equipe                             login   open      open        open     open     open     open           refused  refused  refused
GET /astreintes                         login   open      open        open     open     open     open           refused  refused  refused
POST /astreintes                        login   refused   open        refused  open     refused  open           refused  refused  refused
POST /astreintes/supprimer              login   refused   open        refused  open     refused  open           refused  refused  refused
POST /astreintes/terminer               login   refused   open        refused  open     refused  open           refused  refused  refused
GET /arret                              login   refused   open        open     refused  refused  open           refused  refused  refused
POST /arret                             login   refused   open        open     refused  refused  open           refused  refused  refused
POST /arret/reprise                     login   refused   open        open     refused  refused  refused        refused  refused  refused
GET /fonds                              login   refused   refused     open     refused  open     refused        refused  refused  refused
GET /fonds/{fund}                       login   refused   refused     open     refused  open     refused        refused  refused  refused
GET /fonds/{fund}/releve.csv            login   refused   refused     open     refused  open     refused        refused  refused  refused
GET /fonds/{fund}/releve.pdf            login   refused   refused     open     refused  open     refused        refused  refused  refused
GET /fonds/{fund}/don                   login   refused   refused     open     refused  refused  refused        refused  refused  refused
POST /fonds/{fund}/don                  login   refused   refused     open     refused  refused  refused        refused  refused  refused
GET /fonds/{fund}/regles                login   refused   refused     open     refused  refused  refused        refused  refused  refused
POST /fonds/{fund}/regles               login   refused   refused     open     refused  refused  refused        refused  refused  refused
GET /fonds/{fund}/cloture               login   refused   refused     refused  refused  refused  refused        refused  refused  refused
POST /fonds/{fund}/cloture              login   refused   refused     refused  refused  refused  refused        refused  refused  refused
POST /fonds/{fund}/reouverture          login   refused   refused     refused  refused  refused  refused        refused  refused  refused
GET /nouveau-fonds                      login   refused   refused     refused  refused  refused  refused        refused  refused  refused
POST /nouveau-fonds                     login   refused   refused     refused  refused  refused  refused        refused  refused  refused
GET /justificatifs                      login   refused   refused     lists    refused  lists    refused        refused  refused  refused
GET /healthz                            open    open      open        open     open     open     open           open     open     open
GET /indicateurs                        login   figures   figures     figures  figures  figures  refused        refused  refused  refused
GET /indicateurs.csv                    login   figures   figures     figures  figures  figures  refused        refused  refused  refused
GET /indicateurs.pdf                    login   figures   figures     figures  figures  figures  refused        refused  refused  refused
GET /courriers                          login   open      open        refused  refused  refused  refused        refused  refused  refused
GET /courriers/{message}.pdf            login   404       404         refused  refused  refused  refused        refused  refused  refused
POST /courriers/{message}/postee        login   404       404         refused  refused  refused  refused        refused  refused  refused
GET /langue                             open    open      open        open     open     open     open           open     open     open
GET /mentors                            login   lists     lists       open     open     open     refused        refused  refused  refused
GET /modeles                            login   open      open        open     open     open     open           refused  refused  refused
GET /modeles/{template}                 login   open      open        open     open     open     open           refused  refused  refused
GET /modeles/{template}/modifier           login   refused   open        refused  refused  refused  open           refused  refused  refused
POST /modeles/{template}/modifier          login   refused   open        refused  refused  refused  open           refused  refused  refused
GET /mentors/{id}/effacement            login   refused   404         refused  refused  refused  refused        refused  refused  refused
POST /mentors/{id}/effacement           login   refused   404         refused  refused  refused  refused        refused  refused  refused
GET /mentors/{id}/effacement/certificat.pdf login refused 404         refused  refused  refused  refused        refused  refused  refused
GET /equipe/{id}/effacement             login   refused   404         refused  refused  refused  404            refused  refused  refused
POST /equipe/{id}/effacement            login   refused   404         refused  refused  refused  404            refused  refused  refused
GET /equipe/{id}/effacement/certificat.pdf login refused  404         refused  refused  refused  404            refused  refused  refused
GET /partenaires/{id}/effacement        login   refused   404         refused  refused  refused  404            refused  refused  refused
POST /partenaires/{id}/effacement       login   refused   404         refused  refused  refused  404            refused  refused  refused
GET /partenaires/{id}/effacement/certificat.pdf login refused 404     refused  refused  refused  404            refused  refused  refused
GET /nouveau                            login   open      open        refused  refused  refused  refused        refused  refused  refused
POST /nouveau                           login   open      open        refused  refused  refused  refused        refused  refused  refused
GET /reprise                            login   open      open        refused  refused  refused  refused        refused  refused  refused
POST /reprise                           login   open      open        refused  refused  refused  refused        refused  refused  refused
GET /reprise/modele.csv                 login   open      open        refused  refused  refused  refused        refused  refused  refused
GET /parcours                           login   lists     lists       lists    lists    lists    refused        refused  refused  refused
GET /parcours.csv                       login   lists     lists       lists    lists    lists    refused        refused  refused  refused
GET /parcours/{id}                      login   journey   journey     journey  journey  journey  journey        refused  refused  refused
POST /parcours/{id}/agenda              login   links     links       links    links    links    links          refused  refused  refused
POST /parcours/{id}/agenda/{feed}/retirer login  links     links       links    links    links    links          refused  refused  refused
GET /parcours/{id}/agir/{command}       login   form      form        form     form     form     form           refused  refused  refused
POST /parcours/{id}/agir/{command}      login   command   command     command  command  command  command        refused  refused  refused
GET /parcours/{id}/relances             login   form      form        form     form     form     form           refused  refused  refused
GET /parcours/{id}/aides/{grant}        login   refused   journey     journey  journey  refused  refused        refused  refused  refused
GET /parcours/{id}/personne             login   details   details     details  details  details  details        refused  refused  refused
POST /parcours/{id}/personne            login   details   details     details  details  details  details        refused  refused  refused
GET /parcours/{id}/acces                login   refused   access      refused  refused  refused  refused        refused  refused  refused
POST /parcours/{id}/acces               login   refused   access      refused  refused  refused  refused        refused  refused  refused
GET /parcours/{id}/documents/{seq}      login   piece     piece       piece    piece    piece    piece          refused  refused  refused
GET /parcours/{id}/synthese.pdf         login   journey   journey     journey  journey  journey  journey        refused  refused  refused
GET /parcours/{id}/recus/{payment}.pdf  login   piece     piece       piece    piece    piece    piece          refused  refused  refused
GET /parcours/{id}/lettres/{seq}.pdf    login   piece     piece       piece    piece    piece    piece          refused  refused  refused
GET /parcours/{id}/courrier             login   letters   letters     letters  letters  letters  letters        refused  refused  refused
POST /parcours/{id}/courrier            login   letters   letters     letters  letters  letters  letters        refused  refused  refused
GET /parcours/{id}/rendez-vous/{appointment}.pdf login letters letters letters letters letters  letters        refused  refused  refused
GET /parcours/{id}/liens                login   links     links       links    links    links    links          refused  refused  refused
POST /parcours/{id}/liens               login   links     links       links    links    links    links          refused  refused  refused
POST /parcours/{id}/liens/{link}/retirer login  links     links       links    links    links    links          refused  refused  refused
GET /lien/agenda/{token}                404     404       404         404      404      404      404            404      404      404
GET /lien/stop/{token}                  404     404       404         404      404      404      404            404      404      404
POST /lien/stop/{token}                 400     400         400         400      400      400      400            400      400      400
GET /lien/{token}                       404     404       404         404      404      404      404            404      404      404
POST /lien/{token}                      404     404       404         404      404      404      404            404      404      404
GET /parcours/{id}/debut                login   journey   journey     journey  journey  journey  journey        refused  refused  refused
GET /parcours/{id}/audit                login   journey   journey     journey  journey  journey  refused        refused  refused  refused
GET /parcours/{id}/messages             login   journey   journey     journey  journey  journey  refused        refused  refused  refused
GET /parcours/{id}/obligations          login   journey   journey     journey  journey  journey  refused        refused  refused  refused
GET /parcours/{id}/roles                login   journey   journey     journey  journey  journey  refused        refused  refused  refused
GET /parcours/{id}/differences          login   journey   journey     journey  journey  journey  refused        refused  refused  refused
GET /parcours/{id}/effacement           login   refused   journey     refused  refused  refused  refused        refused  refused  refused
POST /parcours/{id}/effacement          login   refused   command     refused  refused  refused  refused        refused  refused  refused
GET /parcours/{id}/effacement/certificat.pdf login refused piece      refused  refused  refused  refused        refused  refused  refused
GET /controle                          login   refused   refused     refused  refused  lists    open           refused  refused  refused
POST /controle/verifier                login   refused   refused     refused  refused  open     open           refused  refused  refused
GET /controle/attestation              login   refused   refused     refused  refused  404      404            refused  refused  refused
GET /controle/export                   login   refused   refused     refused  refused  open     refused        refused  refused  refused
POST /controle/export                  login   refused   refused     refused  refused  409      refused        refused  refused  refused
GET /controle/verificateur             login   refused   refused     refused  refused  open     refused        refused  refused  refused
GET /controle/echeances                 login   refused   lists       refused  lists    lists    refused        refused  refused  refused
GET /controle/echeances.csv             login   refused   lists       refused  lists    lists    refused        refused  refused  refused
GET /controle/aides                     login   refused   lists       refused  lists    lists    refused        refused  refused  refused
GET /controle/aides.csv                 login   refused   lists       refused  lists    lists    refused        refused  refused  refused
GET /controle/rejeux                    login   refused   refused     refused  refused  lists    open           refused  refused  refused
POST /controle/rejeux                   login   refused   refused     refused  refused  open     open           refused  refused  refused
GET /controle/consultations            login   refused   refused     refused  refused  open     open           refused  refused  refused
GET /messages-deposes                   login   refused   lists       refused  refused  refused  open           refused  refused  refused
GET /messages-deposes/{letter}          login   refused   404         refused  refused  refused  404            refused  refused  refused
GET /messages-deposes/{letter}/message.eml login refused  404         refused  refused  refused  404            refused  refused  refused
GET /controle/conservation             login   refused   open        refused  refused  open     open           refused  refused  refused
GET /partenaires                        login   lists     lists       open     open     open     refused        refused  refused  refused
GET /promotions                         login   open      open        open     open     open     refused        refused  refused  refused
GET /promotions/ouvrir                  login   refused   open        refused  refused  refused  refused        refused  refused  refused
POST /promotions/ouvrir                 login   refused   open        refused  refused  refused  refused        refused  refused  refused
GET /promotions/{cohort}                login   lists     lists       lists    lists    lists    refused        refused  refused  refused
POST /promotions/{cohort}/clore         login   refused   lists       refused  refused  refused  refused        refused  refused  refused
POST /promotions/{cohort}/dates         login   refused   lists       refused  refused  refused  refused        refused  refused  refused
POST /promotions/{cohort}/entrer        login   lists     lists       refused  refused  refused  refused        refused  refused  refused
POST /promotions/{cohort}/places        login   refused   lists       refused  refused  refused  refused        refused  refused  refused
POST /promotions/{cohort}/quitter       login   lists     lists       refused  refused  refused  refused        refused  refused  refused
GET /readyz                             open    open      open        open     open     open     open           open     open     open
POST /retours/messages                  401     401         401         401      401      401      401            401      401      401
POST /retours/paiements                 401     401         401         401      401      401      401            401      401      401
GET /recherche                          login   lists     lists       lists    lists    lists    refused        refused  refused  refused
POST /equipe/absences                   login   open      open        open     open     open     open           refused  refused  refused
POST /equipe/absences/supprimer         login   open      open        open     open     open     open           refused  refused  refused
GET /programmes                         login   open      open        open     open     open     refused        refused  refused  refused
GET /programmes/{name}                  login   open      open        open     open     open     refused        refused  refused  refused
GET /programmes/{name}/comparer         login   open      open        open     open     open     refused        refused  refused  refused
GET /programmes/{name}/changer          login   refused   lists       refused  refused  refused  refused        refused  refused  refused
POST /programmes/{name}/changer         login   refused   open        refused  refused  refused  refused        refused  refused  refused
GET /essai                              login   open      open        open     open     open     refused        refused  refused  refused
POST /essai                             login   open      open        open     open     open     refused        refused  refused  refused
GET /sorties                            login   lists     lists       lists    lists    lists    refused        refused  refused  refused
GET /sorties.csv                        login   lists     lists       lists    lists    lists    refused        refused  refused  refused
GET /versements                         login   lists     lists       lists    lists    lists    refused        refused  refused  refused
GET /versements/fichiers                login   refused   refused     open     open     open     refused        refused  refused  refused
POST /versements/fichiers               login   refused   refused     refused  refused  refused  refused        refused  refused  refused
POST /versements/fichiers/recus         login   refused   refused     refused  refused  refused  refused        refused  refused  refused
POST /versements/fichiers/retires       login   refused   refused     refused  refused  refused  refused        refused  refused  refused
POST /versements/retenus/redemander     login   refused   refused     lists    refused  refused  refused        refused  refused  refused
GET /versements/{payment}               login   404       404         404      404      404      refused        refused  refused  refused
GET /a-rapprocher                       login   refused   refused     open     open     open     refused        refused  refused  refused
POST /a-rapprocher                      login   refused   refused     refused  refused  refused  refused        refused  refused  refused
GET /a-rapprocher/{file}/{position}     login   refused   refused     404      404      404      refused        refused  refused  refused
POST /a-rapprocher/{file}/{position}    login   refused   refused     refused  refused  refused  refused        refused  refused  refused
ANY /static                             open    open      open        open     open     open     open           open     open     open
ANY /api/v1                             open    open      open        open     open     open     open           open     open     open
"""  # noqa: E501
CELLS: Final = {
    "open": "opened; shows nothing of any journey",
    "lists": "opened; shows journeys of the first table only",
    "figures": "opened; counts journeys of the first table only, and names none",
    "journey": "opened for a journey that the role sees in the first table; for another there is no such page (404)",
    "form": "opened for a journey that is seen, where the third table lets the role send the command; else refused "
    "(403), with who may; for another journey there is no such page (404)",
    "command": "the third table decides; of a journey that is not seen there is no such page (404), and nothing is "
    "recorded",
    "piece": "the piece asked for, of a journey that the role sees in the first table; else there is none (404)",
    "links": "whoever may add a note to the journey gives and takes back links for it; of a journey that is not seen "
    "there is no such page (404), of another it is refused (403)",
    "letters": "whoever may add a note to the journey writes letters about it; of a journey that is not seen there is "
    "no such page (404), of another it is refused (403)",
    "details": "whoever may propose a mentor on the journey changes what is known of its person; of a journey that is "
    "not seen there is no such page (404), of another it is refused (403)",
    "access": "whoever supervises every journey of the person takes what is held about them; of a journey that is not "
    "seen there is no such page (404)",
    "refused": "refused (403); nothing is recorded",
    "login": "sent to the login",
    "leaves": "the session ends",
}
"""What a cell of the routes says. A number is the status of an answer that is none of these: a link that is not one."""


def table(text: str) -> dict[str, dict[str, str]]:
    """A table as written: its lines by their first cell, each a cell by its column's head.

    The first cell of a line of routes holds a space; there the last columns count.
    """
    head, *lines = (line.split() for line in text.strip("\n").splitlines())
    columns = head[-len(head) + (head[0] in ("journey", "route")) :]
    return {" ".join(line[: -len(columns)]): dict(zip(columns, line[-len(columns) :], strict=True)) for line in lines}


SEES: Final = table(SEES_TEXT)
ROUTES: Final = table(ROUTES_TEXT)
COMMANDS: Final = table(COMMANDS_TEXT)
ROLES: Final = tuple(next(iter(SEES.values())))


def seen_by(role: str) -> list[str]:
    """The scopes whose journey a role sees."""
    return [scope for scope, cells in SEES.items() if cells[role] == "sees"]


def may(role: str, command: str, scope: str) -> bool:
    """Whether a role may give a command on a journey that it sees: to be asked to take over is own for the answer."""
    cell = COMMANDS[command].get(role, "-")
    own = role == "referent" and scope in (("asked",) if command in ANSWERS else ("own", "closed", "absent"))
    return cell == "allowed" or (cell == "own" and own)


ANSWERS: Final = ("accept-transfer", "decline-transfer")


def unknown_route(route: str) -> str:
    """What is said about a route that has no line."""
    return (
        f"{route} is not in the matrix. Add a line to ROUTES_TEXT in tests/web/matrix.py that says for nobody and each "
        f"role which of {', '.join(CELLS)} (or which status) is the answer; then "
        f"`python -m tests.web.matrix > docs/rights.md`."
    )


def document() -> str:
    """docs/rights.md."""
    return "\n".join(
        [
            "# Who may do what",
            "",
            "For whoever has to check it. Printed by `python -m tests.web.matrix` from tables written by hand; "
            "`make test` asks the real application and the real engine for their cells, `make campaign-matrix` for all "
            "of them ([measurements](measurements.md)). Why it is so: "
            "[decision 20](decisions/0020-the-session-is-the-identity.md). A role that a programme names itself has "
            "the line that it says (`rights:`).",
            "",
            "## Which journeys a role sees",
            "",
            "One journey of each kind, and who sees it: a caseworker and a supervisor who work at one site, finance "
            "bound to one fund. Bound to no site or fund means every site or fund. Mentors, partners and participants "
            "have no account's pages; they act through one-time links.",
            "",
            *_markdown("journey", {f"{name}: {SCOPES[name]}": cells for name, cells in SEES.items()}),
            "",
            "## Which pages a role opens",
            "",
            *(f"- *{cell}*: {meaning}" for cell, meaning in CELLS.items()),
            "",
            *_markdown("route", {f"`{route}`": cells for route, cells in ROUTES.items()}),
            "",
            "## Which commands a role may give",
            "",
            "*own*: on journeys that one leads, mentors, was asked to take over (for the answer to that), was referred "
            "to, or lives. *allowed*: on every journey that one sees; finance bound to funds: about the money of these "
            "alone. A deputy acts on the journeys of whoever is away as if they were own, but answers no transfer for "
            "them; each day of the absence counts while it is that day in Paris, or at a site that the house has "
            "described. Whoever may not is told so, and the refusal is on record.",
            "",
            *_markdown("command", {f"`{name}`": cells for name, cells in COMMANDS.items()}),
            "",
        ]
    )


def _markdown(head: str, lines: dict[str, dict[str, str]]) -> list[str]:
    columns = list(next(iter(lines.values())))
    rows = [[name, *(cells[column] for column in columns)] for name, cells in lines.items()]
    return ["| " + " | ".join(row) + " |" for row in ([head, *columns], ["---"] * (len(columns) + 1), *rows)]


if __name__ == "__main__":
    print(document(), end="")
