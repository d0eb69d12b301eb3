"""The gallery in headless Chromium: what a person gets to see and do. A failure here is a page that looks
right in its source and does not work."""

from __future__ import annotations

import html
import json
import re
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fooling.confidence import format_confidence
from fooling.present.gallery import write_gallery

pytestmark = pytest.mark.browser

HOSTILE = "</script><img src=x onerror=\"document.title='hacked'\">"


@pytest.fixture
def browse(chromium: str, tmp_path: Path) -> Any:
    """`browse(views, address="", act="")`: the page's DOM at an address, after `act` was run in it; and
    nothing was refused or thrown on the way."""

    def open_page(views: list[Any], address: str = "", act: str = "") -> str:
        path = tmp_path / "gallery.html"
        write_gallery(views, path)
        if act:  # only then is the policy lifted, as it would refuse a script of ours too
            page = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", path.read_text())
            path.write_text(page.replace("</body>", f"<script>{act}</script></body>"))
        return _dump_dom(chromium, path.as_uri() + address, tmp_path / "profile")

    return open_page


def _dump_dom(chromium: str, url: str, profile: Path) -> str:
    command = [chromium, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync"]
    command += ["--disable-background-networking", "--disable-component-update", "--enable-logging=stderr"]
    command += [f"--user-data-dir={profile}", "--window-size=1280,900", "--virtual-time-budget=2000"]
    result = subprocess.run(
        [*command, "--dump-dom", url], capture_output=True, text=True, timeout=200, check=True
    )
    complaints = [line for line in result.stderr.splitlines() if "CONSOLE" in line]
    assert not complaints, complaints
    return result.stdout


def _wall(dom: str) -> list[str]:
    """The names on the wall, in order."""
    wall = dom.split('<ul id="wall"')[1].split('<p id="nothing"')[0]
    return [html.unescape(name) for name in re.findall(r'<p class="name" title="([^"]*)"', wall)]


def _result(dom: str) -> Any:
    """What `act` left in the document's title, as JSON."""
    return json.loads(html.unescape(dom.split("<title>")[1].split("</title>")[0]))


def _facets(dom: str) -> dict[str, int]:
    found = re.findall(r'class="choice">([^<]*)</span><span class="number">([\d,]+)<', dom)
    return {name: int(count.replace(",", "")) for name, count in found}


def test_every_class_is_on_the_wall_also_those_without_an_elite(make_view: Any, browse: Any) -> None:
    dom = browse([make_view([0.5, np.nan, 0.9])])
    assert _wall(dom) == ["label 2", "label 0", "label 1"]  # the most confident first
    assert 'id="count" aria-live="polite">3 classes<' in dom
    assert dom.count('class="vacant"') == 1
    assert dom.count('src="data:image/png;base64,') == 2
    assert 'alt="Elite of class 2, label 2: 90.0 %"' in dom


def test_the_script_words_confidences_as_python_does(make_view: Any, browse: Any) -> None:
    edges = [1.0, 0.99999994, 0.999999, 0.9999989, 0.99995, 0.9999, 0.99989, 0.99, 0.98999, 0.001, 9e-4, 0.0]
    drawn = np.random.default_rng(0).uniform(0, 1, 40).astype(np.float32)
    near_one = 1 - 10 ** np.random.default_rng(1).uniform(-7, -1, 40).astype(np.float32)
    view = make_view([*edges, *drawn, *near_one], shape=(1, 1, 1))
    said = re.findall(r'<p class="said">([^<]*)<', browse([view], "#sort=class"))
    assert said == [format_confidence(value) for value in view.confidence]


def test_hostile_labels_are_shown_as_text_and_run_nothing(make_view: Any, browse: Any) -> None:
    view = make_view([0.9, 0.8], labels=[HOSTILE, "ok"], groups={HOSTILE: [0]}, status=HOSTILE)
    dom = browse([view], "#open=0")
    assert "hacked</title>" not in dom
    assert _wall(dom) == [HOSTILE, "ok"]
    assert html.escape(HOSTILE, quote=False) in dom.split('id="detail-label"')[1][:200]


def test_an_address_restores_filter_order_and_facets(make_view: Any, browse: Any) -> None:
    view = make_view(
        [0.9999, 0.995, 0.3, 0.999, 0.95],
        labels=["dog A", "dog B", "dog C", "cat", "dog D"],
        groups={"odd, one": [1, 3], "even": [0, 2, 4]},
    )
    dom = browse([view], "#q=dog&group=even")
    assert _wall(dom) == ["dog A", "dog D", "dog C"]
    assert "3 of 5 classes" in dom
    # A facet's counts obey the other filters, not its own.
    counts = _facets(dom)
    assert counts["even"] == 3
    assert counts["odd, one"] == 1
    assert counts["99.99 % and up"] == 1
    assert counts["99 to 99.99 %"] == 0
    dom = browse([view], "#band=99+to+99.99+%25&reverse=true")
    assert _wall(dom) == ["dog B", "cat"]
    assert _wall(browse([view], "#group=odd%2C+one&sort=class")) == ["dog B", "cat"]
    assert _wall(browse([view], "#q=3")) == ["cat"]


def test_a_nonsense_address_shows_the_whole_wall(make_view: Any, browse: Any) -> None:
    address = "#run=9&sort=constructor&band=x&group=y&tile=-4&open=77&zoom=1e9&pick=zz"
    assert len(_wall(browse([make_view()], address))) == 3


def test_a_filter_that_finds_nothing_says_so(make_view: Any, browse: Any) -> None:
    dom = browse([make_view()], "#q=zebra")
    assert _wall(dom) == []
    assert '<p id="nothing" class="notice">' in dom


def test_the_large_view_says_everything_about_an_elite(make_view: Any, browse: Any) -> None:
    view = make_view([0.99999994, 0.5, 1.0], image=[0, 1, 0], groups={"g": [0]})
    detail = browse([view], "#open=0&zoom=8").split('<dialog id="detail"')[1].split("</dialog>")[0]
    terms = dict(re.findall(r"<dt>([^<]*)</dt><dd>([^<]*)</dd>", detail))
    assert terms["Confidence"] == "0.99999994"
    assert terms["1 − confidence"] == "5.96e-8"
    assert terms["Id"] == "10/0/0: generation 10, stream 0, child 0"
    assert terms["Rank"] == "2 of 3"
    assert terms["Groups"] == "g"
    assert "width: 48px; height: 48px" in detail  # 6 pixels, each 8 wide
    assert "label 2" in detail.split("also the elite of")[1]
    assert 'download="0000.png"' in detail


# For the scripts below: press a key where the focus is, and report to the test when all has settled.
HELPERS = """
    const press = (key) =>
        document.activeElement.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
    const report = (values) => setTimeout(() => (document.title = JSON.stringify(values())), 500);
"""


def test_arrow_keys_walk_through_what_the_wall_shows(make_view: Any, browse: Any) -> None:
    view = make_view([0.5, np.nan, 0.9, 0.7])
    act = f"""{HELPERS}
        const seen = [];
        const note = () => seen.push(byId("detail-label").textContent);
        note();
        for (const key of ["ArrowRight", "ArrowRight", "ArrowRight", "ArrowLeft"]) {{ press(key); note(); }}
        press("1"); seen.push(byId("picture").style.width);
        press("+"); seen.push(byId("picture").style.width);
        dialog.addEventListener("close", () => report(() => [...seen, dialog.open, state.open]));
        byId("close").click();"""
    seen = _result(browse([view], "#sort=confidence&open=2", act))
    assert seen == ["label 2", "label 3", "label 0", "label 0", "label 3", "6px", "12px", False, None]


def test_clicks_and_keys_change_the_address(make_view: Any, browse: Any) -> None:
    act = f"""{HELPERS}
        document.querySelector("#wall a").focus();
        press("ArrowRight");
        document.activeElement.click();
        const opened = location.hash;
        byId("close").click();
        press("/");
        const typing = document.activeElement.id;
        byId("query").value = "label 1";
        byId("query").dispatchEvent(new Event("input"));
        report(() => [opened, typing, location.hash, shown.length]);"""
    assert _result(browse([make_view()], "", act)) == ["#open=1&pick=0", "query", "#q=label+1", 1]


def test_closing_the_large_view_keeps_the_place_on_the_wall(make_view: Any, browse: Any) -> None:
    act = f"""{HELPERS}
        scrollTo(0, 3000);
        drawRows(); // as the next frame would, which this browser may leave out
        const middle = [...document.querySelectorAll("#wall a")].find((link) => link.getBoundingClientRect().top > 100);
        middle.click();
        byId("close").click();
        dialog.addEventListener("close", () => report(() => [dialog.open, scrollY, document.activeElement === middle]));"""
    view = make_view(np.linspace(0, 1, 300), shape=(28, 28, 1))
    assert _result(browse([view], "", act)) == [False, 3000, True]


def test_runs_lie_side_by_side_and_can_be_ordered_by_difference(make_view: Any, browse: Any) -> None:
    first = make_view([0.9, 0.5, 0.99])
    second = make_view([0.9, 0.99, 0.999], name="other", seed=1)
    dom = browse([first, second], "#sort=difference")
    assert _wall(dom) == ["label 1", "label 2", "label 0"]
    assert len(re.findall(r'class="tile( higher)?"', dom)) == 6
    assert 'alt="Elite of class 1, label 1: 99.00 %, run B"' in dom
    alone = browse([first, second], "#run=1&sort=confidence")
    assert len(re.findall(r'class="tile( higher)?"', alone)) == 3
    assert _wall(alone) == ["label 2", "label 1", "label 0"]


def test_cards_are_made_when_they_come_near_the_window(make_view: Any, browse: Any) -> None:
    """A failure costs a page of 21,843 classes: its browser tab does not answer for minutes."""
    count = 21_843
    view = make_view(np.linspace(0, 1, count), shape=(28, 28, 1), image=np.arange(count) % 7)
    act = f"""{HELPERS}
        const wall = byId("wall"), length = wall.clientHeight, before = wall.children.length;
        const took = (act) => {{ const begin = performance.now(); act(); return performance.now() - begin; }};
        const slowest = Math.max(...["1", "12", "label 123", ""].map((text) => took(() => {{
            byId("query").value = text;
            byId("query").dispatchEvent(new Event("input"));
            wall.getBoundingClientRect();
        }})));
        scrollTo(0, document.documentElement.scrollHeight);
        drawRows(); // as the next frame would, which this browser may leave out
        setTimeout(() => report(() => [
            before, wall.children.length, Math.abs(wall.clientHeight - length), wall.lastElementChild.textContent, slowest,
        ]), 300);"""
    before, after, change, last, slowest = _result(browse([view], "#sort=class", act))
    assert 20 < before < 200
    assert 20 < after < 200
    assert change < 1  # it is as long as if all cards were there
    assert "label 21842" in last
    assert slowest < 500  # milliseconds; 20 to 40 on a quiet machine, 4,000 if every card was made


def test_arrow_keys_reach_every_card_of_a_long_wall(make_view: Any, browse: Any) -> None:
    """Without it, whoever uses the keyboard is stopped where the cards that are made end."""
    view = make_view(np.linspace(0, 1, 400), shape=(28, 28, 1))
    act = f"""{HELPERS}
        document.querySelector("#wall a").focus();
        const seen = [];
        for (let i = 0; i < 30; i += 1) press("ArrowDown");
        seen.push(entryOf(document.activeElement).index === 30 * columns);
        press("ArrowLeft");
        seen.push(entryOf(document.activeElement).index === 30 * columns - 1);
        press("ArrowUp");
        seen.push(entryOf(document.activeElement).index === 29 * columns - 1);
        const box = document.activeElement.getBoundingClientRect();
        seen.push(box.top >= 0 && box.bottom <= innerHeight);
        report(() => seen);"""
    assert _result(browse([view], "#sort=class", act)) == [True, True, True, True]


def test_a_card_says_what_an_elite_is_called_instead(make_view: Any, browse: Any) -> None:
    """A failure costs the truth: an image that the network calls chain mail would be shown as its tench."""
    view = make_view(
        [0.9, 0.03, 0.02, np.nan], labels=["sock", "tench", HOSTILE, "newt"], top1=[0, 2, -1, -1]
    )
    dom = browse([view], "#sort=class&open=1")
    answers = [html.unescape(said) for said in re.findall(r'<p class="answer[^>]*>([^<]*)</p>', dom)]
    assert answers == ["top-1", f"called {HOSTILE}, 75.0 %", "first answer not known", "\xa0"]
    assert (
        html.unescape(dom.split("<dt>First answer</dt><dd>")[1].split("</dd>")[0])
        == f"{HOSTILE} (class 2), 75.0 %"
    )
    assert "<b>unknown</b>of 4 are top-1" in dom
    counts = _facets(dom)
    assert (counts["the class itself"], counts["another class"], counts["not known"]) == (1, 1, 1)
    assert _wall(browse([view], "#answer=another+class")) == ["tench"]
    known = browse([make_view([0.9, 0.5, 0.4], top1=[0, 0, 2], name="known")])
    assert "<b>2</b>of 3 are top-1" in known


def test_several_runs_are_drawn_over_evaluations(make_view: Any, browse: Any) -> None:
    """A failure costs the comparison: a generation of one search may be 3 images, of another 400."""
    one = browse([make_view()]).split('id="curve-plot"')[1]
    both = browse([make_view(), make_view(name="other")]).split('id="curve-plot"')[1]
    assert ">generation 0</text>" in one
    assert ">20</text>" in one
    assert ">evaluations</text>" in both
    assert ">4,200</text>" in both


def test_the_curve_is_drawn_and_described(make_view: Any, browse: Any) -> None:
    dom = browse([make_view()])
    assert "median confidence from 20.0 % at generation 0 to 99.50 % at generation 20" in dom
    path = re.search(r'<path class="curve run-0" d="(M[^"]+)"', dom)
    assert path is not None
    assert "NaN" not in dom.split('id="curve-plot"')[1].split("</svg>")[0]
