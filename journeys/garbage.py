"""The garbage collector of a process that serves: it looks seldom, and never at what was loaded."""

import gc
from typing import Final

YOUNG: Final = 20_000
"""Objects made before the collector looks for cycles among them; 700 as Python begins."""


def settle() -> None:
    """Call it once, when everything is loaded.

    What was loaded stays; and a page or a command makes some thousand objects that go with it by themselves, which is
    no reason to look at all others.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, 10, 10)
