"""Nobody gives themselves sight, tried through the pages: refused, nobody is told a code, and never without a proof."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from sqlalchemy import select

from engine.store import tables as t
from engine.store.simulation import seed
from tests.cast import Cast, hidden
from tests.pages import PASSWORD
from web.account.powers import POWERS

LATER = dt.timedelta(minutes=11)  # a proof holds ten
CODE = re.compile(r"\d{4} \d{4} \d{4}")

# What changes something, and nothing about what anybody may do. A new route stands here, or in
# `web.account.powers.POWERS`.
NO_POWERS = {
    # The way in, each with its own proof; a new password wants the old one, or a proof by passkey or code.
    "signin.sign_in",
    "signin.sign_out",
    "signin.password",
    "signin.end_device",
    "passkeys.ask",
    "passkeys.sign_in",
    "codes.sign_in",
    "stepup.proved",
    "stepup.ask",
    "languages.choose",
    # Cases and pupils: whoever may do it has the duty already (`engine.core.people.access`); assigned to whoever
    # answers for it.
    "bulk.accept_from_work",
    "bulk.accept_from_list",
    "bulk.assign_from_work",
    "bulk.assign_from_list",
    "bulk.assign",
    "bulk.urge",
    "proposals.take_up",
    "proposals.dismiss",
    "cases.open_case",
    "case.do",
    "companions.take_off",
    "corrections.correct",
    "corrections.withdraw",
    "corrections.undo",
    "corrections.decide",
    "difficulties.decide",
    "rollcall.send",
    "gifts.log",
    "funds.enter",
    "funds.agree",
    "funds.reverse",
    "imports.submit",
    "imports.confirm",
    "imports.cancel",
    "channels.urge",
    "closures.announce",
    "closures.lift",
    "closures.change",
    # One's own desk, and how the installation works.
    "saved.keep",
    "saved.change",
    "notices.read",
    "channels.trial",
    "channels.allow",
    "channels.forbid",
    "channels.retry",
    "welcome.put_away",
    "demo.next_day",
    "simulate.run",
    "risk.choose",
    "risk.choose_for",
    "risk.trial",
}


def changing(cast: Cast) -> dict[str, str]:
    """Every endpoint that takes more than a look, and its rule."""
    looks = {"GET", "HEAD", "OPTIONS"}
    return {rule.endpoint: rule.rule for rule in cast.site.app.url_map.iter_rules() if (rule.methods or set()) - looks}


def test_every_route_that_changes_anything_changes_powers_or_is_known_not_to(cast: Cast) -> None:
    assert changing(cast).keys() == POWERS.keys() | NO_POWERS
    assert not POWERS.keys() & NO_POWERS


# A form for each that changes powers: enough to want a proof.
FORMS = {"away.enter": {"delegate": "1", "last_day": "6/3/2026"}}


def test_whatever_changes_powers_asks_first_who_it_is_and_changes_nothing(cast: Cast) -> None:
    page = cast.get("admin", "/password")
    cast.site.clock.advance(LATER)
    before = stored(cast)
    for endpoint, rule in changing(cast).items():
        if endpoint not in POWERS or endpoint == "channels.choose":  # without channels there is no address
            continue
        address = re.sub(r"<[^>]*>", str(cast.installed.people["teacher"]), rule)
        answer = cast.browser("admin").post(address, data=hidden(page) | FORMS.get(endpoint, {}))
        assert (answer.status_code, "Có đúng vẫn là" in answer.text) == (403, True), endpoint
    assert stored(cast) == before


def stored(cast: Cast) -> list[list[str]]:
    tables = (t.Person, t.Appointment, t.Delegation, t.SignInCode, t.Passkey, t.StaffAct, t.Notice, t.ChannelChoice)
    with cast.store.reading("test") as session:
        return [sorted(map(repr, session.execute(select(*table.__table__.c)))) for table in tables]


def own_page(cast: Cast) -> str:
    return f"/admin/people/{cast.installed.people['admin']}"


def test_the_form_goes_on_with_the_proof(cast: Cast) -> None:
    page = f"/admin/people/{cast.installed.people['head']}"
    cast.get("admin", page)
    cast.site.clock.advance(LATER)
    form = {"role": "volunteer", "unit": str(cast.installed.units["association"]), "first_day": "2/3/2026"}
    asked = cast.send("admin", f"{page}/appoint", page, **form)
    assert asked.status_code == 403
    assert f'name="unit" value="{form["unit"]}"' in asked.text
    wrong = cast.send("admin", f"{page}/appoint", page, **form, proof_password="sai")
    assert wrong.status_code == 422
    done = cast.send("admin", f"{page}/appoint", page, **form, proof_password=PASSWORD)
    assert done.status_code == 303
    assert cast.viewer("head").holds("volunteer")


# --- the attack -------------------------------------------------------------------------------------------------------


def attacks(cast: Cast) -> dict[str, tuple[str, dict[str, str]]]:
    """Ways in which an administrator may try to see a class: an address and a form."""
    units, people, own = cast.installed.units, cast.installed.people, own_page(cast)
    teacher = f"/admin/people/{people['teacher']}"
    return {
        "a post": (f"{own}/appoint", {"role": "teacher", "unit": str(units["class"])}),
        "a post of the office": (f"{own}/appoint", {"role": "education_office", "unit": str(units["commune"])}),
        "standing in": (f"{teacher}/away", {"last_day": "6/3/2026", "delegate": "admin"}),
        "everything of a teacher": (f"{teacher}/hand-over", {"to": "admin"}),
        "a code": ("/admin/codes", {"login": "admin"}),
        "a password": (f"{own}/reset", {}),
    }


@pytest.mark.parametrize(
    "way", ["a post", "a post of the office", "standing in", "everything of a teacher", "a code", "a password"]
)
def test_an_administrator_who_gives_themselves_sight_is_refused_and_told_why(cast: Cast, way: str) -> None:
    code = cast.open_case()
    address, form = attacks(cast)[way]
    before = stored(cast)
    answer = cast.send("admin", address, own_page(cast), **form)
    assert answer.status_code == 403
    assert "hãy nhờ một quản trị viên khác" in answer.text or "hoặc nhờ một quản trị viên khác" in answer.text
    assert not CODE.search(answer.text)
    assert stored(cast) == before
    assert cast.get("admin", f"/cases/{code}").status_code == 403


def test_an_own_post_that_has_ended_is_not_taken_up_again(cast: Cast) -> None:
    me = cast.installed.people["admin"]
    with cast.store.writing("test") as session:
        ended = t.Appointment(
            person_id=me,
            role="teacher",
            unit_id=cast.installed.units["class"],
            valid_from=seed.ALWAYS,
            valid_to=dt.date(2026, 1, 5),
        )
        session.add(ended)
        session.flush()
        post = ended.id
    answer = cast.send("admin", f"{own_page(cast)}/end", own_page(cast), post=str(post), last_day="31/5/2026")
    assert answer.status_code == 422
    assert "Vị trí kết thúc vào ngày 04/01/2026" in answer.text
    assert not cast.viewer("admin").holds("teacher")


def test_a_merger_that_would_show_its_maker_other_pupils_is_refused(cast: Cast) -> None:
    with cast.store.writing("test") as session:
        seed.appoint(
            session, cast.installed.people["admin"], [("commune_leader", cast.installed.units["commune"])], seed.ALWAYS
        )
    form = {"on": "2/3/2026", "table": "", "moves": "outsider_village,commune"}
    before = stored(cast)
    tried = cast.send("admin", "/admin/mergers", **form)
    assert tried.status_code == 403
    assert "những học sinh mà hiện anh/chị không thấy" in tried.text
    assert stored(cast) == before


def test_the_pages_offer_nobody_what_they_may_not_do_for_themselves(cast: Cast) -> None:
    own, other = cast.get("admin", own_page(cast)).text, cast.get("admin", "/admin/people/1").text
    for offered in ("/appoint", "/reset", "/admin/codes?login"):
        assert (offered in own, offered in other) == (False, True), offered
    assert "không ai tự làm cho mình" in own


@pytest.mark.parametrize("way", ["end", "hand-over"])
def test_the_last_administrator_stays_by_whatever_button(cast: Cast, way: str) -> None:
    with cast.store.reading("test") as session:
        post = session.scalars(select(t.Appointment.id).where(t.Appointment.role == "admin")).one()
    before = stored(cast)
    form = {"post": str(post), "last_day": "31/5/2026"} if way == "end" else {"to": ""}
    answer = cast.send("admin", f"{own_page(cast)}/{way}", own_page(cast), **form)
    assert (answer.status_code, "sẽ không còn quản trị viên nào" in answer.text) == (403, True)
    assert stored(cast) == before


def test_one_who_was_made_an_administrator_does_not_end_the_last_other_and_themselves(cast: Cast) -> None:
    with cast.store.writing("test") as session:
        seed.appoint(session, cast.installed.people["head"], [("admin", cast.installed.units["root"])], seed.ALWAYS)
    page = own_page(cast)
    assert cast.send("head", f"{page}/disable", page).status_code == 303
    mine = f"/admin/people/{cast.installed.people['head']}"
    assert cast.send("head", f"{mine}/hand-over", mine, to="").status_code == 403
    assert cast.viewer("head").holds("admin")


# --- what stays as it was ---------------------------------------------------------------------------------------------


def test_being_away_with_nobody_standing_in_needs_no_proof_and_choosing_somebody_does(cast: Cast) -> None:
    cast.get("head", "/password")
    cast.site.clock.advance(LATER)
    assert cast.send("head", "/me/away", last_day="3/3/2026", delegate="").status_code == 303
    colleague = {"first_day": "5/3/2026", "last_day": "6/3/2026", "delegate": str(cast.installed.people["teacher"])}
    assert cast.send("head", "/me/away", **colleague).status_code == 403
    assert cast.send("head", "/me/away", **colleague, proof_password=PASSWORD).status_code == 303


# --- who is told ------------------------------------------------------------------------------------------------------


def test_the_person_and_the_office_read_who_did_what_and_no_pupil_is_named(cast: Cast) -> None:
    teacher = cast.installed.people["teacher"]
    assert cast.send("admin", "/admin/codes", login="teacher").status_code == 200
    form = {"role": "volunteer", "unit": str(cast.installed.units["association"])}
    cast.send("admin", f"/admin/people/{teacher}/appoint", f"/admin/people/{teacher}", **form)
    own, office = cast.get("teacher", "/notices").text, cast.get("education_office", "/notices").text
    assert "Có mã đăng nhập mới cho tài khoản của anh/chị" in own
    assert "Anh/chị được giao một vị trí" in own
    assert "do Quản trị Thử thực hiện" in own
    assert "Thay đổi tài khoản, vị trí: Tạo mã đăng nhập một lần" in office
    assert "Y Lan Thử (teacher) · Tình nguyện viên" in office
    assert f'href="/admin/people/{teacher}"' not in office
    assert "2 thông báo mới" in cast.get("teacher", "/work").text
    assert "Thay đổi" not in cast.get("outsider_education_office", "/notices").text
    listed = cast.get("teacher", "/notices.csv").text
    assert "Anh/chị được giao một vị trí" in listed
    page = hidden(cast.get("education_office", "/password"))
    cast.browser("education_office").post("/language", data=page | {"language": "en"})
    assert "A change of accounts and posts: Appointed to a post" in cast.get("education_office", "/notices").text


def test_a_notice_about_an_account_is_marked_read_as_any(cast: Cast) -> None:
    cast.send("admin", "/admin/codes", login="teacher")
    with cast.store.reading("test") as session:
        ids = list(session.scalars(select(t.Notice.id).where(t.Notice.person_id == cast.installed.people["teacher"])))
    cast.send("teacher", "/notices/read", "/notices", notice=[str(id) for id in ids])
    assert "thông báo mới" not in cast.get("teacher", "/work").text


def test_a_new_password_of_ones_own_is_told_to_oneself(cast: Cast) -> None:
    new = "mưa rừng gánh củi"
    assert cast.send("teacher", "/password", old=PASSWORD, new=new, again=new).status_code == 303
    assert "Mật khẩu của anh/chị đã được đổi" in cast.get("teacher", "/notices").text
    assert "Đổi mật khẩu" in cast.get("admin", f"/admin/people/{cast.installed.people['teacher']}").text


def test_an_act_on_the_command_line_names_who_sat_there(cast: Cast) -> None:
    from engine.usecases.people import signin_codes

    signin_codes.make(cast.store, "teacher", "root (hanh)", dt.timedelta(hours=1), cast.now)
    shown = "trên máy chủ, bằng lệnh: root (hanh)"
    assert shown in cast.get("teacher", "/notices").text
    assert shown in cast.get("admin", f"/admin/people/{cast.installed.people['teacher']}").text
