"""Which passwords are taken: long, not the owner's name, not one of those that everybody tries first."""

import unicodedata
from typing import Final

from journeys.app.failures import Failure, Said, usage
from journeys.store.accounts import LONGEST_PASSWORD

SHORTEST: Final = 12
FEWEST_LETTERS: Final = 5
"""Different characters at least."""

_COMMON: Final = (
    "motdepasse", "password", "azerty", "qwerty", "qwertz", "123456", "654321", "abcdef", "iloveyou", "jetaime",
    "bienvenue", "welcome", "administrateur", "administrator", "soleil", "doudou", "letmein", "changeme", "journeys",
    "parcours",
)  # fmt: skip


def refuse_weak(password: str, handle: str, name: str, field: str) -> None:
    """Raises Failure (usage, at `field`) when the password is too short or too easy to guess."""
    plain = _folded(password)
    if len(password) < SHORTEST:
        raise _weak(field, f"{SHORTEST} caractères au moins", f"at least {SHORTEST} characters")
    if len(password) > LONGEST_PASSWORD:
        raise _weak(field, f"{LONGEST_PASSWORD} caractères au plus", f"at most {LONGEST_PASSWORD} characters")
    own = [_folded(part) for part in (handle, *name.split()) if len(part) > 2]
    if any(part in plain for part in own):
        raise _weak(field, "le mot de passe contient votre nom", "the password contains your name")
    rest = plain
    for common in _COMMON:
        rest = rest.replace(common, "")
    if len(set(plain)) < FEWEST_LETTERS or sum(each.isalpha() for each in rest) < 6:
        raise _weak(field, "ce mot de passe est de ceux que l'on essaie en premier",
                    "this password is among those that are tried first")  # fmt: skip


def _weak(field: str, fr: str, en: str) -> Failure:
    remedy = Said("quatre mots sans rapport font un bon mot de passe", "four unrelated words make a good password")
    return usage("weak-password", fr, en, field=field, remedy=remedy)


def _folded(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text).casefold()
    return "".join(each for each in plain if not unicodedata.combining(each))
