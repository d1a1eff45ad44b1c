"""A worker for tests: notes in a file that it started (pid, database, Temporal), and that it was stopped."""

import os
import signal
import sys
import time

NOTES = sys.argv[1]


def note(*words: object) -> None:
    with open(NOTES, "a") as file:
        file.write(" ".join(map(str, words)) + "\n")


def stop(*_: object) -> None:
    note("stopped", os.getpid())
    sys.exit(0)


signal.signal(signal.SIGTERM, stop)
note("started", os.getpid(), os.environ["DATABASE_URL"], os.environ["TEMPORAL_ADDRESS"])
while True:
    time.sleep(1)
