"""Reports of mail servers: only a letter of ours that came back for good is one."""

import pytest

from journeys.channels.dsn import LARGEST, Bounced, NoReport, read

ID = "0190b5a0-0000-7000-8000-00000000000a"


def report(action: str = "failed", status: str = "5.1.1", id: str = ID, part: str = "text/rfc822-headers") -> bytes:
    lines = [
        "From: MAILER-DAEMON@mx.example", "To: suivi@association.example", "Subject: Undelivered", "MIME-Version: 1.0",
        'Content-Type: multipart/report; report-type=delivery-status; boundary="x"', "", "--x",
        "Content-Type: text/plain", "", "Nobody here: eloise@example.org", "--x",
        "Content-Type: message/delivery-status", "", "Reporting-MTA: dns; mx.example", "",
        "Final-Recipient: rfc822; eloise@example.org", f"Action: {action}", f"Status: {status}",
        "Diagnostic-Code: smtp; 550 no such user", "", "--x", f"Content-Type: {part}", "",
        "From: suivi@association.example", f"Message-ID: <{id}@association.example>", "Subject: Rappel", "",
        "--x--", "",
    ]  # fmt: skip
    return "\r\n".join(lines).encode()


@pytest.mark.parametrize("part", ["text/rfc822-headers", "message/rfc822"])
@pytest.mark.parametrize("status", ["5.1.1", "5.7.26", "4.4.1", "4.4.7"])
def test_a_letter_that_came_back_for_good(part: str, status: str) -> None:
    assert read(report(status=status, part=part)) == Bounced(ID, "mail-" + status.replace(".", "-"))


def test_without_a_status_it_is_said_without_one() -> None:
    assert read(report(status="gone")) == Bounced(ID, "mail-bounced")


@pytest.mark.parametrize(
    "raw",
    [
        report("delayed", "4.4.1"), report("failed", "2.0.0"), report("delivered", "2.0.0"), report(id="of-others"),
        b"", b"\xff\xfe\x00", b"Subject: Bonjour\r\n\r\nJe suis absent.", report()[:500],
        report().replace(b"message/delivery-status", b"text/plain"), report() + b" " * LARGEST,
        b'Content-Type: multipart/report; boundary="x"\r\n\r\n' + b"--x\r\nContent-Type: multipart/mixed\r\n" * 40,
    ],
)  # fmt: skip
def test_anything_else_is_no_report(raw: bytes) -> None:
    with pytest.raises(NoReport):
        read(raw)
