"""The workflow as a picture."""

import re
import xml.etree.ElementTree as ET
from itertools import combinations

import pytest

from engine.core.workflow.model import Workflow
from tests.installation import definitions
from web.cases.diagram import draw

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def workflow() -> Workflow:
    return definitions().workflow("dropout")


def parsed(text: str) -> ET.Element:
    return ET.fromstring(str(text).replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1))


def boxes(root: ET.Element) -> dict[str, tuple[str, tuple[int, ...]]]:
    """Each state's first line of words: the classes of its group, and x, y, width, height."""
    found = {}
    for group in root.iter(f"{SVG}g"):
        rect, text = group.find(f"{SVG}rect"), group.find(f"{SVG}text")
        assert rect is not None
        assert text is not None
        size = tuple(int(rect.get(name, "0")) for name in ("x", "y", "width", "height"))
        found[(text.text or "").lstrip("●✓ ")] = (group.get("class", ""), size)
    return found


def test_every_state_stands_in_it_once_and_none_covers_another(workflow: Workflow) -> None:
    found = boxes(parsed(draw(workflow, "absent", set(), "vi")))
    assert sorted(found) == sorted(state.label.vi for state in workflow.states.values())
    for (_, a), (_, b) in combinations(found.values(), 2):
        assert a[0] + a[2] <= b[0] or b[0] + b[2] <= a[0] or a[1] + a[3] <= b[1] or b[1] + b[3] <= a[1]


def test_the_place_of_the_case_its_past_and_its_next_steps_are_marked(workflow: Workflow) -> None:
    found = boxes(parsed(draw(workflow, "commune_visit", {"absent", "commune_visit"}, "vi")))
    assert found["Xã vận động"][0] == "here"
    assert found["Vắng học"][0] == "been"
    assert found["Chuyển hỗ trợ"][0] == "next"
    assert found["Kết thúc"][0] == "end"


def test_the_picture_is_told_in_words(workflow: Workflow) -> None:
    root = parsed(draw(workflow, "teacher_contact", {"absent"}, "vi"))
    words = root.findtext(f"{SVG}desc") or ""
    assert words.startswith(
        "Hồ sơ đang ở trạng thái “Giáo viên liên hệ”. Đã qua: Vắng học. Từ đây có thể chuyển sang: "
    )
    assert root.get("aria-labelledby") == "way-title way-words"


def test_it_speaks_english(workflow: Workflow) -> None:
    assert "The case is in the state “Commune visit”." in draw(workflow, "commune_visit", set(), "en")


@pytest.mark.parametrize("language", ["vi", "en"])
def test_no_line_of_words_is_wider_than_its_box(workflow: Workflow, language: str) -> None:
    for state in workflow.states:
        root = parsed(draw(workflow, state, set(workflow.states), language))
        for group in root.iter(f"{SVG}g"):
            rect = group.find(f"{SVG}rect")
            assert rect is not None
            for text in group.iter(f"{SVG}text"):
                letter = 5.8 if text.get("class") else 7.3  # pixels at the sizes of the style sheet
                assert len(text.text or "") * letter <= int(rect.get("width", "0")) + 4, text.text


def test_everything_lies_inside_the_frame(workflow: Workflow) -> None:
    text = draw(workflow, "returned", set(), "vi")
    frame = re.search(r'viewBox="0 0 (\d+) (\d+)"', text)
    assert frame
    width, height = map(int, frame.groups())
    for _, (x, y, wide, tall) in boxes(parsed(text)).values():
        assert 0 <= x <= x + wide <= width
        assert 0 <= y <= y + tall <= height
    for path in re.findall(r'<path class="line[^"]*" d="([^"]+)"', text):
        assert all(0 <= int(number) <= max(width, height) for number in re.findall(r"(?<=[MHV ])\d+", path))


def test_words_are_escaped(workflow: Workflow) -> None:
    from dataclasses import replace

    from engine.core.words import Label

    odd = replace(workflow.states["absent"], label=Label("<b>&", "<b>&"))
    changed = replace(workflow, digest="another", states={**workflow.states, "absent": odd})
    assert "&lt;b&gt;&amp;" in draw(changed, "absent", set(), "vi")
