"""The file of the risk watch, and the sentences for everything that can be wrong in it."""

from pathlib import Path

import pytest

import rules
from engine.core.attendance.signal_reader import load_risk
from engine.core.attendance.signals import Signal
from engine.core.words import Faulty

HEAD = 'format = 1\nversion = 1\nmode = "open"\ncount = "day"\n'


def signal(when: str, id: str = "one") -> str:
    return f'{HEAD}[[signal]]\nid = "{id}"\nwhy = {{ vi = "vì", en = "why" }}\nwhen = {{ {when} }}\n'


def faults(text: str) -> list[str]:
    with pytest.raises(Faulty) as caught:
        load_risk(text, "risk.toml")
    return [fault.in_("en") for fault in caught.value.faults]


def test_the_shipped_file_is_sound_and_knows_every_condition() -> None:
    found = load_risk((Path(str(rules.__file__)).parent / "risk.toml").read_text(encoding="utf-8"), "risk.toml")
    assert (found.mode, found.count, found.return_confirmed, found.return_watched) == ("open", "day", 5, 20)
    assert {it.kind for it in found.signals} == {
        "unexcused_in_a_row",
        "absent_days",
        "excused_in_a_row",
        "share",
        "year_sessions",
        "same_weekday",
        "after_break",
        "sibling_case",
        "earlier_case",
    }
    assert all(it.why.vi != it.why.en for it in found.signals)


def test_a_condition_with_all_it_says() -> None:
    (one,) = load_risk(signal('absent_days = { at_least = 5, within = "10 school days", kind = "any" }'), "f").signals
    assert (one.kind, one.at_least, one.within, one.absence) == ("absent_days", (5,), 10, "any")
    (two,) = load_risk(signal("share = { at_least = 0.10, after_days = 20 }"), "f").signals
    assert isinstance(two, Signal)
    assert (two.at_least, two.after_days) == ((10,), 20)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (HEAD.replace('"open"', '"ask"'), "mode"),
        (HEAD.replace('"day"', '"week"'), "count"),
        (HEAD + "surprise = 1\n", "surprise"),
        (signal("unexcused_in_a_row = [5, 3]"), "signal “one”.when.unexcused_in_a_row"),
        (signal("unexcused_in_a_row = 0"), "signal “one”.when.unexcused_in_a_row"),
        (signal("unexcused_in_a_row = 3, excused_in_a_row = 3"), "signal “one”.when"),
        (signal("rain = 3"), "signal “one”.when"),
        (signal('absent_days = { at_least = 5, within = "2 weeks" }'), "signal “one”.when.absent_days.within"),
        (signal("share = { at_least = 10 }"), "signal “one”.when.share.at_least"),
        (signal("year_sessions = { }"), "signal “one”.when.year_sessions.at_least"),
        (signal("sibling_case = 2", "One!"), "signal “One!”.id"),
    ],
)
def test_each_fault_names_its_key(text: str, said: str) -> None:
    assert any(said in fault for fault in faults(text)), faults(text)


def test_an_id_stands_once() -> None:
    twice = signal("sibling_case = 2") + signal("earlier_case = 2").removeprefix(HEAD)
    assert len(faults(twice)) == 1
