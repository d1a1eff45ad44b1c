"""Local accounts: a password, a code of the day where one was set up, and a lock after too many wrong answers."""

import asyncio
import time
import unicodedata
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import Final, TypeVar

import pyotp
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from journeys.store.database import Connection, Pool

T = TypeVar("T")

MOST_FAILURES: Final = 5
LOCKED: Final = timedelta(minutes=15)
"""How long an account stays shut after MOST_FAILURES wrong answers in a row."""
REFUSAL_SECONDS: Final = 0.4
"""A refusal takes a whole multiple of this: what the database had to write for a known handle does not show."""
LONGEST_PASSWORD: Final = 1_000
STEP_SECONDS: Final = 30
NEIGHBOURS: Final = 1
"""Time steps before and after the present one whose code is taken: clocks of telephones differ."""

_HASHER: Final = PasswordHasher()
# Each hash takes 64 MB: two at a time, the others wait.
_THREADS: Final = ThreadPoolExecutor(max_workers=2, thread_name_prefix="argon2")


@dataclass(frozen=True, slots=True)
class Means:
    """What a member can prove with who they are, besides a provider."""

    password: bool
    totp: bool


async def any_account(pool: Pool) -> bool:
    """Whether anybody of the staff can log in with a password."""
    found: bool = await pool.fetchval(
        "SELECT EXISTS (SELECT FROM accounts a JOIN staff s ON s.id = a.staff"
        " WHERE s.active AND a.password IS NOT NULL)"
    )
    return found


async def means(pool: Pool, staff: str) -> Means:
    """What this member has set up."""
    row = await pool.fetchrow(
        "SELECT password IS NOT NULL AS password, totp IS NOT NULL AS totp FROM accounts WHERE staff = $1", staff
    )
    return Means(False, False) if row is None else Means(row["password"], row["totp"])


async def set_password(pool: Pool, staff: str, password: str) -> None:
    """Set or replace a password, and open a locked account. The caller ends the member's sessions."""
    hashed = await _in_thread(_HASHER.hash, _plain(password))
    await pool.execute(
        "INSERT INTO accounts (staff, password) VALUES ($1, $2)"
        " ON CONFLICT (staff) DO UPDATE SET password = excluded.password, failures = 0, locked_until = NULL",
        staff, hashed,
    )  # fmt: skip


async def check(pool: Pool, handle: str, password: str, code: str) -> str | None:
    """Who logs in with these; None: unknown, wrong, locked or left, which look alike and take as long.

    Args:
        code: the six digits of the moment; looked at only where the member has set them up.
    """
    async with _taking_as_long() as refused:
        row = await pool.fetchrow(
            "SELECT a.staff::text, a.password FROM accounts a JOIN staff s ON s.id = a.staff"
            " WHERE s.handle = $1 AND s.active",
            handle if handle.isprintable() else "",
        )
        right = await _matches(row["password"] if row is not None else None, password)
        staff: str | None = row["staff"] if row is not None else None
        if staff is not None and await _settle(pool, staff, right, code):
            return staff
        refused.append(True)
        return None


async def prove(pool: Pool, staff: str, password: str, code: str) -> bool:
    """Whether a member whose session is open is still the one who sits there: by the code if given, else the password.

    Wrong answers count towards the lock like those at the login.
    """
    async with _taking_as_long() as refused:
        if code:
            done = await _settle(pool, staff, True, code, needed=True)
        else:
            hashed = await pool.fetchval("SELECT password FROM accounts WHERE staff = $1", staff)
            done = await _settle(pool, staff, await _matches(hashed, password), None)
        if not done:
            refused.append(True)
        return done


def new_secret() -> str:
    """A fresh secret for codes: 160 bits in base32."""
    return pyotp.random_base32()


def is_secret(text: str) -> bool:
    """Whether `new_secret` could have made it."""
    return len(text) == 32 and set(text) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")


def address_of(secret: str, handle: str, issuer: str) -> str:
    """The `otpauth:` address that an application on the telephone reads from the QR code."""
    return pyotp.TOTP(secret).provisioning_uri(name=handle, issuer_name=issuer)


async def set_totp(pool: Pool, staff: str, secret: str, code: str) -> bool:
    """Ask for codes from now on; False, and nothing changed, when this code is not of the secret."""
    step = _step_of(secret, code, 0)
    if step is None:
        return False
    await pool.execute(
        "INSERT INTO accounts (staff, totp, totp_step) VALUES ($1, $2, $3)"
        " ON CONFLICT (staff) DO UPDATE SET totp = excluded.totp, totp_step = excluded.totp_step",
        staff, secret, step,
    )  # fmt: skip
    return True


async def remove_totp(pool: Pool, staff: str) -> None:
    """Ask for no code any more."""
    await pool.execute("UPDATE accounts SET totp = NULL, totp_step = 0 WHERE staff = $1", staff)


async def _settle(pool: Pool, staff: str, right: bool, code: str | None, *, needed: bool = False) -> bool:
    """Judge an answer under the account's lock, so that a hundred tries at once count as a hundred.

    `code` None: none is asked. `needed`: without codes set up the answer is wrong.
    """
    async with pool.acquire() as connection, connection.transaction():
        account = await connection.fetchrow(
            "SELECT totp, totp_step, failures, coalesce(locked_until > clock_timestamp(), false) AS locked"
            " FROM accounts WHERE staff = $1 FOR UPDATE",
            staff,
        )
        if account is None or account["locked"]:
            return False
        step: int | None = account["totp_step"]
        if code is not None and account["totp"] is not None:
            step = _step_of(account["totp"], code, account["totp_step"])
        elif needed:
            step = None
        if right and step is not None:
            await connection.execute(
                "UPDATE accounts SET failures = 0, locked_until = NULL, totp_step = $2 WHERE staff = $1", staff, step
            )
            return True
        await _count_failure(connection, staff, account["failures"] + 1)
        return False


async def _count_failure(connection: Connection, staff: str, failures: int) -> None:
    if failures < MOST_FAILURES:
        await connection.execute("UPDATE accounts SET failures = $2 WHERE staff = $1", staff, failures)
    else:
        await connection.execute(
            "UPDATE accounts SET failures = 0, locked_until = clock_timestamp() + $2::interval WHERE staff = $1",
            staff, LOCKED,
        )  # fmt: skip


def _step_of(secret: str, code: str, last: int) -> int | None:
    """The time step after `last` that the code belongs to. Telephones know the wall clock only, simulated or not."""
    digits = "".join(code.split())
    present = int(time.time()) // STEP_SECONDS
    for step in range(max(last + 1, present - NEIGHBOURS), present + NEIGHBOURS + 1):
        if pyotp.utils.strings_equal(digits, pyotp.TOTP(secret).generate_otp(step)):
            return step
    return None


async def _matches(hashed: str | None, password: str) -> bool:
    """Whether the password is the one; without a hash the same work is done for nothing."""
    right = await _in_thread(_verified, hashed or _decoy(), _plain(password))
    return right and hashed is not None and len(password) <= LONGEST_PASSWORD


def _verified(hashed: str, password: str) -> bool:
    try:
        return _HASHER.verify(hashed, password)
    except (VerificationError, InvalidHashError):
        return False


@cache
def _decoy() -> str:
    return _HASHER.hash("nobody has this password")


def _plain(password: str) -> str:
    """The same password whichever way a keyboard composes its accents."""
    return unicodedata.normalize("NFKC", password[:LONGEST_PASSWORD])


async def _in_thread(work: Callable[..., T], *given: str) -> T:
    return await asyncio.get_running_loop().run_in_executor(_THREADS, work, *given)


@asynccontextmanager
async def _taking_as_long() -> AsyncIterator[list[bool]]:
    began = time.monotonic()
    refused: list[bool] = []
    yield refused
    if refused:
        await asyncio.sleep((began - time.monotonic()) % REFUSAL_SECONDS)
