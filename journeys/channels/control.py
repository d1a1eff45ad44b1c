"""What the control of the money finds, in the words of the letter to finance and of every screen that lists it."""

from collections.abc import Mapping
from typing import Final

from journeys.domain.programme import Label

_SAID: Final[Mapping[str, tuple[Label, Label]]] = {
    "fund-balance": (
        Label(fr="{count} fonds n'a pas le solde que dit le grand livre",
              en="{count} fund has not the balance that the ledger says"),
        Label(fr="{count} fonds n'ont pas le solde que dit le grand livre",
              en="{count} funds have not the balance that the ledger says"),
    ),
    "ledger-payments": (
        Label(fr="{count} versement n'est pas dans le grand livre comme dans les listes",
              en="{count} payment is not in the ledger as in the lists"),
        Label(fr="{count} versements ne sont pas dans le grand livre comme dans les listes",
              en="{count} payments are not in the ledger as in the lists"),
    ),
    "ledger-bank": (
        Label(fr="{count} versement n'est pas dans le grand livre comme à la banque",
              en="{count} payment is not in the ledger as at the bank"),
        Label(fr="{count} versements ne sont pas dans le grand livre comme à la banque",
              en="{count} payments are not in the ledger as at the bank"),
    ),
    "unknown-long": (
        Label(fr="{count} versement sans nouvelle de la banque depuis plus d'un jour ouvré",
              en="{count} payment without news of the bank for more than a working day"),
        Label(fr="{count} versements sans nouvelle de la banque depuis plus d'un jour ouvré",
              en="{count} payments without news of the bank for more than a working day"),
    ),
    "right-lost": (
        Label(fr="{count} aide non versée dont l'accord vient de quelqu'un qui n'a plus ce droit",
              en="{count} grant not paid out, approved by somebody who has lost that right"),
        Label(fr="{count} aides non versées dont l'accord vient de quelqu'un qui n'a plus ce droit",
              en="{count} grants not paid out, approved by somebody who has lost that right"),
    ),
    "blocked": (
        Label(fr="{count} versement retenu", en="{count} blocked payment"),
        Label(fr="{count} versements retenus", en="{count} blocked payments"),
    ),
    "held": (
        Label(fr="{count} versement n'a pas encore pu partir", en="{count} payment could not leave yet"),
        Label(fr="{count} versements n'ont pas encore pu partir", en="{count} payments could not leave yet"),
    ),
    "doubted": (
        Label(fr="{count} versement dont la banque met le compte en doute",
              en="{count} payment whose account the bank doubts"),
        Label(fr="{count} versements dont la banque met le compte en doute",
              en="{count} payments whose account the bank doubts"),
    ),
    "bank-lines": (
        Label(fr="{count} ligne de la banque que quelqu'un doit regarder",
              en="{count} line of the bank that somebody must look at"),
        Label(fr="{count} lignes de la banque que quelqu'un doit regarder",
              en="{count} lines of the bank that somebody must look at"),
    ),
    "bank-tellings": (
        Label(fr="{count} nouvelle de la banque pas encore portée sur son parcours",
              en="{count} piece of news of the bank that its journey was not told yet"),
        Label(fr="{count} nouvelles de la banque pas encore portées sur leurs parcours",
              en="{count} pieces of news of the bank that their journeys were not told yet"),
    ),
}  # fmt: skip


def counted(code: str, count: int, lang: str) -> str | None:
    """`2 versements retenus`; None for a finding that only says how many payments are in a state."""
    if code not in _SAID:
        return None
    one, more = _SAID[code]
    # French says one for none, too.
    said = one if count == 1 or (count == 0 and lang == "fr") else more
    return said.in_(lang).format(count=count)
