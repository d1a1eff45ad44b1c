"""Who is there: sites, staff, mentors, partners, and the people who are accompanied. The seed decides everything."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from random import Random
from typing import Final

from journeys.domain.directory import PersonField, search_form

SITES: Final = (
    "nanterre", "gennevilliers", "bobigny", "creteil", "evry", "melun", "versailles", "pontoise", "lille", "roubaix",
    "lyon", "saint-etienne", "marseille", "nice", "toulouse", "bordeaux", "nantes", "rennes", "strasbourg", "mulhouse",
)  # fmt: skip
"""Codes of the sites, most of them in reach of a prison."""

FIRST_NAMES: Final = (
    "Adèle", "Aïcha", "Alexis", "Aline", "Amadou", "Anaïs", "André", "Anne-Sophie", "Antoine", "Arnaud", "Aurélie",
    "Awa", "Bénédicte", "Benoît", "Björn", "Bruno", "Camille", "Cécile", "Célestin", "Chloé", "Clément", "Cyrille",
    "Damien", "Désiré", "Djibril", "Dylan", "Éloïse", "Émile", "Enzo", "Éric", "Estéban", "Fatoumata", "Félix",
    "Florian", "François", "Gaël", "Gaëtan", "Geneviève", "Grégory", "Hélène", "Hervé", "Hugo", "Ibrahima", "Inès",
    "Ismaël", "Jean-Baptiste", "Jérémy", "Joël", "Jordan", "José", "Jules", "Kader", "Karim", "Kévin", "Khadija",
    "Léa", "Léo", "Loïc", "Louis", "Lucas", "Łukasz", "Maël", "Maëlle", "Malik", "Mamadou", "Marc", "Margaux",
    "Mathéo", "Maxence", "Mehdi", "Mickaël", "Moussa", "Nadège", "Naïm", "Nathan", "Nicolas", "Noé", "Océane",
    "Ömer", "Ousmane", "Pauline", "Pierre-Yves", "Quentin", "Raphaël", "Rayan", "Rémi", "Romain", "Sébastien",
    "Sélim", "Séverine", "Sofiane", "Stéphane", "Tânia", "Théo", "Thérèse", "Valérie", "Yaël", "Yann", "Youssef", "Zoé",
)  # fmt: skip
LAST_NAMES: Final = (
    "Abdelkader", "Aït-Ali", "Alvès", "André", "Angély", "Bâ", "Bélanger", "Belkacem", "Benkirane", "Bénard",
    "Besançon", "Blanchet", "Boissière", "Bourdîn", "Brunet", "Camara", "Carvalho", "Castañeda", "Chérif", "Coëffic",
    "Côté", "Coulibaly", "Cœurderoy", "Da Silva", "D’Almeida", "Delaunay", "Desprès", "Diallo", "Diop", "Dridi",
    "Dubœuf", "Dupré", "Étienne", "Fabre", "Fauré", "Fernández", "Fontaine", "Gérard", "Gonçalves", "Grandjean",
    "Guéguen", "Haddad", "Hébert", "Husson", "Île", "Jaouën", "Jérôme", "Kaboré", "Keïta", "Kowalski", "Lacroix",
    "Lambert", "Lebœuf", "Le Goff", "Lefèvre", "Lemaître", "L’Hostis", "Liégeois", "Lopès", "Maïga", "Mansouri",
    "Marchand", "Martínez", "Mélenchon", "Meunier", "Michaël", "Müller", "N’Diaye", "Nguyễn", "Noël", "Nowak",
    "Ostrowski", "Ouédraogo", "Pêcheur", "Pérès", "Perrin", "Pham", "Picard", "Prévost", "Quéré", "Raïs", "Réveillère",
    "Rousseau", "Saïdi", "Salvetti", "Sánchez", "Schäfer", "Sénéchal", "Şahin", "Sow", "Tessier", "Thévenet",
    "Touré", "Traoré", "Vallée", "Vasseur", "Vérité", "Vigneron", "Weiß", "Yılmaz", "Zäh", "Zerrouki",
)  # fmt: skip

_STANDARD: Final = 50
"""Open journeys of a caseworker."""
_HEAVY: Final = 200
"""And of the one who has most."""


@dataclass(frozen=True, slots=True)
class Somebody:
    """A member of staff, a mentor or a partner: `handle` for staff only; no site means every site."""

    id: str
    handle: str
    name: str
    kind: str
    """The role of staff, the kind of a partner; `mentor`."""
    site: str | None

    @property
    def email(self) -> str:
        return f"{search_form(self.name).replace(' ', '.')}.{self.id[:4]}@crowd.invalid"


@dataclass(frozen=True, slots=True)
class Participant:
    """Somebody who is accompanied."""

    id: str
    texts: dict[PersonField, str]
    birth_date: date

    @property
    def search_name(self) -> str:
        return search_form(f"{self.texts['last_name']} {self.texts['first_name']}")


class Around:
    """Everybody around so many journeys."""

    def __init__(self, journeys: int, seed: int) -> None:
        self.journeys = journeys
        self.seed = seed
        self.heavy = min(_HEAVY, journeys // 4)
        caseworkers = 1 + max(1, -(-(journeys - self.heavy) // _STANDARD))
        self.sites = SITES[: max(1, min(len(SITES), round(caseworkers / 20)))]
        self.caseworkers = self._staff("ref", "referent", caseworkers, 3, by_site=True)
        supervisors = len(self.sites) + len(self.sites) // 2
        self.supervisors = self._staff("sup", "supervisor", supervisors, 2, by_site=True)
        self.finance = self._staff("fin", "finance", max(1, min(10, caseworkers // 40)), 2)
        self.duty = self._staff("duty", "duty", 1, 2)
        self.others = (*self._staff("adm", "administrator", 1, 2), *self._staff("aud", "auditor", 1, 2))

    def _staff(
        self, prefix: str, role: str, number: int, digits: int, *, by_site: bool = False
    ) -> tuple[Somebody, ...]:
        return tuple(
            self._somebody(
                f"{prefix}-{nth + 1:0{digits}d}", role, self.sites[nth % len(self.sites)] if by_site else None
            )
            for nth in range(number)
        )

    def _somebody(self, handle: str, kind: str, site: str | None) -> Somebody:
        random = Random(f"{self.seed}/{handle}")
        name = f"{random.choice(FIRST_NAMES)} {random.choice(LAST_NAMES)}"
        return Somebody(drawn_id(random), handle, name, kind, site)

    @property
    def staff(self) -> tuple[Somebody, ...]:
        return (*self.caseworkers, *self.supervisors, *self.finance, *self.duty, *self.others)

    @cached_property
    def mentors(self) -> tuple[Somebody, ...]:
        """One for twenty journeys, by site: fewer than a real house would have, each with more people."""
        number = max(2 * len(self.sites), self.journeys // 20)
        return tuple(
            self._somebody(f"mentor-{nth}", "mentor", self.sites[nth % len(self.sites)]) for nth in range(number)
        )

    @cached_property
    def partners(self) -> tuple[Somebody, ...]:
        """A house and an employer at each site."""
        names = {"housing": "Foyer", "employer": "Menuiserie"}
        made = (self._somebody(f"{kind}-{site}", kind, site) for site in self.sites for kind in names)
        return tuple(
            Somebody(one.id, "", f"{names[one.kind]} {one.name.partition(' ')[2]}", one.kind, one.site) for one in made
        )

    def caseworker(self, journey: int) -> Somebody:
        """Who leads a journey: the first `heavy` are the first caseworker's, the others take turns."""
        rest = self.caseworkers[1:]
        return self.caseworkers[0] if journey < self.heavy else rest[journey % len(rest)]

    def has_pair(self, site: str) -> bool:
        """Whether a site has two supervisors."""
        return sum(one.site == site for one in self.supervisors) > 1

    def cast(self, journey: int, random: Random) -> dict[str, Somebody]:
        """Who stands around a journey, by the handles of `inventing.HANDLES`."""
        leading = self.caseworker(journey)
        site = leading.site or self.sites[0]
        beside = [one for one in self._at(self.caseworkers, site) if one is not leading] or list(self.caseworkers[1:])
        over = sorted(self._at(self.supervisors, site), key=lambda one: one.id)
        mentor, second = random.sample(self._at(self.mentors, site), 2)
        home, employer = self._at(self.partners, site)
        return {
            "caseworker": leading, "other": random.choice(beside), "supervisor": over[0], "second": over[-1],
            "finance": random.choice(self.finance), "duty": self.duty[0], "volunteer": mentor,
            "second-mentor": second, "home": home, "employer": employer,
        }  # fmt: skip

    def _at(self, several: Sequence[Somebody], site: str) -> list[Somebody]:
        found = self._by_site.setdefault((id(several), site), [])
        if not found:
            found += [one for one in several if one.site == site]
        return found

    @cached_property
    def _by_site(self) -> dict[tuple[int, str], list[Somebody]]:
        return {}


def participant(journey: int, random: Random, now: datetime) -> Participant:
    """The person of a journey."""
    first, last = random.choice(FIRST_NAMES), random.choice(LAST_NAMES)
    if random.random() < 0.15:
        last = f"{last}-{random.choice(LAST_NAMES)}"
    born = now.date() - timedelta(days=random.randint(18 * 366, 55 * 365))
    texts: dict[PersonField, str] = {
        "reference": f"CRD-{journey + 1:06d}",
        "first_name": first,
        "last_name": last,
        "birth_date": born.isoformat(),
        "phone": f"+336{random.randrange(10**8):08d}",
        "language": "fr" if random.random() < 0.95 else "en",
        "zone": "Europe/Paris",
    }
    if random.random() < 0.6:
        texts["email"] = f"{search_form(f'{first} {last}').replace(' ', '.')}.{journey + 1}@crowd.invalid"
    return Participant(drawn_id(random), texts, born)


def drawn_id(random: Random) -> str:
    """A UUID of what `random` gives."""
    return str(uuid.UUID(int=random.getrandbits(128), version=4))
