"""The ways in which pupils learn while there is no class (D1.6); days with one do not count as absence."""

from __future__ import annotations

from collections.abc import Mapping

from engine.core.words import Label

STUDY_MODES: Mapping[str, Label] = {
    "online": Label("Học trực tuyến", "Online"),
    "guided": Label("Tự học có hướng dẫn", "Guided self-study"),
    "worksheets": Label("Phiếu bài tập", "Worksheets"),
    "zalo": Label("Qua Zalo", "By Zalo"),
}
