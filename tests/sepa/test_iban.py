"""Account numbers: the normal form, or what is wrong."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from journeys.channels.iban import WrongIban, check
from journeys.narration.bank_files import IBANS, iban_refused
from tests.sepa.made import OURS, PAYEES


@pytest.mark.parametrize("iban", [OURS, *PAYEES])
def test_taken_in_its_normal_form(iban: str) -> None:
    typed = " ".join(iban[each : each + 4] for each in range(0, len(iban), 4)).lower()
    assert check(typed) == check(f" {iban}\n") == check(typed.replace(" ", "\u00a0")) == iban


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("FR7630006000011234567890188", "iban-key"),
        ("FR7730006000011234567890189", "iban-key"),
        ("FR763000600001123456789018", "iban-length"),
        ("FR76300060000112345678901890", "iban-length"),
        ("XX7630006000011234567890189", "iban-country"),
        ("US7630006000011234567890189", "iban-country"),
        ("TR330006100519786457841326", "iban-outside-sepa"),
        ("", "iban-shape"),
        ("le compte de ma mère", "iban-shape"),
        ("FRAA30006000011234567890189", "iban-shape"),
        ("FR76-3000-6000", "iban-shape"),
        ("FR76３0006000011234567890189", "iban-shape"),
    ],
)
def test_what_is_wrong(text: str, code: str) -> None:
    assert check(text) == WrongIban(code)  # type: ignore[arg-type]
    assert iban_refused(code, "fr") != iban_refused(code, "en")


@given(st.integers(4, 26), st.integers(1, 9))
def test_one_wrong_digit_is_always_found(at: int, by: int) -> None:
    wrong = OURS[:at] + str((int(OURS[at]) + by) % 10) + OURS[at + 1 :]
    assert check(wrong) == WrongIban("iban-key")


def test_every_code_has_its_words() -> None:
    codes = WrongIban.__dataclass_fields__["code"].type.__args__  # type: ignore[union-attr]
    assert set(codes) == IBANS.keys()
