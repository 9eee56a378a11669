"""Filters kept under a name: for oneself, above the list and on “My work”; another name, deleted."""

import html
import re

import pytest

from engine.store import tables as t
from tests.cast import Cast


def kept(cast: Cast, member: str, address: str = "/cases") -> dict[str, str]:
    """The names of the filters that a page offers, and what they filter by."""
    page = html.unescape(cast.get(member, address).text)
    nav = re.search(r'<nav aria-label="Bộ lọc của tôi">(.*?)</nav>', page, flags=re.DOTALL)
    links = re.findall(r'<a href="([^"]+)"[^>]*>([^<]+)</a>', nav[1]) if nav else []
    return {name: "&".join(sorted(address.partition("?")[2].split("&"))) for address, name in links if "?" in address}


def keep(cast: Cast, member: str, name: str, query: str = "?which=overdue&level=1") -> int:
    """Keep what the list is filtered by; the status of the answer."""
    return cast.send(member, f"/cases/filters{query}", f"/cases{query}", name=name).status_code


def id_of(cast: Cast) -> int:
    with cast.store.reading("test") as session:
        return min(id for (id,) in session.query(t.SavedFilter.id))


def test_kept_filters_stand_above_the_list_and_on_my_work_for_oneself_only(cast: Cast) -> None:
    assert keep(cast, "head", "  Quá hạn,  gấp ") == 303
    for address in ("/cases", "/work"):
        assert kept(cast, "head", address) == {"Quá hạn, gấp": "level=1&which=overdue"}
        assert kept(cast, "teacher", address) == {}
    page = cast.get("head", "/cases?level=1&which=overdue").text
    assert re.search(r'aria-current="page">Quá hạn, gấp<', page)


def test_a_list_without_filters_offers_nothing_to_keep(cast: Cast) -> None:
    assert "/cases/filters?" not in cast.get("head", "/cases").text
    assert keep(cast, "head", "Không lọc", "") == 422
    assert kept(cast, "head") == {}


@pytest.mark.parametrize("name", ["", "   ", "x" * 41])
def test_a_name_that_cannot_be_is_told_at_its_field_with_the_filters_still_in_force(cast: Cast, name: str) -> None:
    answer = cast.send("head", "/cases/filters?which=overdue", "/cases?which=overdue", name=name)
    assert answer.status_code == 422
    assert '<a href="#name">Hãy đặt tên' in answer.text
    assert f'id="name" name="name" value="{name}"' in answer.text
    assert "/cases/filters?which=overdue" in answer.text


def test_the_same_name_keeps_the_same_filters_once_and_is_refused_for_others(cast: Cast) -> None:
    assert [keep(cast, "head", "Gấp"), keep(cast, "head", "Gấp")] == [303, 303]
    assert keep(cast, "head", "Gấp", "?which=all") == 409
    assert kept(cast, "head") == {"Gấp": "level=1&which=overdue"}


def test_they_are_renamed_and_deleted_by_their_owner_only(cast: Cast) -> None:
    keep(cast, "head", "Gấp")
    keep(cast, "head", "Tất cả", "?which=all")
    id = id_of(cast)
    page = "/cases/filters"
    assert cast.send("teacher", f"{page}/{id}", page, name="Của tôi").status_code == 404
    assert cast.send("teacher", f"{page}/{id}", page, delete="1").status_code == 303
    assert cast.send("head", f"{page}/{id}", page, name="Tất cả").status_code == 409
    wrong = cast.send("head", f"{page}/{id}", page, name=" ")
    assert (wrong.status_code, f'href="#name-{id}"' in wrong.text) == (422, True)
    assert cast.send("head", f"{page}/{id}", page, name="Rất gấp").status_code == 303
    assert sorted(kept(cast, "head")) == ["Rất gấp", "Tất cả"]
    for _twice in range(2):
        assert cast.send("head", f"{page}/{id}", page, delete="1").status_code == 303
    assert sorted(kept(cast, "head")) == ["Tất cả"]


def test_there_is_an_end_to_how_many_are_kept(cast: Cast) -> None:
    assert {keep(cast, "head", f"Bộ {number}", f"?level={number}") for number in range(20)} == {303}
    assert keep(cast, "head", "Thêm", "?level=20") == 409
    assert "Bạn chưa lưu bộ lọc nào" in cast.get("teacher", "/cases/filters").text
