"""Local accounts, for an association without an identity provider: a password, and a code that opens once."""

import asyncio
import re
import secrets
import time
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import pyotp
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from journeys.store.database import Pool

SHORTEST: Final = 12
"""Characters of a password."""
FAILURES: Final = 6
LOCKED: Final = timedelta(minutes=10)
"""After so many failures in a row an account opens to nobody for so long."""
_STEP_SECONDS: Final = 30
_SECRET: Final = re.compile(r"[A-Z2-7]{32}")

_HASHER: Final = PasswordHasher()
_NOBODY: Final = _HASHER.hash(secrets.token_urlsafe(16))
"""Verified for a handle that is not there, so that the time taken does not tell."""


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of a try: the member's id, or that a code is wanted first; neither says why it failed."""

    staff: str | None
    wants_code: bool = False


async def set_password(pool: Pool, staff: str, password: str) -> None:
    """Give a member a password; every session of theirs ends. Raises ValueError: shorter than SHORTEST."""
    if len(password) < SHORTEST:
        raise ValueError("too short")
    hashed = await asyncio.to_thread(_HASHER.hash, password)
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute(
            "INSERT INTO accounts (staff, password) VALUES ($1, $2)"
            " ON CONFLICT (staff) DO UPDATE SET password = excluded.password, failures = 0, locked_until = NULL",
            staff,
            hashed,
        )
        await connection.execute("DELETE FROM sessions WHERE staff = $1", staff)


async def check(pool: Pool, handle: str, password: str, code: str = "") -> Tried:
    """Try a handle with a password, and with the code where the account has one. Failures are counted."""
    row = await pool.fetchrow(
        "SELECT s.id::text, a.password, a.totp, a.totp_step, a.failures,"
        " coalesce(a.locked_until > clock_timestamp(), false) AS locked"
        " FROM staff s JOIN accounts a ON a.staff = s.id WHERE s.handle = $1 AND s.active",
        handle,
    )
    known = row["password"] if row is not None and row["password"] else _NOBODY
    fits = await asyncio.to_thread(_verifies, known, password)
    if row is None or row["locked"] or not row["password"]:
        return Tried(None)
    if fits and row["totp"] is not None:
        if not code:
            return Tried(None, wants_code=True)
        fits = await _spend(pool, row["id"], row["totp"], row["totp_step"], code)
    await _count(pool, row["id"], fits)
    return Tried(row["id"] if fits else None)


async def has_code(pool: Pool, staff: str) -> bool:
    """Whether the account asks for a code."""
    return bool(await pool.fetchval("SELECT totp IS NOT NULL FROM accounts WHERE staff = $1", staff))


async def set_code(pool: Pool, staff: str, secret: str, code: str) -> bool:
    """Have an account ask for codes of this secret from now on, once one has been shown to work."""
    step = _step_of(secret, code)
    if step is None:
        return False
    await pool.execute("UPDATE accounts SET totp = $2, totp_step = $3 WHERE staff = $1", staff, secret, step)
    return True


def fresh_secret() -> str:
    """A secret for an authenticator application."""
    return pyotp.random_base32()


def is_secret(text: str) -> bool:
    """Whether this has the form of `fresh_secret`."""
    return _SECRET.fullmatch(text) is not None


def address_of(secret: str, handle: str, issuer: str) -> str:
    """What an authenticator application reads as a picture."""
    return pyotp.TOTP(secret).provisioning_uri(name=handle, issuer_name=issuer)


async def _spend(pool: Pool, staff: str, secret: str, last: int, code: str) -> bool:
    """A code opens once: its step must be later than the last one taken, decided by the database."""
    step = _step_of(secret, code)
    if step is None or step <= last:
        return False
    done: str = await pool.execute(
        "UPDATE accounts SET totp_step = $2 WHERE staff = $1 AND totp_step < $2", staff, step
    )
    return done == "UPDATE 1"


def _step_of(secret: str, code: str) -> int | None:
    """The time step of a code, the one before and the one after allowed; None for a wrong one, or no secret of ours."""
    if not is_secret(secret):
        return None
    now = int(time.time()) // _STEP_SECONDS
    typed = code.replace(" ", "")
    for step in (now, now - 1, now + 1):
        if secrets.compare_digest(pyotp.TOTP(secret).at(step * _STEP_SECONDS).encode(), typed.encode()):
            return step
    return None


async def _count(pool: Pool, staff: str, fits: bool) -> None:
    if fits:
        await pool.execute("UPDATE accounts SET failures = 0, locked_until = NULL WHERE staff = $1", staff)
        return
    await pool.execute(
        "UPDATE accounts SET failures = CASE WHEN failures + 1 >= $2 THEN 0 ELSE failures + 1 END,"
        " locked_until = CASE WHEN failures + 1 >= $2 THEN clock_timestamp() + $3::interval ELSE locked_until END"
        " WHERE staff = $1",
        staff,
        FAILURES,
        LOCKED,
    )


def _verifies(hashed: str, password: str) -> bool:
    try:
        return _HASHER.verify(hashed, password)
    except (VerificationError, InvalidHashError):
        return False
