"""Reports of mail servers on letters that did not arrive (RFC 3464): of which letter, and why."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from email import message_from_bytes
from email.message import EmailMessage, Message
from email.policy import default
from typing import Final

LARGEST: Final = 1_000_000
"""Bytes of one report; what it sends back of the letter is short."""

_OURS: Final = re.compile(r"<([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})@[^<>\s]{1,190}>")
_STATUS: Final = re.compile(r"([245])\.(\d{1,3})\.(\d{1,3})")


class NoReport(ValueError):
    """This is no report on a letter of ours that came back for good."""


@dataclass(frozen=True, slots=True)
class Bounced:
    """A letter that came back for good. `reason` is a code, such as `mail-5-1-1`."""

    message: str
    """The id of the letter."""
    reason: str


def read(raw: bytes) -> Bounced:
    """What a report says. A delay is no verdict; that the server has given up is one, also where it kept trying for
    days (4.4.7). The address and the words of the server are not kept.

    Raises:
        NoReport.
    """
    if len(raw) > LARGEST:
        raise NoReport
    try:
        report = message_from_bytes(raw, policy=default)
        if report.get_content_type() != "multipart/report":
            raise NoReport
        parts = list(report.walk())
        statuses = [group for part in parts for group in _groups(part)]
        ours = next(_ids(parts), None)
    except NoReport:
        raise
    except Exception:
        # The parser answers a broken message with whatever broke in it.
        raise NoReport from None
    failed = [group for group in statuses if str(group.get("action", "")).strip().lower() == "failed"]
    if ours is None or not failed:
        raise NoReport
    found = _STATUS.search(str(failed[0].get("status", "")))
    if found is not None and found[1] == "2":
        raise NoReport
    return Bounced(ours, "mail-" + "-".join(found.groups()) if found is not None else "mail-bounced")


def _groups(part: Message) -> Iterator[Message]:
    """The fields of each recipient."""
    if part.get_content_type() == "message/delivery-status":
        yield from (each for each in part.get_payload() if isinstance(each, Message))


def _ids(parts: Sequence[Message]) -> Iterator[str]:
    """Ids of letters of ours among what is sent back: whole, or its head only."""
    for part in parts[1:]:
        text = str(part.get("message-id", ""))
        if part.get_content_type() == "text/rfc822-headers":
            content = part.get_content() if isinstance(part, EmailMessage) else ""
            head = re.search(r"^message-id:\s*(<[^>]+>)", str(content), re.IGNORECASE | re.MULTILINE)
            text = head[1] if head is not None else ""
        if (found := _OURS.fullmatch(text.strip())) is not None:
            yield found[1]
