"""What is wrong with a setting: its variable, and in both languages what is wrong and what to write instead."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, TypeAlias

from pydantic_core import ErrorDetails
from pydantic_settings import SettingsError as UnreadableVariable

Language: TypeAlias = Literal["fr", "en"]

PREFIX: Final = "JOURNEYS_"
FILE_SUFFIX: Final = "_FILE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One wrong setting: the variable, and in each language what is wrong and what to write instead."""

    variable: str
    fr: str
    en: str

    def text(self, lang: Language = "fr") -> str:
        """One line; never the value of a secret."""
        match lang:
            case "fr":
                return f"{self.variable} : {self.fr}"
            case "en":
                return f"{self.variable}: {self.en}"


class SettingsError(Exception):
    """Settings that cannot be used; `problems` in the order of the variables, at least one."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__(*problems)
        self.problems: tuple[Problem, ...] = problems

    def text(self, lang: Language = "fr") -> str:
        """One line a problem, ready to be shown."""
        return "\n".join(problem.text(lang) for problem in self.problems)

    def __str__(self) -> str:
        return self.text()


def problem(detail: ErrorDetails) -> Problem:
    """What a value that was refused is told: by the code of our own check, else by pydantic's type of error."""
    fr, en = _explain(detail)
    return Problem(variable=_variable_at(detail["loc"]), fr=fr, en=en)


def _explain(detail: ErrorDetails) -> tuple[str, str]:
    context = detail.get("ctx", {})
    code = str(context.get("error", ""))
    if code in TEXTS:
        return TEXTS[code]
    match detail["type"]:
        case "literal_error":
            allowed = str(context["expected"]).replace(" or ", ", ").replace("'", "")
            return f"écrivez l'une de ces valeurs : {allowed}", f"write one of: {allowed}"
        case "int_parsing" | "int_type" | "float_parsing" | "float_type":
            return "écrivez un nombre", "write a number"
        case "greater_than_equal" | "less_than_equal" | "greater_than" | "less_than":
            sign, bound = next((sign, context[key]) for key, sign in _BOUNDS.items() if key in context)
            return f"écrivez un nombre {sign} {bound}", f"write a number {sign} {bound}"
        case "extra_forbidden":
            return (
                "cette variable n'existe pas ; vérifiez son nom",
                "there is no such variable; check its name",
            )
        case _:
            return f"valeur refusée ({detail['msg']})", f"value refused ({detail['msg']})"


_BOUNDS: Final = {"ge": ">=", "le": "<=", "gt": ">", "lt": "<"}


def _variable_at(location: tuple[int | str, ...]) -> str:
    first, *rest = (str(part) for part in location)
    name = first if first in ("DATABASE_URL", "TEMPORAL_ADDRESS", "TEMPORAL_NAMESPACE") else PREFIX + first
    return "__".join((name, *rest)).upper()


def unparsable(error: UnreadableVariable) -> Problem:
    """pydantic-settings names the field, not the variable, when a JSON value cannot be read."""
    field = re.search(r'field "(\w+)"', str(error))
    return Problem(
        variable=PREFIX + (field[1].upper() if field else "…"),
        fr='ce n\'est pas du JSON ; écrivez un objet comme {"nom": "valeur"}',
        en='this is not JSON; write an object such as {"name": "value"}',
    )


def unreadable_file(variable: str, path: Path, error: OSError | UnicodeDecodeError) -> Problem:
    """A file that a variable names, or that stands in the data directory, cannot be used."""
    reason = error.strerror or str(error) if isinstance(error, OSError) else "not UTF-8"
    return Problem(
        variable=variable,
        fr=f"le fichier {path} ne peut pas être lu ou écrit ({reason}) ; vérifiez le chemin et les droits",
        en=f"the file {path} cannot be read or written ({reason}); check the path and the permissions",
    )


def said_twice(variable: str) -> Problem:
    """A secret both in its variable and in a file."""
    return Problem(
        variable=variable,
        fr=f"donnée deux fois ; gardez {variable} ou {variable}{FILE_SUFFIX}, pas les deux",
        en=f"given twice; keep {variable} or {variable}{FILE_SUFFIX}, not both",
    )


def missing_key(variable: str) -> Problem:
    """There is no such key here, and none is made where several machines need the same."""
    match variable:
        case "JOURNEYS_SIGNING_KEY":
            fr, en = "signent avec la même clé", "sign with the same key"
        case _:
            fr, en = "scellent avec la même clé", "seal with the same key"
    return Problem(
        variable=variable,
        fr=f"avec DATABASE_URL, toutes les machines {fr} et il n'y en a pas ici ; "
        "faites-en une par « openssl rand -hex 32 » et donnez-la à chacune, ou son fichier "
        f"par {variable}_FILE",
        en=f"with DATABASE_URL all machines {en} and there is none here; make one by "
        f'"openssl rand -hex 32" and give it to each, or its file by {variable}_FILE',
    )


TEXTS: Final[dict[str, tuple[str, str]]] = {
    "address": (
        "écrivez une adresse, comme suivi@exemple.fr",
        "write an address, such as follow-up@example.org",
    ),
    "smtp_login": (
        "nom d'utilisateur et mot de passe vont ensemble ; indiquez JOURNEYS_SMTP__USER et "
        "JOURNEYS_SMTP__PASSWORD, ou aucun des deux",
        "user and password go together; set JOURNEYS_SMTP__USER and JOURNEYS_SMTP__PASSWORD, or neither",
    ),
    "gateway_url": (
        "écrivez l'adresse de la passerelle, comme https://sms.exemple.fr (http:// sur cette machine seulement)",
        "write the gateway's address, such as https://sms.example.org (http:// on this machine only)",
    ),
    "gateway_token": (
        "l'adresse et le jeton de la passerelle vont ensemble ; indiquez JOURNEYS_SMS__URL et JOURNEYS_SMS__TOKEN, "
        "ou aucun des deux",
        "the gateway's address and token go together; set JOURNEYS_SMS__URL and JOURNEYS_SMS__TOKEN, or neither",
    ),
    "vendor_token": (
        "ce fournisseur demande un jeton et un expéditeur ; indiquez JOURNEYS_SMS__TOKEN et JOURNEYS_SMS__SENDER",
        "this vendor asks for a token and a sender; set JOURNEYS_SMS__TOKEN and JOURNEYS_SMS__SENDER",
    ),
    "ovh_account": (
        "pour OVHcloud, JOURNEYS_SMS__ACCOUNT est le nom du service (sms-ab12345-1), et JOURNEYS_SMS__TOKEN trois clés "
        "séparées par « : » (application, secret, consommateur)",
        "for OVHcloud, JOURNEYS_SMS__ACCOUNT is the name of the service (sms-ab12345-1), and JOURNEYS_SMS__TOKEN three "
        "keys with “:” between (application, secret, consumer)",
    ),
    "sms_sender": (
        "un expéditeur a 3 à 11 lettres et chiffres sans accent, ou c'est un numéro",
        "a sender has 3 to 11 plain letters and digits, or is a number",
    ),
    "regions": (
        'écrivez des codes de pays en majuscules, comme ["FR", "RE", "BE"]',
        'write codes of countries in capitals, such as ["FR", "RE", "BE"]',
    ),
    "iban": (
        "ce n'est pas un IBAN ; recopiez-le du relevé d'identité bancaire (la clé ne correspond pas)",
        "this is not an IBAN; copy it from the bank's own statement (its key does not fit)",
    ),
    "bic": (
        "un BIC a 8 ou 11 lettres majuscules et chiffres, comme AGRIFRPP ; recopiez-le, ou retirez la variable",
        "a BIC has 8 or 11 capital letters and digits, such as AGRIFRPP; copy it, or unset the variable",
    ),
    "account": (
        "le compte a un titulaire et un IBAN ; indiquez JOURNEYS_ACCOUNT__NAME et JOURNEYS_ACCOUNT__IBAN, "
        "ou aucun des deux",
        "an account has a holder and an IBAN; set JOURNEYS_ACCOUNT__NAME and JOURNEYS_ACCOUNT__IBAN, or neither",
    ),
    "issuer": (
        "écrivez l'adresse du fournisseur d'identité, qui commence par https:// "
        "(http:// ne vaut que sur cette machine : localhost)",
        "write the address of the identity provider, which begins with https:// "
        "(http:// is taken on this machine only: localhost)",
    ),
    "public_url": (
        "écrivez l'adresse publique de l'application, comme https://parcours.exemple.fr, sans chemin "
        "(http:// ne vaut que sur cette machine : localhost)",
        "write the public address of the application, such as https://journeys.example.org, without a path "
        "(http:// is taken on this machine only: localhost)",
    ),
    "provider_url": (
        "écrivez l'adresse du prestataire de paiement, qui commence par https:// "
        "(http:// ne vaut que sur cette machine : localhost)",
        "write the address of the payment provider, which begins with https:// "
        "(http:// is taken on this machine only: localhost)",
    ),
    "provider_token": (
        "adresse et jeton vont ensemble ; indiquez JOURNEYS_PROVIDER__URL et JOURNEYS_PROVIDER__TOKEN, "
        "ou aucun des deux",
        "address and token go together; set JOURNEYS_PROVIDER__URL and JOURNEYS_PROVIDER__TOKEN, or neither",
    ),
    "notice_secret": (
        "un secret commence par whsec_ et tient 24 à 64 octets en base64, tel que le prestataire le donne",
        "a secret begins with whsec_ and holds 24 to 64 bytes in base64, as the provider gives it",
    ),
    "oidc_client": (
        "fournisseur et client vont ensemble ; indiquez JOURNEYS_OIDC__ISSUER et JOURNEYS_OIDC__CLIENT_ID, "
        "ou aucun des deux",
        "issuer and client go together; set JOURNEYS_OIDC__ISSUER and JOURNEYS_OIDC__CLIENT_ID, or neither",
    ),
    "database_url": (
        "écrivez une adresse qui commence par postgresql:// "
        "(postgresql://utilisateur:motdepasse@hôte:5432/journeys), ou retirez la variable "
        "pour utiliser la base embarquée",
        "write a URL that begins with postgresql:// (postgresql://user:password@host:5432/journeys), "
        "or unset the variable to use the embedded database",
    ),
    "host_port": ("écrivez hôte:port, comme 127.0.0.1:7233", "write host:port, such as 127.0.0.1:7233"),
    "key": (
        "une clé a 64 chiffres hexadécimaux ; faites-en une par : openssl rand -hex 32",
        "a key has 64 hexadecimal digits; make one by: openssl rand -hex 32",
    ),
    "key_id": (
        "un nom de clé a 1 à 32 lettres minuscules, chiffres, points ou tirets, comme 2027-01",
        "a key id has 1 to 32 lower case letters, digits, dots or dashes, such as 2027-01",
    ),
    "directories": (
        "écrivez des chemins complets, qui commencent par /, séparés par des virgules",
        "write whole paths, which begin with /, separated by commas",
    ),
    "networks": (
        "écrivez des adresses ou des réseaux, séparés par des virgules (127.0.0.1,172.16.0.0/12)",
        "write addresses or networks, separated by commas (127.0.0.1,172.16.0.0/12)",
    ),
    "hosts": (
        "écrivez des noms d'hôtes, avec un port au besoin, séparés par des virgules (emploi.exemple.fr,127.0.0.1:8080)",
        "write host names, with a port where needed, separated by commas (jobs.example.org,127.0.0.1:8080)",
    ),
}
