"""The fake bank, or the fake gateway, as a process that can be killed and begun again on its ledger and its port."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

TOKEN = "token"
SECRET = "whsec_" + "c2VjcmV0IG9mIHRoZSBmYWtlIGJhbmssIDMyIGI="


@dataclass
class Process:
    """A running fake."""

    ledger: Path
    options: tuple[str, ...] = ()
    port: int = 0
    module: str = "tests.bank.server"
    _child: "subprocess.Popen[str] | None" = field(default=None, init=False)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def begin(self) -> None:
        """Begin, on the port of before if there was one."""
        command = [sys.executable, "-m", self.module, "--ledger", str(self.ledger), "--port", str(self.port)]
        self._child = subprocess.Popen([*command, *self.options], stdout=subprocess.PIPE, text=True)
        assert self._child.stdout is not None
        self.port = int(self._child.stdout.readline())

    def kill(self) -> None:
        """Kill -9."""
        assert self._child is not None
        self._child.send_signal(signal.SIGKILL)
        self._child.wait()


@contextmanager
def bank_process(ledger: Path, *options: str, module: str = "tests.bank.server") -> Iterator[Process]:
    """A fake bank (or another module) that is gone at the end."""
    running = Process(ledger, options, module=module)
    running.begin()
    try:
        yield running
    finally:
        running.kill()
