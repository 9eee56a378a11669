"""What was recorded wrongly is put right: the facts follow, both versions stay, and nobody else's words are touched."""

from typing import Any

from engine.core.cases.act import Act
from engine.store.cases import verify
from engine.usecases.cases import case_acts, corrections
from tests.installation import CALLED, CastInstallation, at, installed

__all__ = ["installed"]

MONDAY_9 = at("2026-03-02 09:00")
MONDAY_10 = at("2026-03-02 10:00")
WHY = {"correction_reason": "Ghi nhầm"}


def act(installed: CastInstallation, member: str, code: str, now: Any = MONDAY_10, **values: Any) -> Act:
    return Act(installed.viewer(member, now), code, values, now)


def test_a_contact_that_reached_somebody_after_all_counts_as_one(installed: CastInstallation) -> None:
    code = installed.open()
    case_acts.step(installed.context, act(installed, "teacher", code, MONDAY_9, **CALLED), "contact")
    assert installed.case(code).unreached == 1
    right = act(installed, "teacher", code, **{**CALLED, "reached": True, "causes": ["violence"]}, **WHY)
    corrections.correct(installed.context, right, 2)
    case = installed.case(code)
    assert (case.unreached, case.flags) == (0, ["safety"])
    assert installed.kinds(code) == ["opened", "contact", "corrected"]
    assert list(verify.breaks(installed.store)) == []
