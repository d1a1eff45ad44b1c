"""The fake gateway as a process that can be killed and begun again on its ledger and its port."""

from contextlib import AbstractContextManager
from pathlib import Path

from tests.bank.process import SECRET, TOKEN, Process, bank_process

__all__ = ["SECRET", "TOKEN", "Process", "gateway_process"]


def gateway_process(ledger: Path, *options: str) -> AbstractContextManager[Process]:
    """A fake gateway that is gone at the end."""
    return bank_process(ledger, *options, module="tests.gateway.server")
