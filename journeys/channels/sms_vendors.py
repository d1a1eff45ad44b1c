"""Gateways of French vendors, written from their documentation and NEVER RUN against them: nobody here has an account.

Before the first message to a person, send one to yourself, and compare what came with what this says. None of them
promises to know an id again, so a 5xx is a doubt (but for 503), and none of them signs what it says later: its receipts
are not taken.
"""

import hashlib
import json
import time
from dataclasses import dataclass, field
from typing import Any, Final

from journeys.channels.sms import DEAD_NUMBER, Question, Rejected, Taken, Text

BREVO: Final = "https://api.brevo.com/v3"
OVH: Final = "https://eu.api.ovh.com/1.0"


@dataclass(frozen=True, slots=True)
class Brevo:
    """https://developers.brevo.com/reference/send-transac-sms, read in November 2026. Never run.

    `token` is the API key of the account.
    """

    token: str = field(repr=False)
    sender: str
    url: str = BREVO
    name: str = "brevo"
    never_run: bool = True
    keyed: bool = False

    def question(self, text: Text) -> Question:
        """See Dialect."""
        content = {
            "type": "transactional", "sender": self.sender, "recipient": text.to.removeprefix("+"),
            "content": text.body, "tag": text.id, "unicodeEnabled": text.unicode,
        }  # fmt: skip
        return Question(f"{self.url}/transactionalSMS/send", json.dumps(content).encode(), {"api-key": self.token})

    def answer(self, text: Text, said: dict[str, Any]) -> Taken | Rejected | None:
        """See Dialect: 201 with `messageId`."""
        id = said.get("messageId")
        return Taken(str(id)) if isinstance(id, int | str) and id else None


@dataclass(frozen=True, slots=True)
class Ovh:
    """https://docs.ovhcloud.com/en/guides/web-cloud/messaging/sms/api-sms-cookbook, read in November 2026. Never run.

    `account` is the name of the service (`sms-ab12345-1`), `token` application key, application secret and consumer
    key with colons between.
    """

    token: str = field(repr=False)
    sender: str
    account: str
    url: str = OVH
    name: str = "ovh"
    never_run: bool = True
    keyed: bool = False

    def question(self, text: Text) -> Question:
        """See Dialect. Each question is signed, and holds for a moment only."""
        application, secret, consumer = self.token.split(":")
        url, seconds = f"{self.url}/sms/{self.account}/jobs", str(int(time.time()))
        content = json.dumps({
            "receivers": [text.to], "message": text.body, "noStopClause": True, "priority": "high",
            "charset": "UTF-8", "coding": "8bit" if text.unicode else "7bit", "tag": text.id,
            **({"sender": self.sender} if self.sender else {"senderForResponse": True}),
        })  # fmt: skip
        signed = "+".join((secret, consumer, "POST", url, content, seconds))
        return Question(url, content.encode(), {
            "x-ovh-application": application, "x-ovh-consumer": consumer, "x-ovh-timestamp": seconds,
            "x-ovh-signature": "$1$" + hashlib.sha1(signed.encode()).hexdigest(),
        })  # fmt: skip

    def answer(self, text: Text, said: dict[str, Any]) -> Taken | Rejected | None:
        """See Dialect: the number among the valid or the invalid receivers, and the ids of what was sent."""
        ids, valid, invalid = said.get("ids"), said.get("validReceivers"), said.get("invalidReceivers")
        if isinstance(invalid, list) and text.to in invalid:
            return Rejected(DEAD_NUMBER)
        if isinstance(valid, list) and text.to in valid and isinstance(ids, list) and len(ids) == 1:
            return Taken(str(ids[0]))
        return None
