"""Templates into pages: texts in the visitor's language, dates and money as people write them, nothing cached."""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

from fastapi.responses import HTMLResponse, RedirectResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined, nodes, select_autoescape
from jinja2.compiler import CodeGenerator, Frame
from jinja2.visitor import NodeTransformer
from markupsafe import _escape_inner, escape  # type: ignore[attr-defined]  # the part of `escape` that makes no Markup

from journeys import clock
from journeys.app.inbox import label, role_label
from journeys.app.reading import ZONE, today_of
from journeys.app.stopping import told
from journeys.app.web.policy import (
    ACCOUNT,
    ANSWERING,
    BOOKS,
    CASEWORK,
    DECIDING,
    KEEPING,
    OVERSEEING,
    POSTING,
    READERS,
    RETAINING,
    STAFF,
    STOPPING,
)
from journeys.app.web.visit import Visit
from journeys.domain.moments import parse_moment
from journeys.domain.payee import grouped
from journeys.i18n import (
    Lang,
    capital,
    format_date,
    format_instant,
    format_money,
    format_size,
    format_time,
    ngettext,
    text,
)
from journeys.identifiers import short, uuid7
from journeys.narration import command_word, moment_words, spoken
from journeys.narration.bank_files import gone_said
from journeys.narration.words import COMMANDS

TEMPLATES: Final = Path(__file__).with_name("templates")
STATIC: Final = Path(__file__).with_name("static")
LANGUAGES: Final[tuple[Lang, ...]] = ("fr", "en")


def page(visit: Visit, template: str, status: int = 200, /, **given: Any) -> HTMLResponse:
    """A whole page, or with htmx the same page of which it takes its part."""
    return HTMLResponse(render(visit, template, **given), status_code=status)


def render(visit: Visit, template: str, /, **given: Any) -> str:
    """The text of a template."""
    done = visit.request.query_params.get("fait", "")
    shown = _environments()[visit.lang].get_template(template)
    return shown.render(
        visit=visit,
        request=visit.request,
        me=visit.known,
        csrf=visit.csrf,
        now=visit.now,
        today=today_of(visit.now),
        done=capital(command_word(done, visit.lang)) if done in COMMANDS else "",
        overlaps=done in COMMANDS and "double" in visit.request.query_params,
        simulated=clock.describe(visit.lang) if clock.simulated() else "",
        stopped=told(visit.stopped).in_(visit.lang) if visit.stopped is not None else "",
        association=visit.house.settings.association,
        pays_nobody=visit.house.settings.bank == "simulated",
        **given,
    )


def go(to: str, done: str | None = None, overlaps: bool = False) -> RedirectResponse:
    """To another page after a change; `done` is the command that was taken, told at the top of the next page, and
    whether it booked a time at which somebody is taken already."""
    if done is not None:
        to, hash_, anchor = to.partition("#")
        to += f"{'&' if '?' in to else '?'}fait={done}{'&double=1' if overlaps else ''}{hash_}{anchor}"
    return RedirectResponse(to, status_code=303)


def local_path(asked: str | None, otherwise: str = "/") -> str:
    """A path of this application, where a form says to go back; another host's is not one."""
    if asked is None or not asked.startswith("/") or asked.startswith(("//", "/\\")) or "\\" in asked:
        return otherwise
    return asked if asked.isprintable() else otherwise


def navigation(visit: Visit) -> list[tuple[str, str]]:
    """The screens that this visitor uses, in the order of a day."""
    say = visit.say
    screens = [("/", say("Aujourd'hui"), STAFF), ("/parcours", say("Parcours"), READERS),
               ("/accords", say("À valider"), DECIDING), ("/versements", say("Versements"), KEEPING),
               ("/alertes", say("Alertes"), READERS), ("/agenda", say("Rendez-vous"), READERS),
               ("/justificatifs", say("Justificatifs"), KEEPING)]  # fmt: skip
    return [(path, label) for path, label, policy in screens if visit.admitted(policy)]


def elsewhere(visit: Visit) -> list[tuple[str, str]]:
    """The pages at the foot of every page: looked at now and then."""
    say = visit.say
    pages = [("/sorties", say("Sorties à venir"), READERS), ("/programmes", say("Programmes"), READERS),
             ("/modeles", say("Modèles de messages"), STAFF), ("/courriers", say("Lettres à poster"), CASEWORK),
             ("/indicateurs", say("Indicateurs"), READERS), ("/versements", say("Versements"), READERS),
             ("/versements/fichiers", say("Fichiers de la banque"), ACCOUNT),
             ("/a-rapprocher", say("À rapprocher"), ACCOUNT),
             ("/equipe", say("Équipe et absences"), STAFF), ("/astreintes", say("Astreintes"), STAFF),
             ("/mentors", say("Mentors"), READERS),
             ("/partenaires", say("Partenaires"), READERS), ("/promotions", say("Promotions"), READERS),
             ("/fonds", say("Fonds"), BOOKS), ("/arret", say("Arrêt des versements"), STOPPING),
             ("/controle", say("Contrôle"), OVERSEEING),
             ("/controle/echeances", say("Échéances"), ANSWERING),
             ("/controle/aides", say("Qui a fait quoi"), ANSWERING),
             ("/controle/consultations", say("Consultations"), OVERSEEING),
             ("/controle/conservation", say("Conservation"), RETAINING),
             ("/messages-deposes", say("Messages déposés"), POSTING)]  # fmt: skip
    above = {path for path, _ in navigation(visit)}
    return [(path, label) for path, label, policy in pages if visit.admitted(policy) and path not in above]


def query(fields: Mapping[str, str], back: str) -> str:
    """Fields that are known already, for the address of a form."""
    return _query((*fields.items(), ("back", back)))


@lru_cache(maxsize=1024)
def _query(fields: tuple[tuple[str, str], ...]) -> str:
    """A list repeats them: most name what a programme calls for."""
    return urlencode(fields)


def _fresh_id() -> str:
    return uuid7(clock.now())


class _Told(NodeTransformer):
    """Texts without a place to fill are told as a template is compiled: each language has its own templates."""

    def __init__(self, lang: Lang) -> None:
        self._told = text(lang)

    def visit_Call(self, node: nodes.Call) -> nodes.Node:
        self.generic_visit(node)
        match node:
            case nodes.Call(
                node=nodes.Name(name="_"), args=[nodes.Const(value=str(french))], kwargs=[], dyn_args=None,
                dyn_kwargs=None,
            ):  # fmt: skip
                return nodes.Const(self._told(french), lineno=node.lineno)
        return node


class _Compiled(CodeGenerator):
    def visit_Template(self, node: nodes.Template, frame: Any = None) -> None:
        lang: Any = self.environment.globals["lang"]
        super().visit_Template(_Told(lang).visit(node), frame)

    def _output_child_pre(self, node: nodes.Expr, frame: Frame, finalize: Any) -> None:
        escapes = frame.eval_ctx.autoescape and not frame.eval_ctx.volatile
        self.write("environment.printed(") if escapes else super()._output_child_pre(node, frame, finalize)


class _Pages(Environment):
    code_generator_class = _Compiled

    @staticmethod
    def printed(value: Any) -> str:
        """A value as it stands in a page. A list prints a thousand: what is only joined need not be a Markup each."""
        return _escape_inner(value) if type(value) is str else str(escape(value))


@cache
def _environments() -> Mapping[Lang, Environment]:
    return {lang: _environment(lang) for lang in LANGUAGES}


def _environment(lang: Lang) -> Environment:
    made = _Pages(
        loader=FileSystemLoader(TEMPLATES), autoescape=select_autoescape(default=True), undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True, auto_reload=False, extensions=["jinja2.ext.do"],
    )  # fmt: skip
    made.globals.update(_=_saying(lang), n=_counting(lang), lang=lang, navigation=navigation, elsewhere=elsewhere,
                        query=query, labels=lambda inputs: {each.name: each.label for each in inputs},
                        fresh_id=_fresh_id)  # fmt: skip
    made.filters.update(
        day=lambda day, weekday=False: format_date(_day(day), lang, weekday=weekday),
        short_day=lambda day: _short(_day(day), lang),
        instant=lambda at, weekday=False, zone=ZONE: format_instant(at, lang, zone, weekday=weekday),
        hour=lambda at: format_time(at, lang, ZONE),
        money=lambda cents: format_money(cents, lang),
        size=lambda octets: format_size(octets, lang),
        capital=capital,
        said=lambda said: text(lang)(said.in_(lang)),
        spoken=lambda code: spoken(code, lang),
        command_word=lambda name: command_word(name, lang),
        role=lambda code, programme=None: role_label(code, lang, programme),
        label=lambda code, programme: label(code, lang, programme),
        moment=lambda when, book: moment_words(parse_moment(when), book, lang),
        short_id=short,
        grouped=grouped,
        gone=lambda year: gone_said(year, lang),
    )
    return made


def _saying(lang: Lang) -> Callable[..., str]:
    told = text(lang)

    def say(french: str, **fields: object) -> str:
        return told(french).format(**fields) if fields else told(french)

    return say


def _counting(lang: Lang) -> Callable[..., str]:
    def count(one: str, many: str, number: int, **fields: object) -> str:
        return ngettext(lang, one, many, number).format(count=number, **fields)

    return count


def _day(value: date | datetime) -> date:
    return value.astimezone(ZONE).date() if isinstance(value, datetime) else value


def _short(day: date, lang: Lang) -> str:
    """`12/05/2027`, `12 May 2027`."""
    return format_date(day, lang) if lang == "en" else f"{day:%d/%m/%Y}"
