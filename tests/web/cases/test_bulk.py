"""Several cases at once: given to one person, accepted, urged on; each by itself, once, and one stays on the list."""

import html
import re

import pytest
from werkzeug.test import TestResponse

from tests.cast import Cast, hidden


def chosen(cast: Cast, *codes: str) -> list[str]:
    """Cases as the boxes on a list name them."""
    return [f"{code}:{cast.case(code).version}" for code in codes]


def person_page(cast: Cast, member: str, *cases: str, back: str = "/work") -> TestResponse:
    """The page that asks whom to give the cases to."""
    path = back.partition("?")[0]
    return cast.send(member, back.replace(path, f"{path}/assign"), back, case=list(cases))


def confirm(cast: Cast, member: str, page: TestResponse, person: object) -> TestResponse:
    """Send that page as a browser does."""
    cases, back = (re.findall(rf'name="{name}" value="([^"]+)"', page.text) for name in ("case", "back"))
    form = {**hidden(page), "case": cases, "back": html.unescape(back[0]), "person": person}
    return cast.browser(member).post("/assign", data=form)


def told(cast: Cast, member: str, address: str) -> str:
    return html.unescape(cast.get(member, address).text)


def test_a_leader_gives_the_chosen_cases_to_an_officer_and_stays_on_the_list(cast: Cast) -> None:
    codes, officer = [cast.to_commune("pupil"), cast.to_commune("classmate")], cast.installed.people["commune_officer"]
    page = person_page(cast, "commune_leader", *chosen(cast, *codes), back="/cases?which=all")
    assert page.status_code == 200
    for words in ("Phân công 2 hồ sơ", "A Thử", "Y Thử", "A Bút Thử – Cán bộ, công chức xã phụ trách"):
        assert words in page.text
    assert "A Núi Thử" not in page.text
    answer = confirm(cast, "commune_leader", page, officer)
    assert (answer.status_code, answer.location) == (303, "/cases?which=all")
    assert f"Đã phân công: {', '.join(codes)}." in told(cast, "commune_leader", answer.location)
    assert {cast.case(code).assignee_id for code in codes} == {officer}


def test_sent_twice_each_case_is_assigned_once(cast: Cast) -> None:
    code = cast.to_commune()
    page = person_page(cast, "commune_leader", *chosen(cast, code))
    for _twice in range(2):
        confirm(cast, "commune_leader", page, cast.installed.people["commune_officer"])
    assert cast.case(code).version == 3  # opened, asked, assigned


def test_a_case_that_changed_meanwhile_is_refused_with_the_reason_and_the_others_are_done(cast: Cast) -> None:
    stale, fresh = cast.to_commune("pupil"), cast.to_commune("classmate")
    page = person_page(cast, "commune_leader", *chosen(cast, stale, fresh))
    cast.accept(stale, "commune_officer")
    confirm(cast, "commune_leader", page, cast.installed.people["commune_leader"])
    text = told(cast, "commune_leader", "/work")
    assert f"{stale}: A Bút Thử" in text
    assert f"Đã phân công: {fresh}." in text
    assert cast.case(fresh).assignee_id == cast.installed.people["commune_leader"]
    assert cast.case(stale).assignee_id == cast.installed.people["commune_officer"]


def test_fifty_refusals_are_all_told(cast: Cast) -> None:
    page = person_page(cast, "commune_leader", *chosen(cast, cast.to_commune()))
    forged = [f"RL-2026-{number:06}:1" for number in range(900000, 900050)]
    form = {**hidden(page), "case": forged, "back": "/work", "person": cast.installed.people["commune_officer"]}
    answer = cast.browser("commune_leader").post("/assign", data=form)
    assert max(len(value) for name, value in answer.headers if name == "Set-Cookie") < 4000  # what a browser keeps
    assert told(cast, "commune_leader", "/work").count('class="warning told" role="status"') >= 50


@pytest.mark.parametrize("address", ["/work", "/cases?level=0"])
@pytest.mark.parametrize("act", ["assign", "accept"])
def test_choosing_none_or_too_many_is_an_error_on_the_same_list(cast: Cast, address: str, act: str) -> None:
    cast.to_commune()
    to = address.replace("/work", f"/work/{act}").replace("/cases", f"/cases/{act}")
    none = cast.send("commune_leader", to, address)
    assert none.status_code == 422
    assert "<title>Lỗi:" in re.sub(r">\s+", ">", none.text)
    assert re.search(r'<a href="#case-\d+">Hãy chọn ít nhất một hồ sơ\.</a>', none.text)
    many = cast.send("commune_leader", to, address, case=[f"RL-2026-{number:06}:1" for number in range(51)])
    assert (many.status_code, "nhiều nhất 50 hồ sơ" in many.text) == (422, True)
    assert ("level=0" in none.text) is ("level=0" in address)  # the list is still the one that was filtered


def test_confirming_without_a_person_asks_again_and_keeps_the_cases(cast: Cast) -> None:
    code = cast.to_commune()
    page = person_page(cast, "commune_leader", *chosen(cast, code))
    for nobody in ("", "x"):
        again = confirm(cast, "commune_leader", page, nobody)
        assert again.status_code == 422
        assert '<a href="#person-0">Hãy chọn người phụ trách' in again.text
        assert f'name="case" value="{code}:' in again.text
    outsider = confirm(cast, "commune_leader", page, cast.installed.people["outsider_commune_officer"])
    assert outsider.status_code == 303
    assert f"{code}: " in told(cast, "commune_leader", "/work")
    assert cast.case(code).assignee_id is None


def test_who_may_not_assign_a_case_is_told_so_and_learns_nothing(cast: Cast) -> None:
    code = cast.to_commune()
    for member in ("outsider_commune_leader", "outsider_head", "volunteer", "commune_officer", "admin"):
        page = person_page(cast, member, f"{code}:2")
        assert page.status_code == 422, member
        assert "không phân công được" in page.text
        assert ("A Thử" in page.text) is (member == "commune_officer")  # for whom it stands on the page anyway
    form = {**hidden(cast.get("outsider_head", "/password")), "case": f"{code}:2", "key": "k", "person": "1"}
    assert cast.browser("outsider_head").post("/assign", data=form).status_code == 303
    assert cast.case(code).version == 2


def test_a_head_sees_boxes_only_where_something_can_be_done(cast: Cast) -> None:
    mine, asked = cast.open_case("classmate"), cast.to_commune("pupil")
    page = cast.get("head", "/cases").text
    assert f'name="case" value="{mine}:' in page
    assert f'name="case" value="{asked}:' not in page
    assert 'name="case"' not in cast.get("teacher", "/cases").text


def test_all_of_a_page_are_chosen_by_a_link(cast: Cast) -> None:
    cast.to_commune("pupil")
    page = cast.get("commune_leader", "/cases?which=all").text
    assert "checked" not in page
    link = html.unescape(re.findall(r'href="([^"]*chosen=all[^"]*)"', page)[0])
    assert cast.get("commune_leader", link).text.count(" checked>") == 1


def test_a_coordinator_gives_a_referred_case_to_a_volunteer_without_learning_the_pupil(cast: Cast) -> None:
    code = cast.to_association()
    page = person_page(cast, "association", *chosen(cast, code))
    assert "Y Sương Thử" in page.text
    assert "A Thử" not in page.text
    assert confirm(cast, "association", page, cast.installed.people["volunteer"]).status_code == 303
    assert cast.case(code).assignee_id == cast.installed.people["volunteer"]


def test_several_are_accepted_from_the_list(cast: Cast) -> None:
    codes = [cast.to_commune("pupil"), cast.to_commune("classmate")]
    answer = cast.send(
        "commune_officer", "/cases/accept?which=offered", "/cases?which=offered", case=chosen(cast, *codes)
    )
    assert answer.location == "/cases?which=offered"
    assert {cast.case(code).assignee_id for code in codes} == {cast.installed.people["commune_officer"]}


def test_whoever_has_a_case_is_urged_on_in_place_once_a_day(cast: Cast) -> None:
    code = cast.open_case()
    page = told(cast, "head", "/work")
    assert f'name="urge" value="{code}" formaction="/work/urge"' in page
    assert 'name="urge"' not in cast.get("teacher", "/work").text
    for words in ("Đã đôn đốc", f"{code}: "):
        answer = cast.send("head", "/work/urge", "/work", urge=code)
        assert answer.location == "/work"
        assert words in told(cast, "head", "/work")
    assert cast.case(code).version == 2
    assert cast.send("outsider_head", "/work/urge", "/work", urge=code).status_code == 303
    assert cast.case(code).version == 2
    assert cast.send("head", "/work/urge", "/work").status_code == 422


def test_one_goes_back_to_this_site_only(cast: Cast) -> None:
    code = cast.to_commune()
    page = person_page(cast, "commune_leader", *chosen(cast, code))
    form = {
        **hidden(page),
        "case": chosen(cast, code),
        "back": "https://example.org/",
        "person": cast.installed.people["commune_officer"],
    }
    assert cast.browser("commune_leader").post("/assign", data=form).location == "/work"
