"""The drawing of a walk: whole, safe, and with the broken step where the eye lands."""

import re
import xml.etree.ElementTree as ET
from functools import partial
from xml.etree.ElementTree import Element

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence.exhibits.walk_drawing import DESK, PAPER, Arrow, Picture, Thing, column, extent, fit, row, wrap

SVG = "{http://www.w3.org/2000/svg}"
OUTCOMES = ("PASSED", "FAILED", "INDETERMINATE")
HOSTILE = '<script>alert(1)</script>" onload="x\'&amp;]]>\u202e'


def picture(outcomes: list[str], *, label: str = "page.wacz", key: str = "walk-1") -> Picture:
    things = tuple(Thing(f"物{n}", label, pinned=n == len(outcomes)) for n in range(len(outcomes) + 1))
    arrows = tuple(Arrow("摘要比对", o, o.lower(), f"#finding-{n}", f"第 {n} 步 {label}") for n, o in enumerate(outcomes))
    return Picture(key, f"从 {label}", "说明", things, arrows)


def parsed(svg: str) -> Element:
    return ET.fromstring(svg)


DRAW = pytest.mark.parametrize("draw", [row, partial(row, most=PAPER), column], ids=["desk", "paper", "phone"])


@DRAW
@pytest.mark.parametrize("steps", [1, 4, 5, 8, 12])
def test_every_thing_is_a_box_and_every_check_a_link_to_its_finding(draw: object, steps: int) -> None:
    root = parsed(draw(picture(["PASSED"] * steps)))  # type: ignore[operator]
    assert [a.get("href") for a in root.iter(f"{SVG}a")] == [f"#finding-{n}" for n in range(steps)]
    assert all(a.get("aria-label") for a in root.iter(f"{SVG}a"))
    assert len(root.findall(f"{SVG}g")) == steps + 1
    # In the order in which it is read: thing, check, thing, check, … thing.
    order = [child.tag.removeprefix(SVG) for child in root if child.tag in {f"{SVG}a", f"{SVG}g"}]
    assert order.count("a") == steps and order[-1] == "g" and order[0] == "g"


@DRAW
@pytest.mark.parametrize("outcome", OUTCOMES)
def test_outcome_is_said_by_symbol_and_word_not_by_colour_alone(draw: object, outcome: str) -> None:
    said = {"PASSED": "通过", "FAILED": "不符", "INDETERMINATE": "未能核对"}[outcome]
    arrow = Arrow("摘要比对", outcome, said, "#finding-1", "第 1 步")
    link = parsed(draw(Picture("k", "t", "d", (Thing("甲", "a"), Thing("乙", "b")), (arrow,)))).find(f"{SVG}a")  # type: ignore[operator]
    assert link is not None
    texts = "".join(t.text or "" for t in link.iter(f"{SVG}text"))
    assert {"PASSED": "✓", "FAILED": "✗", "INDETERMINATE": "?"}[outcome] in texts and said in texts


@DRAW
def test_only_what_did_not_pass_is_framed_dashed_and_bold(draw: object) -> None:
    """To see it fail: draw every check alike."""
    root = parsed(draw(picture(["PASSED", "FAILED", "INDETERMINATE"])))  # type: ignore[operator]
    passed, failed, open_ = root.findall(f"{SVG}a")
    for link, loud in ((passed, False), (failed, True), (open_, True)):
        frame = link.find(f"{SVG}rect")
        path = link.find(f"{SVG}path")
        assert frame is not None and path is not None
        assert (frame.get("stroke") is not None) == loud
        assert (path.get("stroke-dasharray") is not None) == loud
        assert any(t.get("font-weight") == "700" for t in link.iter(f"{SVG}text") if t.text not in "✓✗?") == loud


@DRAW
def test_title_and_description_belong_to_this_drawing(draw: object) -> None:
    one, two = (parsed(draw(picture(["PASSED"], key=k))) for k in ("walk-1", "walk-2"))  # type: ignore[operator]
    for root in (one, two):
        title, desc = root.find(f"{SVG}title"), root.find(f"{SVG}desc")
        assert title is not None and desc is not None and title.text and desc.text
        assert (root.get("aria-labelledby"), root.get("aria-describedby")) == (title.get("id"), desc.get("id"))
    ids = [e.get("id") for root in (one, two) for e in root.iter() if e.get("id")]
    assert len(ids) == len(set(ids))


@DRAW
def test_a_hostile_label_stays_text(draw: object) -> None:
    """To see it fail: leave out one `escape`."""
    svg = draw(picture(["FAILED", "PASSED"], label=HOSTILE))  # type: ignore[operator]
    root = parsed(svg)
    assert {e.tag.removeprefix(SVG) for e in root.iter()} <= {"svg", "title", "desc", "g", "a", "rect", "text", "path", "polygon", "circle"}
    assert not [name for e in root.iter() for name in e.attrib if name.startswith("on") or name in {"style", "src", "{http://www.w3.org/1999/xlink}href"}]
    assert all(a.get("href", "").startswith("#") for a in root.iter(f"{SVG}a"))


@DRAW
@pytest.mark.parametrize("steps", [1, 3, 4, 7, 8, 11])
def test_boxes_lie_inside_the_drawing_and_do_not_overlap(draw: object, steps: int) -> None:
    root = parsed(draw(picture(["PASSED"] * steps)))  # type: ignore[operator]
    left, top, width, height = (int(v) for v in root.get("viewBox", "").split())
    boxes = []
    for group in root.findall(f"{SVG}g"):
        rect = group.find(f"{SVG}rect")
        assert rect is not None
        boxes.append(tuple(int(rect.get(k, "")) for k in ("x", "y", "width", "height")))
    for x, y, w, h in boxes:
        assert left <= x and x + w <= left + width and top <= y and y + h <= top + height
    for i, (x, y, w, h) in enumerate(boxes):
        for X, Y, W, H in boxes[i + 1 :]:
            assert x + w <= X or X + W <= x or y + h <= Y or Y + H <= y


@pytest.mark.parametrize(("most", "expected"), [(DESK, [5, 4]), (PAPER, [3, 3, 3])])
def test_a_row_is_broken_into_balanced_lines(most: int, expected: list[int]) -> None:
    root = parsed(row(picture(["PASSED"] * 8), most=most))
    lines: dict[str, int] = {}
    for group in root.findall(f"{SVG}g"):
        rect = group.find(f"{SVG}rect")
        assert rect is not None
        lines[rect.get("y", "")] = lines.get(rect.get("y", ""), 0) + 1
    assert list(lines.values()) == expected


@DRAW
def test_every_colour_is_one(draw: object) -> None:
    """A browser draws what it cannot read in black."""
    things = (Thing("甲", "a"), Thing("乙", "b", pinned=True), Thing("丙", "c", absent=True))
    arrows = tuple(Arrow("w", o, "s", "#x", "t") for o in OUTCOMES[:2])
    for element in parsed(draw(Picture("k", "t", "d", things, arrows))).iter():  # type: ignore[operator]
        for name in ("fill", "stroke"):
            assert re.fullmatch(r"#[0-9a-f]{6}|none", element.get(name, "none")), element.attrib


def test_a_walk_has_one_thing_more_than_checks() -> None:
    with pytest.raises(ValueError, match="one thing more"):
        Picture("k", "t", "d", (Thing("a", "b"),), (Arrow("w", "PASSED", "s", "#", "x"),))


@given(st.text(max_size=80), st.integers(min_value=30, max_value=300))
def test_text_is_cut_to_its_room(text: str, room: int) -> None:
    cut = fit(text, 13, room)
    assert extent(cut, 13) <= room and (cut == text or "…" in cut)
    assert len(wrap(text, 13, room)) <= 2 and all(extent(line, 13) <= room for line in wrap(text, 13, room))


def test_a_cut_file_name_keeps_its_ending() -> None:
    assert fit("recording-of-the-whole-purchase-process.mp4", 12, 130).endswith(".mp4")
