"""Name and account of a payee, as one text and back."""

import pytest

from journeys.domain.payee import Payee, read_payee

IBAN = "FR7630006000011234567890189"


@pytest.mark.parametrize(
    ("text", "payee"),
    [
        ("Auto-école, FR76 3000 6000 0112 3456 7890 189", Payee("Auto-école", IBAN)),
        ("Dupont, Martin et fils,FR7630006000011234567890189", Payee("Dupont, Martin et fils", IBAN)),
        ("École , fr76\u00a03000 6000 0112 3456 7890 189 ", Payee("École", IBAN)),
        ("Hôtel des Voyageurs", Payee("Hôtel des Voyageurs")),
        ("École, FR76 3000", Payee("École, FR76 3000")),
        ("Gare, guichet 12", Payee("Gare, guichet 12")),
        (IBAN, Payee("", IBAN)),
        ("", Payee("")),
    ],
)
def test_what_a_text_says(text: str, payee: Payee) -> None:
    assert read_payee(text) == payee
    assert read_payee(payee.text) == payee


def test_an_account_is_not_shown_by_chance() -> None:
    assert "3000" not in repr(Payee("École", IBAN))
