"""Whatever people write comes out as they wrote it: never a command of the typesetter, never lost, never a refusal."""

import unicodedata
from dataclasses import replace

import pytest
import typst

from journeys.documents import Fact, Summary, render
from journeys.documents.summary import Day, Line
from journeys.documents.typesetting import typeset
from journeys.documents.verbatim import SHOWN, Care, one_line, paragraphs, prepared, right_to_left, runs
from tests.audit.lives import NAMES, PERSON, whole_life
from tests.documents.papers import AT, flat, letter, read, receipt, story_of, summary_of, tags, text_of

MARKUP = [
    "#panic()",
    "#read(\"/etc/passwd\")", "#import \"@preview/x:1.0.0\": *", "$ sum_(i=0)^n $", "*gras* _italique_ `code`",
    "= Titre", "- liste", "+ un", "/ a: b", "// commentaire", "/* a */", "<label> @label", "\\u{1F600} \\ \\\\ \\#",
    "~ -- --- ... -?",
    "https://example.org/?a=1&b=2", "\"guillemets\" 'simples'", "]) #let x = [", "{{ jinja }} %s {0}",
    "</w:t><script>alert(1)</script>", "sys.inputs", "'; DROP TABLE events;--", "\\input{x} %comment", "100 % à 5 €",
]  # fmt: skip


@pytest.mark.parametrize("said", MARKUP)
def test_markup_is_only_text(said: str) -> None:
    for paper in (
        letter(subject=said, paragraphs=(said,), recipient=said),
        receipt(facts=(Fact(said, said),), statement=said),
    ):
        made = render(paper, "fr", AT)
        assert "".join(text_of(made).split()).count("".join(said.split())) >= 3
    found = read(render(letter(subject=said), "fr", AT)).metadata
    assert found is not None and found.title == said


def test_markup_makes_no_structure() -> None:
    plain, hostile = (tags(render(letter(paragraphs=(said,)), "fr", AT)) for said in ("a", "= b"))
    assert plain == hostile


def test_every_text_of_a_summary_is_only_text() -> None:
    life, said = whole_life(), "#panic() $x$ *b* \\"
    life.texts = dict.fromkeys(life.texts, said)
    names = {id: f"{said} {name}" for id, name in NAMES.items()}
    text = flat(text_of(render(summary_of(life, notes=True, names=names), "fr", AT)))
    assert text.count(said) > 20
    assert f"{said} {NAMES[PERSON]}" in text
    assert story_of(life, "fr").days


# --- what no font shows


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("joie 😀 fin", "joie [U+1F600] fin"),
        ("👨‍👩‍👧", "[U+1F468 U+200D U+1F469 U+200D U+1F467]"),
        ("❤️", "❤"),
        ("你好", "[U+4F60 U+597D]"),
        ("a\x00b\x07c\x1b[31m", "a[U+0000]b[U+0007]c[U+001B][31m"),
        ("\ud800", "[U+D800]"),
        ("payer \u202e005 EUR", "payer [U+202E]005 EUR"),
        ("\ufffe\uffff", "[U+FFFE U+FFFF]"),
        ("\ue000\U0010ffff", "[U+E000 U+10FFFF]"),
        ("\ufeffx", "[U+FEFF]x"),
        ("a\tb", "a    b"),
        ("a\r\nb\u2028c\x0bd", "a\nb\nc\nd"),
        ("Nguyễn Đặng İşğ Łódź", "Nguyễn Đặng İşğ Łódź"),
        ("Ελλάδα Україна ქართული", "Ελλάδα Україна ქართული"),
        ("☐ ☑ → • № ½ x² H₂O", "☐ ☑ → • № ½ x² H₂O"),
        ("e\u0301", "e\u0301"),
    ],
)
def test_a_character_is_itself_or_its_number(said: str, told: str) -> None:
    bare = told.replace("\ufe0f", "")
    text = text_of(render(letter(paragraphs=(said,)), "fr", AT)).replace("\ufe0f", "")
    assert unicodedata.normalize("NFC", bare) in unicodedata.normalize("NFC", text)


def test_right_to_left() -> None:
    """Letters of Hebrew and Arabic are all there, in a paragraph of their own direction."""
    for said in ("שלום עולם", "مرحبا بالعالم"):
        text = text_of(render(letter(paragraphs=(said,), recipient=said), "fr", AT))
        assert all(sign in text for sign in said)
        assert right_to_left(said) and right_to_left("« " + said) and not right_to_left("Bonjour " + said)


def test_marks_that_no_font_joins_are_shown_as_numbers() -> None:
    """A mark of one script on a letter of another: refused by the typesetter at first, then told with less."""
    said = "a\u0e34\u094d\u0489\u20dd ب\u0301\u0489 z" + "\u0300\u0489\u0323\u20dd" * 40
    text = text_of(render(letter(paragraphs=(said,)), "fr", AT))
    assert "U+0E34" in text or "\u0e34" in text
    assert render(letter(paragraphs=("x\u200d\u0e34" * 50, "\u200d" * 100)), "fr", AT)


def test_each_care_shows_less() -> None:
    said = "é e\u0301 ب ☐"
    assert runs(said, Care.FULL) == [said]
    assert runs(said, Care.UNCOMBINED) == ["é e", ["[U+0301]"], " ب ☐"]
    assert runs(said, Care.LATIN) == ["é e", ["[U+0301]"], " ", ["[U+0628]"], " ", ["[U+2610]"]]
    assert all(Care.UNCOMBINED.shows(sign) for sign in map(chr, range(0x10000)) if Care.LATIN.shows(sign))


ALL_SHOWN = sorted(SHOWN)


@pytest.mark.parametrize("style", ["", "#set text(weight: 600)\n", "#set text(weight: 700)\n"], ids=["", "600", "700"])
def test_the_fonts_of_the_typesetter_show_what_we_say_they_show(style: str) -> None:
    """If this fails after an update of typst, its fonts changed: take out of `verbatim.py` what they lost."""
    layout = style + (
        '#set document(title: "t")\n#set text(font: ("Libertinus Serif", "New Computer Modern", "DejaVu Sans Mono"))\n'
        "#title()\n#for each in json(bytes(sys.inputs.sheet)).signs { text(each); parbreak() }"
    )
    assert len(ALL_SHOWN) > 7000
    assert typeset(layout.encode(), "", "t", {"signs": ALL_SHOWN}, "fr", AT)


@pytest.mark.parametrize("sign", ["😀", "你", "\x07", "\U0001f1eb"])
def test_the_typesetter_would_refuse_the_others(sign: str) -> None:
    compiler = typst.Compiler(
        f'#set document(title: "t")\n#title()\n{sign}'.encode(),
        font_paths=typst.Fonts(include_system_fonts=False), ignore_system_fonts=True,
    )  # fmt: skip
    with pytest.raises(typst.TypstError, match="could not be displayed"):
        compiler.compile(format="pdf", pdf_standards=["ua-1"], timestamp=0)


# --- length


@pytest.mark.parametrize("said", ["mot ", "x", "#$\\"])
def test_twenty_thousand_characters(said: str) -> None:
    whole = said * (20_000 // len(said))
    made = render(letter(paragraphs=(whole,), subject="S" + whole[:2000]), "fr", AT)
    assert "".join(text_of(made).split()).count(said[0]) >= 22_000 // len(said)
    assert_within_pages(made)


def test_twenty_thousand_characters_of_any_kind() -> None:
    for said in ("a\n" * 10_000, "e\u0301" * 10_000, "ب" * 20_000):
        assert render(letter(paragraphs=(said,)), "fr", AT)
    assert "".join(said[0] for said in runs("😀" * 20_000) if isinstance(said, list)).count("U+1F600") == 20_000
    assert render(letter(paragraphs=("😀" * 20_000,)), "fr", AT)


def test_a_word_without_end_stays_on_the_paper_everywhere() -> None:
    word = "https://example.org/" + "a" * 500
    assert_within_pages(
        render(receipt(title=word, facts=(Fact(word, word),), recorded_by=word, reference=word), "fr", AT)
    )
    life = whole_life()
    summary = summary_of(life, names={PERSON: word, **dict.fromkeys(NAMES, word)})
    made = render(summary, "fr", AT)
    assert_within_pages(made)
    assert word in "".join(text_of(made).split())


def assert_within_pages(made: bytes) -> None:
    """No text is drawn to begin beyond the margins of its page."""
    outside: list[tuple[float, float]] = []
    for page in read(made).pages:

        def visit(text: str, cm: list[float], tm: list[float], font: object, size: object) -> None:
            x, y = tm[4] * cm[0] + cm[4], tm[5] * cm[3] + cm[5]
            if text.strip() and not (0 <= x <= 595 - 40 and 0 <= y <= 842):
                outside.append((x, y))

        page.extract_text(visitor_text=visit)
    assert outside == []


def test_runs() -> None:
    assert runs("") == []
    assert runs("a  b") == ["a  b"]
    assert runs("x" * 40) == ["x" * 8, 0, "x" * 8, 0, "x" * 8, 0, "x" * 8, 0, "x" * 8]
    assert "".join(run for run in runs("é" * 99 + " fin") if isinstance(run, str)) == "é" * 99 + " fin"
    assert prepared({"a": ["b", True, 3, None]}) == {"a": [["b"], True, 3, None]}
    assert paragraphs("\na\nb\n\n\n c\r\n\r\nd\n") == ["a\nb", "c", "d"]
    assert one_line(" a\n\x00 b ") == "a [U+0000] b"


def test_days_and_lines_take_any_text() -> None:
    said = "#panic() 😀 \x00"
    day = Day(said, (Line(said, said, (said, said)),))
    text = flat(text_of(render(_with(day), "fr", AT)))
    assert text.count("#panic() [U+1F600] [U+0000]") >= 4


def _with(day: Day) -> Summary:
    return replace(summary_of(whole_life()), days=(day,))
