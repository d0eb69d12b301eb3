"""The gallery's file: self-contained, inert whatever users call their classes, and complete. A failure here
means script of a stranger in a colleague's browser, or an elite that nobody gets to see."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from fooling.present.gallery import gallery, write_gallery
from fooling.present.wall import steps_of
from fooling.text import format_bytes
from tests.fooling.present.conftest import edited

HOSTILE = "</script></title></style><img src=x onerror=alert(1)><!--\"'&"


class Page(HTMLParser):
    """What a browser would see: the tags, and the text of scripts and styles."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, str] = {}
        self._inside: str | None = None
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        self.tags.append((tag, attributes))
        self._inside = str(attributes.get("id") or tag) if tag in ("script", "style") else None

    def handle_endtag(self, tag: str) -> None:
        self._inside = None

    def handle_data(self, data: str) -> None:
        if self._inside is not None:
            self.texts[self._inside] = self.texts.get(self._inside, "") + data


def _page(*views: Any) -> Page:
    return Page("".join(gallery(views)))


def _data(page: Page) -> Any:
    return json.loads(page.texts["data"])


@pytest.fixture
def hostile(make_view: Any) -> Any:
    view = make_view([0.9, 0.8], labels=[HOSTILE, "ok"], groups={HOSTILE: [0]}, status=HOSTILE)
    spec = view.spec.model_copy(update={"model": HOSTILE})
    return replace(view, spec=spec, directory=Path("/runs") / HOSTILE.replace("/", ""))


def test_hostile_names_change_no_tag_of_the_page(make_view: Any, hostile: Any) -> None:
    harmless = make_view([0.9, 0.8], groups={"g": [0]})
    tags = [tag for tag, _ in _page(hostile).tags]
    assert tags == [tag for tag, _ in _page(harmless).tags]
    assert _data(_page(hostile))["classes"][0]["label"] == HOSTILE


def test_only_this_script_and_style_may_run(hostile: Any) -> None:
    page = _page(hostile)
    (policy,) = [str(a["content"]) for tag, a in page.tags if tag == "meta" and "http-equiv" in a]
    assert policy.startswith("default-src 'none'; ")
    for kind in ("script", "style"):
        digest = base64.b64encode(hashlib.sha256(page.texts[kind].encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}'" in policy


def test_nothing_is_fetched(make_view: Any) -> None:
    page = _page(make_view())
    for _, attributes in page.tags:
        for name in ("src", "href", "srcset", "action", "data"):
            assert (attributes.get(name) or "data:").startswith(("data:", "#"))
        assert not any(name.startswith("on") or name == "style" for name in attributes)
    assert "url(" not in page.texts["style"]
    assert "@import" not in page.texts["style"]


def test_each_distinct_image_is_there_once_bit_for_bit(make_view: Any) -> None:
    first = make_view([0.9, 0.8, np.nan, 0.7], image=[0, 1, -1, 0], shape=(6, 6, 3))
    second = make_view([0.9, 0.8], image=[0, 1], shape=(6, 6, 3), name="other")
    page = _page(first, second)
    images = {name: text for name, text in page.texts.items() if name.startswith("image-")}
    assert len(images) == 2
    for view, run in zip((first, second), _data(page)["runs"], strict=True):
        for index, row in enumerate(view.stored_rows):
            if row < 0:
                assert run["elites"][index] is None
                continue
            with Image.open(
                io.BytesIO(base64.b64decode(images[f"image-{run['elites'][index][4]}"]))
            ) as image:
                np.testing.assert_array_equal(np.asarray(image), view.stored_pixels[row])


def test_the_script_comes_before_the_images_and_the_surest_image_first(make_view: Any) -> None:
    """A failure costs whoever opens the gallery of a large run seconds before an empty window."""
    text = "".join(gallery([make_view([0.5, 0.9, 0.7], shape=(6, 6, 3))]))
    assert re.findall(r'<script>|id="image-(\d)"', text) == ["", "1", "2", "0"]


def test_confidences_reach_the_page_as_the_same_float32(make_view: Any) -> None:
    view = make_view([0.99999994, 0.1, 1e-30])
    sent = [elite[0] for elite in _data(_page(view))["runs"][0]["elites"]]
    np.testing.assert_array_equal(np.array(sent, np.float32), view.confidence)


def test_the_same_class_of_two_runs_is_one_entry_and_different_classes_are_two(make_view: Any) -> None:
    first = make_view([0.9, 0.8], labels=["cat", "dog"], groups={"pets": [0, 1]})
    second = make_view([0.9, 0.8, 0.7], labels=["cat", "fox", "fooling"], name="other")
    data = _data(_page(first, second))
    assert [(entry["index"], entry["label"]) for entry in data["classes"]] == [
        (0, "cat"),
        (1, "dog"),
        (1, "fox"),
        (2, "fooling"),
    ]
    assert [entry["groups"] for entry in data["classes"]] == [[0], [0], [], []]
    assert [elite is None for elite in data["runs"][0]["elites"]] == [False, False, True, True]


def test_classes_that_no_run_is_for_are_no_entries(make_view: Any) -> None:
    """A failure costs the reader a thousand empty cards around the two that there are."""
    groups = {"low": [0, 1], "high": [2, 3]}
    first = make_view([np.nan, 0.9, np.nan, np.nan], target_classes=[1, 3], groups=groups)
    second = make_view([0.8, np.nan, np.nan, np.nan], target_classes=[0], groups=groups, name="other")
    data = _data(_page(first, second))
    assert [entry["index"] for entry in data["classes"]] == [0, 1, 3]
    assert [[data["groups"][group] for group in entry["groups"]] for entry in data["classes"]] == [
        ["low"],
        ["low"],
        ["high"],
    ]
    assert [[elite is not None for elite in run["elites"]] for run in data["runs"]] == [
        [False, True, False],
        [True, False, False],
    ]
    assert [run["classes"] for run in data["runs"]] == [2, 1]


def test_runs_of_the_same_name_can_be_told_apart(make_view: Any) -> None:
    runs = _data(_page(make_view(), make_view(), make_view(name="other")))["runs"]
    assert [run["name"] for run in runs] == ["run (1)", "run (2)", "other"]


def test_the_page_states_its_size(make_view: Any, tmp_path: Path) -> None:
    size = write_gallery([make_view(shape=(60, 60, 3))], tmp_path / "gallery.html")
    text = (tmp_path / "gallery.html").read_text(encoding="utf-8")
    assert size == len(text.encode()) == (tmp_path / "gallery.html").stat().st_size
    stated = int(text.split("This file: ")[1].split(" kB")[0])
    assert stated * 1000 == pytest.approx(size, abs=1500)
    assert format_bytes(size).endswith("kB")


def test_a_gallery_that_fails_midway_leaves_the_old_one(make_view: Any, tmp_path: Path) -> None:
    path = tmp_path / "gallery.html"
    path.write_text("old")
    broken = edited(make_view(), pixels=np.zeros((3, 6, 6, 1), np.float32))
    with pytest.raises(ValueError, match="expected pixels"):
        write_gallery([broken], path)
    assert path.read_text() == "old"
    assert [found.name for found in tmp_path.iterdir() if found.is_file()] == ["gallery.html"]


def test_no_runs_is_an_error_at_once() -> None:
    with pytest.raises(ValueError, match="expected one run or more"):
        gallery([])


steps = st.lists(st.tuples(*[st.sampled_from([0.0, 0.5, float("nan")])] * 3), max_size=30)


@given(steps)
def test_the_thinned_curve_is_the_same_staircase(values: list[tuple[float, float, float]]) -> None:
    rows = [
        {"generation": g, "evaluations": 10 * g, "min": low, "median": middle, "max": high}
        for g, (low, middle, high) in enumerate(values)
    ]
    thinned = list(steps_of(rows))
    for row in rows:
        last = [kept for kept in thinned if int(kept[0] or 0) <= row["generation"]][-1]
        expected = [None if v != v else v for v in (row["min"], row["median"], row["max"])]
        assert last[2:5] == expected
    assert [kept[0] for kept in thinned[-1:]] == [row["generation"] for row in rows[-1:]]
