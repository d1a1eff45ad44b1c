"""How a site is named to the world: read, and refused where it would say why somebody is accompanied."""

import re
from collections.abc import Callable
from typing import Final

from journeys.app.entry import clean_text, not_neutral
from journeys.app.failures import Said, usage
from journeys.domain.calendar import is_zone
from journeys.domain.neutral import place_tells_why, tells_why
from journeys.store.sites import Site

_CODE: Final = re.compile(r"[a-z][a-z0-9-]{0,39}")
_LONGEST: Final = 120
_SO: Final = Said("écrivez un nom neutre, par exemple « Accueil de la gare »",
                  "write a neutral name, such as “Station desk”")  # fmt: skip


def described(code: str, name: str, address: str, zone: str) -> Site:
    """A site as typed. Raises Failure: what is wrong, and where."""
    if not _CODE.fullmatch(code):
        raise usage("bad-code", f"SITE : « {code[:40]} » n'est pas un code", f"SITE: “{code[:40]}” is not a code",
                    field="SITE")  # fmt: skip
    if not is_zone(zone):
        raise usage("unknown-zone", f"--zone : « {zone[:40]} » n'est pas un fuseau horaire",
                    f"--zone: “{zone[:40]}” is not a time zone", field="--zone")  # fmt: skip
    site = Site(code, _line(name, "--name", tells_why), _line(address, "--address", place_tells_why), zone)
    if not site.name:
        raise usage("missing-value", "--name : il manque le nom", "--name: the name is missing", field="--name")
    return site


def _line(text: str, field: str, telling: Callable[[str], str | None]) -> str:
    """One line that tells nobody why. Raises Failure."""
    line = clean_text(text.strip(), field)
    if "\n" in line or len(line) > _LONGEST:
        raise usage("not-a-line", f"{field} : {_LONGEST} signes au plus, sur une ligne",
                    f"{field}: {_LONGEST} characters at most, on one line", field=field)  # fmt: skip
    if (word := telling(line)) is not None:
        raise not_neutral(field, word, _SO)
    return line
