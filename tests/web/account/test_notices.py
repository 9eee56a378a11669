"""The notices of one person."""

from tests.cast import Cast


def test_a_notice_says_why_and_links_to_the_case_without_a_name(cast: Cast) -> None:
    code = cast.to_commune()
    page = cast.get("commune_officer", "/notices").text
    assert "Có hồ sơ chờ anh/chị tiếp nhận" in page
    assert f'href="/cases/{code}"' in page
    assert "A Thử" not in page


def test_a_notice_of_a_rule_says_the_rule(cast: Cast) -> None:
    cast.to_commune()
    cast.go_to("2026-03-04 08:00")
    assert "Quá 1 ngày làm việc xã chưa tiếp nhận" in cast.get("commune_leader", "/notices").text


def test_they_are_marked_read_together(cast: Cast) -> None:
    cast.to_commune()
    assert "1 thông báo mới" in cast.get("commune_officer", "/work").text
    with cast.store.reading("test") as session:
        from engine.store import tables as t

        ids = [row.id for row in session.query(t.Notice).filter_by(person_id=cast.installed.people["commune_officer"])]
    answer = cast.send("commune_officer", "/notices/read", "/notices", notice=ids)
    assert answer.location == "/notices"
    assert "thông báo mới" not in cast.get("commune_officer", "/work").text


def test_opening_the_case_marks_its_notices_read(cast: Cast) -> None:
    code = cast.to_commune()
    cast.get("commune_officer", f"/cases/{code}")
    assert "thông báo mới" not in cast.get("commune_officer", "/work").text


def test_nobody_marks_the_notices_of_others(cast: Cast) -> None:
    cast.to_commune()
    cast.send("outsider_teacher", "/notices/read", "/notices", notice=["1", "x", "-1", "99999999999999999999"])
    assert "1 thông báo mới" in cast.get("commune_officer", "/work").text


def test_a_notice_stays_when_the_case_has_gone_to_somebody_else(cast: Cast) -> None:
    code = cast.to_association()
    cast.step(code, "return_to_class", "teacher", returned_on="2026-03-02")
    assert code in cast.get("volunteer", "/notices").text


def test_there_are_pages_of_fifty(cast: Cast) -> None:
    from sqlalchemy import insert

    from engine.store import tables as t

    code = cast.open_case()
    me, case = cast.installed.people["head"], cast.case(code).id
    row = {"case_id": case, "person_id": me, "role": "head", "kind": "offered", "urgent": False, "at": cast.now}
    with cast.store.writing("test") as session:
        session.execute(insert(t.Notice), [row | {"seq": 100 + number} for number in range(60)])
    first = cast.get("head", "/notices").text
    assert first.count('<li class="card') == 50
    before = first.split("/notices?before=")[1].split('"')[0]
    assert cast.get("head", f"/notices?before={before}").text.count('<li class="card') == 10


def test_who_was_told_nothing_is_told_when_notices_come(cast: Cast) -> None:
    assert "Chưa có thông báo" in cast.get("outsider_head", "/notices").text
