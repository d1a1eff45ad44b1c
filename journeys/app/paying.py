"""Whom money is for, as it is typed: a name and an IBAN, checked, and put together in the part that approvals cover."""

from collections.abc import Callable, Mapping
from typing import Final

from journeys.app.failures import Failure, Said, usage
from journeys.app.finding import Loaded
from journeys.channels.iban import WrongIban, check
from journeys.domain.commands import AnyBody, ChangeGrant, RequestGrant
from journeys.domain.payee import IBAN, PAYEE, WITH_ACCOUNT, Payee, read_payee
from journeys.i18n import text
from journeys.narration.bank_files import IBANS

Called = Callable[[str], str]
"""What a field is called by whoever typed."""


def with_account(body: AnyBody, texts: Mapping[str, str], loaded: Loaded, called: Called = str) -> dict[str, str]:
    """The texts of a command, the payee's name and IBAN put together; others stay as they are.

    Raises Failure (usage), which names the field: an IBAN that is none, one without the name or the name without it
    where the money goes to an account, a name that is missing.
    """
    if not isinstance(body, RequestGrant | ChangeGrant) or not {PAYEE, IBAN} & texts.keys():
        return dict(texts)
    typed = read_payee(texts.get(PAYEE, ""))
    account = _account(texts.get(IBAN) or typed.iban, called)
    if typed.iban is not None and account != _account(typed.iban, called):
        raise usage("two-accounts", f"{called(PAYEE)} : un autre IBAN que celui de {called(IBAN)}",
                    f"{called(PAYEE)}: another IBAN than that of {called(IBAN)}", field=called(PAYEE),
                    remedy=Said("écrivez ici le nom seul", "write the name alone here"))  # fmt: skip
    if not typed.name:
        raise usage("no-payee-name", f"{called(PAYEE)} : il manque le nom de la personne ou de l'organisme payé",
                    f"{called(PAYEE)}: the name of whoever is paid is missing", field=called(PAYEE),
                    remedy=_TOGETHER)  # fmt: skip
    if account is None and _goes_to_account(body, loaded):
        raise usage("no-iban", f"{called(IBAN)} : il manque l'IBAN : ce versement va sur un compte",
                    f"{called(IBAN)}: the IBAN is missing: this money goes to an account", field=called(IBAN),
                    remedy=_TOGETHER)  # fmt: skip
    return {name: text for name, text in texts.items() if name != IBAN} | {
        PAYEE: Payee(" ".join(typed.name.split()), account).text
    }


def _account(text: str | None, called: Called) -> str | None:
    if text is None:
        return None
    found = check(text)
    if isinstance(found, WrongIban):
        raise _wrong(found, called(IBAN))
    return found


def _goes_to_account(body: RequestGrant | ChangeGrant, loaded: Loaded) -> bool:
    """Whether this grant is paid into an account; False for one that the rules refuse anyway."""
    if isinstance(body, ChangeGrant):
        known = loaded.state.grants.get(body.grant)
        return known is not None and known.pay_by in WITH_ACCOUNT
    rule = loaded.book.programme.grants.get(body.grant)
    return rule is not None and (body.pay_by or rule.pay_by[0]) in WITH_ACCOUNT


def _wrong(found: WrongIban, field: str) -> Failure:
    fr, en = (text(lang)(IBANS[found.code]) for lang in ("fr", "en"))
    return usage(found.code, f"{field} : {fr}", f"{field}: {en}", field=field)


_TOGETHER: Final = Said(
    "donnez le nom et l'IBAN ensemble : un accord porte sur les deux",
    "give the name and the IBAN together: an approval covers both",
)
