"""`journeys web`: where the pages are, said once they are there; a port that is taken."""

import signal
import socket
import subprocess
import sys
import threading
import urllib.request

from tests.app.conftest import Journeys, Up, plain_environment


def test_it_says_where_the_pages_are_once_they_are_there_and_that_a_port_is_taken(up: Up, here: Journeys) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
        taken = here("web", "--port", port, "--json")
        assert (taken.code, taken.error["code"], taken.error["field"]) == (1, "port-taken", "--port")
    serving = subprocess.Popen(
        [sys.executable, "-X", "faulthandler", "-m", "journeys.app.cli", "--lang", "fr", "web", "--port", port],
        env=plain_environment(JOURNEYS_DATA_DIR=str(up.data_dir)),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert serving.stdout is not None and serving.stderr is not None
    # Where it stands is told where it never says a word.
    stuck = threading.Timer(90, serving.send_signal, (signal.SIGABRT,))
    stuck.start()
    try:
        line = serving.stdout.readline()
        assert line, serving.stderr.read()
        assert line == f"Les pages sont à http://127.0.0.1:{port} ; Ctrl-C arrête.\n"
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/connexion") as page:
            assert page.status == 200
    finally:
        stuck.cancel()
        serving.terminate()
    assert serving.wait(20) == 0 and serving.stderr.read() == "", "nothing but what people need is said"
