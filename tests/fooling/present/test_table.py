"""The terminal's view of a run: it must fit, count every class, and print users' labels as they are."""

from __future__ import annotations

import io
import re
from typing import Any

import numpy as np

from fooling.present.facts import facts, format_seconds
from fooling.present.table import headlines, table
from fooling.terminal import console
from fooling.text import format_bytes


def _printed(view: Any) -> str:
    file = io.StringIO()
    console(file, width=80).print(table(view))
    return file.getvalue()


def test_few_classes_are_listed_one_by_one(make_view: Any) -> None:
    text = _printed(make_view([0.9999, 0.5, np.nan]))
    assert re.search(r"0\s+label 0\s+99\.9900 %\s+10\b", text)
    assert re.search(r"2\s+label 2\s+–\s+–", text)


def test_what_the_classifier_calls_an_elite_is_told(make_view: Any) -> None:
    """A failure costs the truth: "tench 3.1 %" of an image that the network calls chain mail."""
    view = make_view([0.9, 0.03, np.nan], labels=["chain mail", "tench", "newt"], top1=[0, 0, -1])
    assert headlines(view)[3] == "1 of 2 elites are top-1: the classifier's first answer is their class"
    text = _printed(view)
    assert re.search(r"chain mail\s+90\.0 %\s+10\s+top-1", text)
    assert re.search(r"tench\s+3\.0 %\s+11\s+called chain mail", text)
    older = make_view([0.9, 0.5], top1=[-1, 1], name="older")
    assert "is not known" in headlines(older)[3]
    assert re.search(r"label 0\s+90\.0 %\s+10\s+unknown", _printed(older))
    labels = [f"{'long, ' * 9}{k}" for k in range(30)]
    many = _printed(make_view([0.5] * 30, labels=labels, top1=[0] * 30, name="many"))
    assert len(re.findall(r"called long, ", many)) > 9
    assert max(map(len, many.splitlines())) <= 80


def test_of_many_classes_every_one_is_counted_in_a_band(make_view: Any) -> None:
    rng = np.random.default_rng(0)
    confidence = rng.uniform(0, 1, 150).tolist() + [1.0] * 30 + [np.nan] * 20
    text = _printed(make_view(confidence, groups={"all of them": list(range(200)), "three": [1, 2, 3]}))
    bands = re.findall(r"^ (?:99\.99 % and up|\d+ to .+?%|below 50 %|no elite yet)\s+(\d+)", text, re.M)
    assert sum(map(int, bands)) == 200
    assert re.search(r"all of them\s+200", text)
    assert "most confident" in text
    assert "least confident" in text


def test_of_a_run_that_is_for_some_classes_only_those_are_told(make_view: Any) -> None:
    """A failure costs the median of five classes among a thousand: it would be that of 995 empty ones."""
    confidence = np.full(1000, np.nan)
    confidence[[3, 700]] = 0.995, 0.4
    few = make_view(confidence, target_classes=[3, 700, 999])
    listed = re.findall(r"^\s*(\d+)\s+label (\d+)", _printed(few), re.M)
    assert listed == [("3", "3"), ("700", "700"), ("999", "999")]
    assert headlines(few)[2].startswith("Median 40.0 %; 1 of 3 chosen classes reach 99 %, 0 ")
    assert headlines(few)[2].endswith("; 1 without an elite")
    assert dict(facts(few))["Classes"] == "3 of 1,000"
    many = _printed(
        make_view(confidence, target_classes=list(range(30)), groups={"some": [3, 4, 70], "none": [70]})
    )
    assert re.search(r"99 to 99\.99 %\s+1\b", many)
    assert re.search(r"no elite yet\s+29\b", many)
    assert re.search(r"some\s+2\b", many)
    assert "none" not in many


def test_nothing_is_wider_than_80_columns(make_view: Any) -> None:
    labels = [f"{'a very long label, ' * 5}{k}" for k in range(1000)]
    view = make_view(np.linspace(0, 1, 1000), labels=labels, groups={"g" * 90: [1]}, shape=(1, 1, 3))
    assert max(map(len, _printed(view).splitlines())) <= 80
    assert max(map(len, headlines(view)[1:])) <= 80


def test_a_label_that_looks_like_markup_is_printed_as_it_is(make_view: Any) -> None:
    assert "[bold]x[/bold] [/]" in _printed(make_view([0.5], labels=["[bold]x[/bold] [/]"]))


def test_a_run_without_elites_can_be_shown(make_view: Any) -> None:
    empty = make_view([np.nan] * 30, curve=[])
    assert re.search(r"no elite yet\s+30", _printed(empty))
    assert headlines(empty)[2].endswith("30 without an elite")


def test_durations_and_sizes_carry_over_to_the_next_unit() -> None:
    assert [format_seconds(s) for s in (8.44, 59.96, 200, 3599.6, 8040)] == [
        "8.4 s",
        "1 min 0 s",
        "3 min 20 s",
        "1 h 0 min",
        "2 h 14 min",
    ]
    assert [format_bytes(size) for size in (940, 31_400, 999_600, 12_345_678)] == [
        "940 B",
        "31 kB",
        "1.0 MB",
        "12.3 MB",
    ]
