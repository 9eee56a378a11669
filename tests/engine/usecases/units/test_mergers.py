"""Three units become xã Bờ Y on 1 July 2025, and everything of theirs goes with them."""

import datetime as dt
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from engine.core.cases.act import Act
from engine.core.people.access import reach
from engine.core.refusals import Invalid, NotFound
from engine.store import tables as t
from engine.store.cases.cases import find_case
from engine.store.cases.verify import breaks
from engine.store.people.staff import viewer_of
from engine.store.session import Store
from engine.store.simulation import seed
from engine.store.units.units import unit_at
from engine.usecases.cases import case_acts
from engine.usecases.cases.difficulties import answer, raise_difficulty
from engine.usecases.context import Context
from engine.usecases.units.import_units import import_units
from engine.usecases.units.mergers import Merger, UnitMove, merge_units, read_moves, read_table
from tests.installation import CastInstallation, installed
from tests.playing import OPENING, at, definitions
from tests.shipped_roles import ROLES

__all__ = ["installed"]  # a fixture

DAY, BEFORE = dt.date(2025, 7, 1), dt.date(2025, 6, 30)
NOON = at("2025-07-01 12:00")
SHIPPED = (Path(__file__).parents[4] / "rules" / "units" / "ngoc-hoi-2022.csv").read_text(encoding="utf-8")
BO_Y = ("23377", "23389", "23395")

# Lines of the statistics office's table, one of them for a commune that goes over in part only.
TABLE = """\
Đơn vị hành chính từ ngày 01/7/2025,,,Đơn vị hành chính trước ngày 01/7/2025,,,,,
"Tỉnh, thành phố",Tên Xã mới,Mã Xã mới,Tên Xã cũ,Mã Xã cũ,Ghi chú,Quận/huyện,Tỉnh cũ,
Tỉnh Quảng Ngãi (51),Xã Bờ Y,23377,Thị trấn Plei Kần,23377,Nhập toàn bộ,Huyện Ngọc Hồi (611),Tỉnh Kon Tum (62),
Tỉnh Quảng Ngãi (51),Xã Bờ Y,23377,Xã Đăk Xú,23389,Nhập toàn bộ,Huyện Ngọc Hồi (611),Tỉnh Kon Tum (62),
Tỉnh Quảng Ngãi (51),Xã Bờ Y,23377,Xã Pờ Y ,23395,Nhập toàn bộ,Huyện Ngọc Hồi (611),Tỉnh Kon Tum (62),
Tỉnh Quảng Ngãi (51),Xã Cà Đam,21136,Xã Trà Bùi,21142,Nhập một phần,Huyện Trà Bồng (525),Tỉnh Quảng Ngãi (51),
"""


def not_yet_merged() -> str:
    """The tree as it stood in June 2025, when nobody had entered what it would become."""
    head, _, _ = SHIPPED.partition("# What it became")
    lines = [line.replace("2025-07-01,51,", ",,").replace(",2025-07-01,", ",,") for line in head.splitlines()]
    return "\n".join([*map(_without_successor, lines), "province,51,Tỉnh Quảng Ngãi,VN,2025-07-01,,,,,"])


def _without_successor(line: str) -> str:
    cells = line.split(",")
    if len(cells) < 10 or line.startswith(("#", "kind")) or cells[1] == "51":
        return line
    return ",".join([*cells[:6], "", *cells[7:]])


@dataclass
class Country:
    """Ngọc Hồi with a leader and an officer in each of the three units, and a pupil in each."""

    context: Context
    people: dict[str, int]
    pupils: dict[str, int]

    def unit(self, code: str, day: dt.date) -> int:
        with self.context.store.reading("test") as session:
            found = unit_at(session, code, day)
        assert found is not None
        return found.id

    def viewer(self, login: str, day: dt.date) -> Any:
        with self.context.store.reading("test") as session:
            return viewer_of(session, self.people[login], day, ROLES)

    def case(self, code: str) -> Any:
        with self.context.store.reading("test") as session:
            return find_case(session, code)

    def rows(self, table: type[Any]) -> list[Any]:
        with self.context.store.reading("test") as session:
            return sorted(map(repr, session.connection().execute(select(table.__table__))))


def country(store: Store, tree: str) -> Country:
    import_units(store, tree, "tree.csv")
    found = Country(Context(store, definitions()), {}, {})
    class_ = _class(store, found)
    school = found.unit("NH-CS1", BEFORE)
    for commune in BO_Y:
        village, place = found.unit(f"{commune}-01", BEFORE), found.unit(commune, BEFORE)
        _person(store, found, f"leader-{commune}", [("commune_leader", place)])
        _person(store, found, f"officer-{commune}", [("commune_officer", village)])
        row = {
            "code": f"p{commune}",
            "name": "A Thử",
            "search_key": "a thu",
            "sort_key": "thu a",
            "class_id": class_,
            "school_id": school,
            "village_id": village,
            "commune_id": place,
            "province_id": found.unit("62", BEFORE),
        }
        with store.writing("test") as session:
            found.pupils[commune] = session.execute(insert(t.Pupil).values(row).returning(t.Pupil.id)).scalar_one()
    _person(store, found, "teacher", [("teacher", class_)])
    _person(store, found, "head", [("head", school)])
    return found


def _class(store: Store, country: Country) -> int:
    lines = ["kind,code,name,parent,valid_from,valid_to,successor,grade,teaching_days,contact"]
    with store.reading("test") as session:
        recorded = unit_at(session, "NH-CS1", DAY) != unit_at(session, "NH-CS1", BEFORE)
    ending = "2025-07-01,NH-CS1.8A" if recorded else ","
    lines.append(f"class,NH-CS1.8A,Lớp 8A,NH-CS1,2024-08-01,{ending},8,,")
    if recorded:
        lines.append("class,NH-CS1.8A,Lớp 8A,NH-CS1,2025-07-01,,,8,,")
    import_units(store, "\n".join(lines), "class.csv")
    return country.unit("NH-CS1.8A", BEFORE)


def _person(store: Store, country: Country, login: str, seats: list[tuple[str, int]]) -> None:
    with store.writing("test") as session:
        row = {"login": login, "name": login, "created_at": NOON}
        person = session.execute(insert(t.Person).values(row).returning(t.Person.id)).scalar_one()
        seed.appoint(session, person, seats, dt.date(2024, 8, 1))
    country.people[login] = person


def with_cases(country: Country) -> dict[str, str]:
    """A case in each old unit, each on offer to the commune since 30 June; Plei Kần's is accepted."""
    codes, teacher = {}, country.viewer("teacher", BEFORE)
    for commune, pupil in country.pupils.items():
        opened = at("2025-06-30 08:00")
        values = {**OPENING, "absent_since": "2025-06-27", "confirm": True}
        codes[commune] = case_acts.open_case(country.context, teacher, pupil, values, opened)
        case_acts.step(country.context, Act(teacher, codes[commune], {}, at("2025-06-30 09:00")), "ask_commune")
    officer = country.viewer("officer-23377", BEFORE)
    case_acts.accept(country.context, Act(officer, codes["23377"], {}, at("2025-06-30 10:00")))
    return codes


@pytest.mark.parametrize("tree", [SHIPPED, not_yet_merged()], ids=["recorded", "not recorded yet"])
def test_cases_pupils_posts_and_deadlines_come_along(store: Store, tree: str) -> None:
    here = country(store, tree)
    codes = with_cases(here)
    due = {code: here.case(code).due_at for code in codes.values()}
    merged = merge_units(here.context, read_table(TABLE)[0], DAY, NOON)
    bo_y, province = here.unit("23377", DAY), here.unit("51", DAY)
    assert (merged.cases, merged.pupils > 0, merged.offers, merged.handed_on) == (3, True, 2, 0)
    for commune, code in codes.items():
        facts = here.case(code)
        village = here.unit(f"{commune}-01", DAY)
        assert (facts.commune_id, facts.village_id, facts.province_id) == (bo_y, village, province)
        assert facts.due_at == due[code]
    waiting = here.case(codes["23395"])
    assert (waiting.offered_role, waiting.offered_unit_id) == ("commune_officer", here.unit("23395-01", DAY))
    assert waiting.offered_at == at("2025-06-30 09:00")
    assert here.case(codes["23377"]).assignee_id == here.people["officer-23377"]
    assert list(breaks(store)) == []


@pytest.mark.parametrize("tree", [SHIPPED, not_yet_merged()], ids=["recorded", "not recorded yet"])
def test_readers_see_what_they_saw_and_the_whole_new_commune(store: Store, tree: str) -> None:
    here = country(store, tree)
    codes = with_cases(here)
    merge_units(here.context, read_table(TABLE)[0], DAY, NOON)
    with store.scoped(here.viewer("leader-23389", DAY)) as session:
        assert set(session.scalars(select(t.Case.code))) == set(codes.values())
    with store.scoped(here.viewer("officer-23389", DAY)) as session:
        assert list(session.scalars(select(t.Case.code))) == [codes["23389"]]
    officer = here.viewer("officer-23395", DAY)
    case_acts.accept(here.context, Act(officer, codes["23395"], {}, NOON))
    assert here.case(codes["23395"]).assignee_id == here.people["officer-23395"]


@pytest.mark.parametrize("tree", [SHIPPED, not_yet_merged()], ids=["recorded", "not recorded yet"])
def test_done_again_it_changes_nothing(store: Store, tree: str) -> None:
    here = country(store, tree)
    with_cases(here)
    merge_units(here.context, read_table(TABLE)[0], DAY, NOON)
    tables = (t.Unit, t.UnitLink, t.Case, t.Pupil, t.Appointment, t.Event, t.Closure)
    before = [here.rows(table) for table in tables]
    again = merge_units(here.context, read_table(TABLE)[0], DAY, NOON)
    assert (again.ended, again.pupils, again.cases, again.posts) == ([], 0, 0, 0)
    assert [here.rows(table) for table in tables] == before


def test_a_dry_run_tells_and_keeps_nothing(store: Store) -> None:
    here = country(store, not_yet_merged())
    with_cases(here)
    tables = (t.Unit, t.UnitLink, t.Case, t.Pupil, t.Appointment, t.Event)
    before = [here.rows(table) for table in tables]
    merged = merge_units(here.context, read_table(TABLE)[0], DAY, NOON, dry_run=True)
    assert (merged.ended[:3], merged.cases) == (["Thị trấn Plei Kần", "Xã Đăk Xú", "Xã Pờ Y"], 3)
    assert [here.rows(table) for table in tables] == before


def test_a_post_that_is_given_already_is_not_given_again_and_its_cases_go_to_the_new_one(store: Store) -> None:
    here = country(store, SHIPPED)
    codes = with_cases(here)
    _person(store, here, "new-officer", [("commune_officer", here.unit("23377-01", DAY))])
    merged = merge_units(here.context, [], DAY, NOON)
    facts = here.case(codes["23377"])
    assert merged.handed_on == 1
    assert (facts.assignee_id, facts.offered_unit_id, facts.waiting) == (None, here.unit("23377-01", DAY), True)
    assert here.viewer("new-officer", DAY).of("commune_officer") == {here.unit("23377-01", DAY)}
    assert not here.viewer("officer-23377", DAY).units


def test_an_offer_to_the_old_leader_goes_on_to_the_new_commune(store: Store) -> None:
    here = country(store, not_yet_merged())
    codes = with_cases(here)
    officer = here.viewer("officer-23395", BEFORE)
    case_acts.decline(here.context, Act(officer, codes["23395"], {"reason": "Nhầm thôn"}, at("2025-06-30 11:00")))
    merge_units(here.context, read_table(TABLE)[0], DAY, NOON)
    facts = here.case(codes["23395"])
    assert (facts.offered_role, facts.offered_unit_id) == ("commune_leader", here.unit("23377", DAY))
    assert facts.offered_at == at("2025-06-30 11:00")


def test_a_difficulty_waits_for_the_leader_of_the_new_commune(store: Store) -> None:
    here = country(store, not_yet_merged())
    code = with_cases(here)["23395"]
    words = {"difficulty_kind": "road", "difficulty_words": "Cầu hỏng"}
    raise_difficulty(here.context, Act(here.viewer("officer-23395", BEFORE), code, words, at("2025-06-30 11:00")))
    raised = here.case(code).version
    merge_units(here.context, read_table(TABLE)[0], DAY, NOON)
    reply = {"difficulty_answer": "decided", "difficulty_reply": "Làm cầu tạm"}
    answer(here.context, Act(here.viewer("leader-23395", DAY), code, reply, NOON), raised)
    assert list(breaks(store)) == []


def test_days_without_class_of_an_old_commune_hold_its_schools_only(store: Store) -> None:
    here = country(store, not_yet_merged())
    old = here.unit("23389", BEFORE)
    row = {"unit_id": old, "first_day": BEFORE, "last_day": BEFORE, "reason": "Lũ", "announced_at": NOON}
    with store.writing("test") as session:
        session.execute(insert(t.Closure).values(row))
    assert merge_units(here.context, read_table(TABLE)[0], DAY, NOON).closures == 1
    with store.reading("test") as session:
        assert list(session.scalars(select(t.Closure.unit_id).order_by(t.Closure.id))) == [
            old,
            here.unit("NH-CS1", DAY),
        ]


def test_the_table_is_read_as_it_is_and_what_goes_over_in_part_is_named() -> None:
    mergers, left = read_table(TABLE)
    assert [(merger.old, merger.new) for merger in mergers] == [(code, "23377") for code in BO_Y]
    assert mergers[0].province == ("51", "Tỉnh Quảng Ngãi")
    assert [str(sentence) for sentence in left] == [
        "Line 6: Xã Trà Bùi goes over only in part (Nhập một phần): say for each village in a file with --moves."
    ]


def test_the_district_ends_with_its_last_commune_and_its_office_is_named(store: Store) -> None:
    here = country(store, not_yet_merged())
    _person(store, here, "office", [("education_office", here.unit("611", BEFORE))])
    lines = [Merger(code, "23383", "Xã Dục Nông", ("51", "x")) for code in ("23380", "23383", "23386")]
    lines += [Merger(code, "23392", "Xã Sa Loong", ("51", "x")) for code in ("23392", "23398")]
    assert "Huyện Ngọc Hồi" not in merge_units(here.context, read_table(TABLE)[0], DAY, NOON).ended
    merged = merge_units(here.context, lines, DAY, NOON)
    assert merged.ended[-1] == "Huyện Ngọc Hồi"
    assert [str(sentence) for sentence in merged.left] == [
        "office still is Education office of Huyện Ngọc Hồi, which has ended: appoint them elsewhere."
    ]


def test_a_day_to_come_and_a_unit_that_is_not_there_are_refused(store: Store) -> None:
    here = country(store, not_yet_merged())
    with pytest.raises(Invalid, match="01/07/2025 is still to come"):
        merge_units(here.context, [], DAY, at("2025-06-30 12:00"))
    with pytest.raises(NotFound, match="There is no unit “99999” on 01/07/2025"):
        merge_units(here.context, [Merger("23389", "99999")], DAY, NOON)
    assert here.unit("23389", DAY)


def divided(store: Store) -> tuple[Country, dict[str, str]]:
    """Đăk Xú is divided: its village goes to Dục Nông, in which Đăk Ang went on; the rest is Bờ Y's."""
    here = country(store, not_yet_merged())
    codes = with_cases(here)
    merge_units(here.context, [Merger("23383", "23383", "Xã Dục Nông", ("51", "x"))], DAY, NOON)
    return here, codes


def test_of_a_divided_commune_a_village_comes_over_with_its_pupils_cases_offers_and_officer(store: Store) -> None:
    here, codes = divided(store)
    before = here.case(codes["23389"])
    merged = merge_units(here.context, [], DAY, NOON, moves=[UnitMove("23389-01", "23383")])
    village, commune = here.unit("23389-01", DAY), here.unit("23383", DAY)
    case = here.case(codes["23389"])
    assert (merged.came_over, merged.cases, merged.offers) == (["Thôn Suối Trong"], 1, 1)
    assert (case.village_id, case.commune_id, case.due_at) == (village, commune, before.due_at)
    assert (case.offered_role, case.offered_unit_id) == ("commune_officer", village)
    assert reach(here.viewer("officer-23389", DAY), case) == {"commune_officer"}
    assert reach(here.viewer("leader-23389", DAY), case) == frozenset()
    again = merge_units(here.context, [], DAY, NOON, moves=[UnitMove("23389-01", "23383")])
    assert (again.came_over, again.cases) == ([], 0)


def test_what_is_left_of_it_goes_on_as_a_whole(store: Store) -> None:
    here, codes = divided(store)
    rest = Merger("23389", "23377", "Xã Bờ Y", ("51", "x"))
    merged = merge_units(here.context, [rest], DAY, NOON, moves=[UnitMove("23389-01", "23383")])
    assert (merged.came_over, merged.ended) == (["Thôn Suối Trong"], ["Xã Đăk Xú"])
    assert here.case(codes["23389"]).commune_id == here.unit("23383", DAY)


def test_an_accepted_case_goes_to_the_new_commune_when_only_the_old_leader_had_it(store: Store) -> None:
    here, codes = divided(store)
    officer, leader = here.viewer("officer-23389", BEFORE), here.viewer("leader-23389", BEFORE)
    case_acts.decline(
        here.context, Act(officer, codes["23389"], {"reason": "Không thuộc thôn của tôi"}, at("2025-06-30 10:00"))
    )
    case_acts.accept(here.context, Act(leader, codes["23389"], {}, at("2025-06-30 11:00")))
    merged = merge_units(here.context, [], DAY, NOON, moves=[UnitMove("23389-01", "23383")])
    case = here.case(codes["23389"])
    assert (merged.handed_on, case.assignee_id, case.offered_unit_id) == (1, None, here.unit("23389-01", DAY))


def test_a_file_of_decisions_names_its_wrong_lines() -> None:
    assert read_moves("# Đăk Xú\n23389-01, 23383  # thôn 1\n\n23389-02;23377\n") == [
        UnitMove("23389-01", "23383"),
        UnitMove("23389-02", "23377"),
    ]
    with pytest.raises(Invalid) as refused:
        read_moves("23389-01\n23389-02,23377,x\n")
    assert "Line 1: write UNIT,INTO, the codes of two units." in str(refused.value.sentence)


def test_a_village_or_a_commune_that_is_not_there_is_told(store: Store) -> None:
    here, _ = divided(store)
    with pytest.raises(NotFound, match="no village, school or association “23389-99” before 01/07/2025"):
        merge_units(here.context, [], DAY, NOON, moves=[UnitMove("23389-99", "23383")])
    with pytest.raises(NotFound, match="no unit “99999” on 01/07/2025"):
        merge_units(here.context, [], DAY, NOON, moves=[UnitMove("23389-01", "99999")])


def test_schools_that_become_one_are_refused_while_two_pupils_would_have_one_code(installed: CastInstallation) -> None:
    day, noon, merger = dt.date(2026, 3, 2), at("2026-03-02 12:00"), [Merger("outsider_school", "school")]
    theirs = t.Pupil.id == installed.cast.pupils["outsider_pupil"]
    with installed.store.writing("test") as session:
        session.execute(update(t.Pupil).where(theirs).values(code="pupil"))
    with pytest.raises(Invalid) as refused:
        merge_units(installed.context, merger, day, noon)
    assert "gave the same codes to different pupils: pupil. Give" in str(refused.value.fields["codes"])
    assert schools(installed) == {installed.cast.units["school"], installed.cast.units["outsider_school"]}
    with installed.store.writing("test") as session:
        session.execute(update(t.Pupil).where(theirs).values(code="another"))
    merge_units(installed.context, merger, day, noon)
    assert schools(installed) == {installed.cast.units["school"]}


def schools(installed: CastInstallation) -> set[int]:
    with installed.store.reading("test") as session:
        return set(session.scalars(select(t.Pupil.school_id)))
