"""The user's manual, in the program itself: Markdown files in `web/help/<language>/`, one for each kind of reader."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from flask import Blueprint, abort, render_template
from markdown_it import MarkdownIt
from markupsafe import Markup

from engine.core.words import Label
from web.site.languages import language
from web.site.security import public

pages = Blueprint("help", __name__)

CHAPTERS: dict[str, Label] = {
    "index": Label("Bắt đầu", "Getting started"),
    "signin": Label("Đăng nhập", "Signing in"),
    "work": Label("Việc của tôi, danh sách, in phiếu", "My work, lists, printing"),
    "school": Label("Giáo viên, hiệu trưởng", "Teachers and heads"),
    "attendance": Label("Điểm danh, nhập tệp, theo dõi nguy cơ", "Attendance, files, the risk watch"),
    "commune": Label("Cán bộ và lãnh đạo xã", "Commune officers and leaders"),
    "offline": Label("Khi không có mạng", "Without a line"),
    "association": Label("Hội Khuyến học, tình nguyện viên", "Association and volunteers"),
    "office": Label("Cơ quan giáo dục", "Education office"),
    "admin": Label("Quản trị hệ thống", "Administrators"),
    "days": Label("Ngày nghỉ, lịch, khi bạn vắng", "Days off, calendar, when you are away"),
    "rights": Label("Dữ liệu của trẻ em", "Children's data"),
}
"""Every chapter and its title; a new one is added here and in both folders."""


@pages.get("/help")
@pages.get("/help/<chapter>")
@public
def index(chapter: str = "index") -> str:
    """Shows a chapter of the manual. Everybody may read it, signed in or not."""
    if chapter not in CHAPTERS:
        abort(404)
    return render_template("help.html", chapter=chapter, chapters=CHAPTERS, text=chapter_html(chapter, language()))


@cache
def chapter_html(chapter: str, language: str) -> Markup:
    """Returns a chapter as HTML, without its first heading, which the page has."""
    source = files("web").joinpath("help", language, f"{chapter}.md").read_text(encoding="utf-8")
    _title, _, body = source.partition("\n")
    return Markup(MarkdownIt("commonmark", {"html": False}).enable("table").render(body))  # noqa: S704 - our own files
