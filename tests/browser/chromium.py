"""Which Chromium the tests in a browser take, and whether there is one."""

import os
from pathlib import Path

SHELL, WHOLE = Path("/usr/bin/chromium-headless-shell"), Path("/usr/bin/chromium")
CHROMIUM = Path(os.environ.get("E2E_CHROMIUM", SHELL if SHELL.exists() else WHOLE))
"""The distribution's Chromium without its windows, where it is installed: a new page costs a fifth."""
