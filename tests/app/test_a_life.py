"""By hand, as a new user would: staff, a journey, commands, money, the person's own choices, files, the audit."""

import asyncio
import os
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from journeys.store import people
from journeys.store.database import open_pool
from journeys.store.directory import By

from .conftest import Journeys, Said, Up

IBAN = "FR7630006000011234567890189"


def test_a_journey_by_hand(here: Journeys, started: Callable[..., str]) -> None:
    id = started()
    shown = here("show", id)
    assert shown.code == 0 and "plan de sortie signé" in shown.out and "à faire" in shown.out
    assert "attend la date" in shown.out
    assert here("do", id, "reach-milestone", "--milestone", "Suite de la formation prévue", "--as", "aline").code == 0
    done = here("do", id[:13], "add-note", "--text", "Bien arrivé.\nÀ revoir.", "--as", "aline", "--json")
    assert done.journey["id"] == id and done.json["command"]["outcome"] == "accepted"
    assert "Bien arrivé." in here("audit", "narrate", id).out
    assert here("next", id, "--json").json["next"]
    assert id in [row["id"] for row in here("list", "--referent", "aline", "--json").json["journeys"]]
    held = {each["name"]: each for each in here("rules", "list", "--journey", id, "--json").json["rules"]}
    assert held["job-centre"]["url"].startswith("https://") and not held["job-centre"]["changed"]
    assert "France Travail" in here("rules", "list", "--journey", id).out
    assert here("audit", "show", id, "--as-of", "2099-01-01").code == 0
    assert here("audit", "show", id, "--known-at", "2001-01-01").code == 3
    assert here("audit", "replay", id).code == 0
    verified = here("audit", "verify", id, "--strict", "--json")
    assert verified.code == 0 and verified.json["holds"] is True


def test_a_grant_is_seen_before_it_is_approved(here: Journeys, started: Callable[..., str]) -> None:
    id = started()
    asked = [
        "--grant",
        "bourse",
        "--purpose",
        "training",
        "--amount",
        "600,50",
        "--payee",
        "École",
        "--iban",
        "fr76 3000 6000 0112 3456 7890 189",
        "--as",
        "aline",
    ]
    assert here("do", id, "request-grant", *asked).code == 0
    (waiting,) = [each for each in here("approvals", "--json").json["approvals"] if each["journey"] == id]
    assert (waiting["amount"], waiting["payee"], waiting["iban"], waiting["needed"]) == (
        60050, "École", IBAN, ["supervisor", "finance"],
    )  # fmt: skip
    assert [item["journey"] for item in here("today", "--as", "sam", "--json").json["today"]].count(id) == 1
    assert id in [item["journey"] for item in here("today", "--as", "aline", "--json").json["others"]]
    shown = here("approvals", "--team", "finance").out
    assert waiting["digest"] in shown and "1 mois après" in shown
    stale = here("do", id, "approve-grant", "--digest", "0" * 64, "--as", "sam", "--json")
    assert (stale.code, stale.error["code"]) == (4, "digest-changed")
    first = here("do", id, "approve-grant", "--as", "sam")
    assert first.code == 0 and "600,50" in first.err and "École, FR76 3000 6000 0112 3456 7890 189" in first.err
    assert here("do", id, "approve-grant", "--as", "fin").code == 0
    assert [each for each in here("approvals", "--json").json["approvals"] if each["journey"] == id] == []
    assert here("audit", "verify", id, "--strict").code == 0


def test_name_and_iban_change_together_and_the_approver_sees_it(here: Journeys, started: Callable[..., str]) -> None:
    id, other = started(), "FR7630004000031234567890143"
    asked = ["--grant", "bourse", "--purpose", "training", "--amount", "100", "--payee", "École", "--iban", IBAN]
    assert here("do", id, "request-grant", *asked, "--as", "aline").code == 0
    seq = here("show", id, "--json").journey["seq"]
    for half, field in ((["--iban", other], "--payee"), (["--payee", "Autre école"], "--iban")):
        said = here("do", id, "change-grant", *half, "--as", "aline", "--json")
        assert (said.code, said.error["field"]) == (2, field)
    assert here("show", id, "--json").journey["seq"] == seq
    both = ["--payee", "Autre école", "--iban", other, "--as", "aline"]
    assert here("do", id, "change-grant", *both).code == 0
    (waiting,) = [each for each in here("approvals", "--json").json["approvals"] if each["journey"] == id]
    assert (waiting["payee"], waiting["iban"], waiting["payee_changed_by"]) == ("Autre école", other, "Aline R.")
    assert waiting["payee_changed_at"] < waiting["pay_from"]
    shown = here("approvals").out
    assert "Autre école, FR76 3000 4000 0312 3456 7890 143" in shown and "par Aline" in shown
    assert "rien n’est versé avant le" in shown or "rien n’est versé avant le" in shown


def test_nobody_approves_their_own_request(here: Journeys, started: Callable[..., str]) -> None:
    id = started()
    asked = [
        "--grant",
        "bourse",
        "--purpose",
        "training",
        "--amount",
        "100",
        "--payee",
        "x",
        "--iban",
        IBAN,
        "--as",
        "sam",
    ]
    assert here("do", id, "request-grant", *asked).code == 0
    said = here("do", id, "approve-grant", "--as", "sam", "--json")
    assert (said.code, said.error["code"]) == (4, "self-approval")
    assert "CommandRefused" not in said.out and here("show", id, "--json").journey["seq"] > 0


def test_a_place_is_noted_as_it_can_be_said_to_anybody(here: Journeys, started: Callable[..., str]) -> None:
    words = ["do", started(), "book-appointment", "--at", "2099-05-12 14:30", "--as", "aline", "--json"]
    said = here(*words, "--place", "Tribunal judiciaire, 2 cours Mirabeau")
    assert (said.code, said.error["code"], said.error["field"]) == (2, "not-neutral", "--place")
    assert "Tribunal" in said.error["message"] and "adresse seule" in said.error["remedy"]
    assert here(*words, "--place", "12 place de la Libération").code == 0


def test_the_same_command_again_has_one_effect_and_the_same_answer(here: Journeys, started: Callable[..., str]) -> None:
    id = started()
    words = ["do", id, "book-appointment", "--at", "2099-05-12 14:30", "--or-at", "2099-05-13 9:00, 14/05/2099 10h30",
             "--place", "Au local", "--as", "aline", "--json"]  # fmt: skip
    first = here(*words).json["command"]
    seq = here("show", id, "--json").journey["seq"]
    again = here(*words, "--command-id", first["command"])
    assert again.code == 0 and again.json["command"] == first
    assert here("show", id, "--json").journey["seq"] == seq
    words[words.index("2099-05-12 14:30")] = "2099-05-13 14:30"
    other = here(*words, "--command-id", first["command"])
    assert (other.code, other.error["code"]) == (5, "id-used")
    closed = here("do", id, "close-appointment", "--outcome", "cancelled", "--as", "aline", "--json").json["command"]
    twice = here(
        "do",
        id,
        "close-appointment",
        "--outcome",
        "cancelled",
        "--as",
        "aline",
        "--command-id",
        closed["command"],
        "--json",
    )
    assert twice.code == 0 and twice.json["command"] == closed


def test_a_refused_command_is_answered_alike_again(here: Journeys, started: Callable[..., str]) -> None:
    id = started()
    refused = here("do", id, "resume", "--as", "aline", "--json")
    assert (refused.code, refused.error["code"]) == (4, "not-suspended")
    seq = here("show", id, "--json").journey["seq"]
    again = here("do", id, "resume", "--as", "aline", "--command-id", refused.error["command"], "--json")
    assert (again.code, again.error["code"]) == (4, "not-suspended")
    assert here("show", id, "--json").journey["seq"] == seq


def test_a_look_at_whoever_has_no_journey_leaves_a_line_too(here: Journeys, up: Up) -> None:
    person = str(uuid.uuid4())

    async def register() -> None:
        pool = await open_pool(str(up.found["database_url"]), largest=1)
        by = By(actor="system", role="system", at=datetime.now(UTC))
        await people.register(pool, person, people.Details(first_name="Sans", last_name="Parcours"), by)
        await pool.close()

    asyncio.run(register())
    assert here("person", "show", person).code == 0
    (look,) = here("audit", "reads", "--limit", "1", "--json").json["reads"]
    assert (look["journey"], look["look"], look["entry"]) == (None, "details", "cli")
    assert "aucun" in here("audit", "reads", "--limit", "1").out


def test_what_the_person_wants_reaches_each_of_their_journeys(here: Journeys, started: Callable[..., str]) -> None:
    name = f"Deux Fois{os.urandom(3).hex()}"
    reference = f"D-{os.urandom(3).hex()}"
    first = here("start", "-p", "auxilia", "--person", name, "--reference", reference, "--release", "2099-05-12",
                 "--referent", "aline", "--json").journey["id"]  # fmt: skip
    second = here("start", "-p", "exemple-trois-lignes", "--person", name, "--reference", reference,
                  "--referent", "bob", "--json").journey["id"]  # fmt: skip
    done = here("do", first, "opt-out", "--as", "aline", "--json")
    assert done.code == 0
    states = {id: here("show", id, "--json").journey["state"] for id in (first, second)}
    assert all(state["opted_out"] for state in states.values())
    person = here("person", "show", reference, "--json").json["person"]
    assert person["opted_out"] is True
    for id in (first, second):
        (look,) = here("audit", "reads", "--journey", id, "--limit", "1", "--json").json["reads"]
        assert (look["journey"], look["look"], look["entry"]) == (id, "details", "cli")
    seqs = {id: state["seq"] for id, state in states.items()}
    stranger = here("do", first, "opt-in", "--as", "fin", "--json")
    assert (stranger.code, stranger.error["code"]) == (4, "no-right")
    assert here("person", "show", reference, "--json").json["person"]["opted_out"] is True
    assert here("show", second, "--json").journey["seq"] == seqs[second]
    assert here("audit", "verify", second, "--strict").code == 0


def test_a_third_programme_by_path_then_by_name(here: Journeys, started: Callable[..., str], tmp_path: Path) -> None:
    name = f"essai-{os.urandom(3).hex()}"
    file = tmp_path / "mine.yaml"
    file.write_text(
        f"programme: {name}\nlabel: Essai\nmilestones: {{visit: {{label: Visite, due: 3 weeks after start}}}}\n"
    )
    assert started(programme=str(file))
    assert started(programme=name)
    assert "Visite" in here("programme", "show", name).out
    assert here("programme", "publish", str(file)).code == 0


def test_a_file_of_people_twice(here: Journeys, tmp_path: Path) -> None:
    token = os.urandom(3).hex()
    file = tmp_path / "people.csv"
    file.write_bytes(
        b"\xef\xbb\xbf"
        + (
            "Prénom;Nom;Date de naissance;Référence;Sortie;Référent\r\n"
            f"Éloïse;Un{token};02/04/1999;{token}-1;12/05/2099;aline\r\n"
            f"Karim;Deux{token};31/02/1999;;12/05/2099;aline\r\n"
            f"Élo\u00efse;UN{token};1999-04-02;;12/05/2099;aline\r\n"
            f"Zoé;Trois{token};1999-01-01;{token}-3;12/05/2001;aline\r\n"
            f"Ana;Quatre{token};;{token}-4;12/05/2099;alin\r\n"
            f'"Paul";"Cinq{token}";;{token}-5;;bob\r\n'
            f"Luc;Six{token};2000-01-01;;12/05/2099;bob\r\n"
        ).encode()
    )
    before = len(here("list", "--json").json["journeys"])
    words = ["start", "--programme", "auxilia", "--file", str(file), "--json"]
    first = here(*words)
    assert first.code == 1
    outcomes = [(row["line"], row["outcome"]) for row in first.json["rows"]]
    assert outcomes == [
        (2, "started"),
        (3, "failed"),
        (4, "duplicate"),
        (5, "refused"),
        (6, "failed"),
        (7, "refused"),
        (8, "started"),
    ]
    assert first.json["rows"][1]["error"]["field"] == "date de naissance"
    assert len(first.json["journeys"]) == first.json["started"] == 2
    again = here(*words)
    assert again.code == 1 and again.json["started"] == 0
    assert [row["outcome"] for row in again.json["rows"]].count("duplicate") == 3
    assert len(here("list", "--json").json["journeys"]) == before + 2
    shown = here(*words[:-1])
    assert f"Karim Deux{token}" in shown.out and "n’existe pas" in shown.out


def test_directories(here: Journeys) -> None:
    token = os.urandom(3).hex()
    assert here("mentor", "add", f"Mentor {token}", "--capacity", "2", "--email", "m@example.org").code == 0
    assert here("mentor", "change", token, "--unavailable", "--json").json["mentor"]["available"] is False
    assert here("partner", "add", f"Foyer {token}", "--kind", "housing").code == 0
    assert here("partner", "leave", token).code == 0
    assert f"Foyer {token}" in here("partner", "list").out
    assert here("staff", "add", f"h{token}", "--name", "Un Nom", "--role", "referent", "--role", "finance").code == 0
    assert here("staff", "add", f"h{token}", "--name", "Autre").code == 5
    led = here("staff", "add", f"l{token}", "--name", "Une Autre", "--role", "job-adviser")
    assert led.code == 0 and "chargé d’orientation et d’intégration" in led.out, led.out
    assert here("staff", "role", f"h{token}", "finance", "--take", "--json").json["staff"]["roles"] == ["referent"]
    assert here("staff", "role", f"h{token}", "finace", "--json").error["field"] == "--role"
    bound = here("staff", "role", f"h{token}", "finance", "--fund", "parvis-solidaire", "--site", "lyon", "--json").json
    assert (bound["staff"]["funds"], bound["staff"]["sites"]) == (["parvis-solidaire"], ["lyon"])
    assert here("staff", "role", f"h{token}", "finance", "--fund", "parvis", "--json").error["field"] == "--fund"
    assert here("staff", "role", f"h{token}", "finance", "--fund", "parvis-solidaire", "--every-fund").code == 2
    freed = here("staff", "change", f"h{token}", "--every-fund", "--every-site", "--json").json["staff"]
    assert (freed["funds"], freed["sites"]) == ([], [])
    assert here("staff", "role", f"h{token}", "finance", "--take").code == 0
    absence = ["staff", "absence", f"h{token}", "--from", "2099-01-02"]
    assert here(*absence, "--to", "2099-01-05", "--deputy", "bob").code == 0
    assert here(*absence, "--to", "2099-01-01").code == 2
    assert here(*absence, "--deputy", f"h{token}").code == 2
    assert "02/01/2099" in here("staff", "list").out
    assert here(*absence, "--drop").code == 0
    rota = ["rota", "add", f"h{token}", "--from", "2099-01-05", "--hours", "20:00-08:00"]
    for field, typed in (("--to", "2099-01-04"), ("--role", "finance"), ("--phone", "12"), ("--hours", "20-25")):
        assert here(*rota, field, typed, "--json").error["field"] == field
    assert len(here(*rota, "--to", "2099-01-07", "--phone", "0612345678", "--json").json["shifts"]) == 3
    kept = here("rota", "list", "--week", "2099-01-06", "--json").json["shifts"]
    assert [each["from"][:10] for each in kept] == ["2099-01-05", "2099-01-06", "2099-01-07"] and kept[0]["phone"]
    assert "0612345678" in here("rota", "list", "--week", "2099-01-06").out
    assert here("rota", "drop", kept[0]["id"]).code == 0 and here("rota", "drop", kept[0]["id"]).code == 3
    assert here("rota", "end", "--json").error["code"] == "rota-planned"
    assert here("rota", "end", "--site", "nowhere", "--json").error["code"] == "no-rota"
    over, site = (datetime.now(UTC) - timedelta(days=3)).date().isoformat(), f"s{token}"
    assert here("rota", "add", f"h{token}", "--from", over, "--hours", "8-12", "--site", site).code == 0
    assert site in [each["site"] for each in here("rota", "list", "--json").json["gaps"]]
    assert here("rota", "end", "--site", site, "--json").json["ended"] == {"role": "duty", "site": site}
    assert site not in [each["site"] for each in here("rota", "list", "--json").json["gaps"]]
    assert here("rota", "end", "--site", site, "--json").error["code"] == "no-rota"
    assert here("staff", "change", f"h{token}", "--left").code == 0
    assert here("today", "--as", f"h{token}").code == 4
    assert here("fund", "top-up", "parvis-solidaire", "10,50").code == 0
    assert here("fund", "open", "parvis-solidaire").code == 5
    assert here("fund", "top-up", "none", "10").code == 3


def test_a_mentor_and_a_referral(here: Journeys, started: Callable[..., str]) -> None:
    token = os.urandom(3).hex()
    mentor = here("mentor", "add", f"Mentor {token}", "--json").json["mentor"]["id"]
    here("partner", "add", f"Partenaire {token}", "--kind", "housing")
    id = started()
    assert here("do", id, "propose-mentor", "--mentor", f"mentor {token}", "--as", "aline").code == 0
    assert here("do", id, "match-mentor", "--as", mentor).code == 0
    assert f"Mentor {token}" in here("show", id).out
    assert (
        here("do", id, "give-consent", "--partner", f"Partenaire {token}", "--purpose", "housing", "--as", "aline").code
        == 0
    )
    assert (
        here(
            "do",
            id,
            "send-referral",
            "--partner",
            token,
            "--purpose",
            "housing",
            "--letter",
            "Bonjour",
            "--as",
            "aline",
        ).code
        == 0
    )
    assert here("do", id, "accept-referral", "--as", "aline").code == 0
    assert here("do", id, "transfer", "--to", "bob", "--as", "aline").code == 0
    assert id in [item["journey"] for item in here("today", "--as", "bob", "--json").json["today"]]
    assert here("do", id, "accept-transfer", "--as", "bob", "--json").journey["referent"] != mentor
    assert here("audit", "verify", id, "--strict").code == 0


def test_up_prints_where_things_are(up: Up, process: Callable[..., Said]) -> None:
    assert up.found["up"] is True and up.found["data_dir"] == str(up.data_dir)
    second = process("up", "--json", JOURNEYS_DATA_DIR=str(up.data_dir))
    assert second.code == 5 and second.error["code"] == "already_running"
    assert str(up.process.pid) in second.error["message"]
