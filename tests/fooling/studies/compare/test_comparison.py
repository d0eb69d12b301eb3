"""Comparisons of real small runs: groups, numbers, and what the command line makes of good and bad input."""

from __future__ import annotations

import io
import json
import re
import shutil
import signal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

import fooling
from fooling import classifiers
from fooling.cli import main
from fooling.confidence import format_confidence
from fooling.errors import InvalidError
from fooling.present.compare.figures import NAMES, classes, figures, trajectories
from fooling.present.compare.table import pages
from fooling.present.facts import summary_line
from fooling.store.reading import open_run
from fooling.store.snapshot import Snapshot
from fooling.store.statistics import describe
from fooling.store.summary import summary
from fooling.studies.compare.comparison import compare
from fooling.studies.compare.groups import groups, names
from fooling.studies.compare.images import Training
from fooling.studies.compare.result import LeftOut, Result
from fooling.studies.compare.study import found as as_result
from fooling.terminal import console

EVOLVED = ["search.generations=5", "search.population=20"]
ALONE = ["search.evaluations=12", "search.population=4"]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: Any) -> dict[str, Path]:
    """Four runs: two seeds of MAP-Elites of 120 evaluations each, and two of single-class, which makes as many."""
    folder = tmp_path_factory.mktemp("runs")
    for seed in (0, 1):
        for name, config, settings in (("map", "mnist-cppn", EVOLVED), ("one", "mnist-cppn-single", ALONE)):
            fooling.run(config, out=folder / f"{name}{seed}", assignments=settings, flags={"seed": seed})
    return {path.name: path for path in sorted(folder.iterdir())}


@pytest.fixture(scope="module")
def views(runs: dict[str, Path]) -> list[Snapshot]:
    return [open_run(path) for path in runs.values()]


class Thirty(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Linear(64, 30)
        with torch.no_grad():
            self.head.weight.copy_(torch.randn(30, 64, generator=torch.Generator().manual_seed(0)))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(x.flatten(1))


@pytest.fixture(scope="module")
def thirty(tmp_path_factory: Any) -> list[Path]:
    """Two runs on thirty classes with names that mean something to matplotlib and rich."""
    labels = tuple(f"[bold]${k}_$" for k in range(30))
    spec = classifiers.Spec(name="thirty", size=8, colour="grey", labels=labels)
    classifier = classifiers.from_module(Thirty().eval(), spec)
    folder = tmp_path_factory.mktemp("thirty")
    paths = []
    for encoding in ("cppn", "direct"):
        settings = [*EVOLVED, f"encoding.name={encoding}"]
        paths.append(
            fooling.run(out=folder / encoding, assignments=settings, classifier=classifier).directory
        )
    return paths


def test_repeats_are_grouped_and_named_by_what_tells_them_apart(views: list[Snapshot]) -> None:
    """A failure costs the rank test its samples."""
    assert groups(views) == [[0, 1], [2, 3]]
    assert names([views[0], views[2]]) == ["map-elites", "single-class"]
    assert names([views[0]]) == ["map-elites"]


def test_how_a_run_was_computed_makes_no_group(views: list[Snapshot], tmp_path: Path) -> None:
    other = fooling.run(
        "mnist-cppn", out=tmp_path / "a", assignments=[*EVOLVED, "run.chunk=3"], flags={"seed": 5}
    )
    assert groups([*views, other]) == [[0, 1, 4], [2, 3]]
    larger = fooling.run("mnist-cppn", out=tmp_path / "b", assignments=[*EVOLVED, "search.population=30"])
    assert groups([*views, larger]) == [[0, 1], [2, 3], [4]]
    assert names([views[0], larger]) == ["initial 20", "initial 30"]


def test_the_end_of_every_staircase_is_the_archive(views: list[Snapshot]) -> None:
    """A failure costs the figures: they would show other numbers than the runs do."""
    for run in compare(views).runs:
        assert run.confidence_at(run.trajectory.passes).tolist() == run.confidence.tolist()
        assert run.trajectory.passes == 120
    with_generation = compare(views).runs[0]
    found = with_generation.view.ids[:, 0]
    assert with_generation.passes.tolist() == [20.0 * (generation + 1) for generation in found]


def test_runs_are_compared_at_equal_cost(views: list[Snapshot], tmp_path: Path) -> None:
    """A failure costs fairness: a run that went on for longer would win."""
    longer = fooling.run(
        "mnist-cppn", out=tmp_path / "run", assignments=[*EVOLVED, "search.generations=40"], flags={"seed": 0}
    )
    found = compare([views[0], longer])
    assert found.common == 120
    assert [run.trajectory.passes for run in found.runs] == [120, 820]
    same = [run.confidence_at(found.common) for run in found.runs]
    assert same[0].tolist() == same[1].tolist()  # the same seed: the same first generations
    assert found.pairs[0].classes.p is None
    assert found.pairs[0].runs is None


def test_the_document(views: list[Snapshot]) -> None:
    """Other programs read these keys."""
    data = json.loads(
        json.dumps(
            as_result(compare(views), [LeftOut(what="gone", reason="no run")]).document(), allow_nan=False
        )
    )
    assert data["kind"] == "fooling comparison"
    assert data["format"] == 1
    assert data["classes"] == list("0123456789")
    assert "a backward pass counts as two" in data["passes"]
    assert data["common_passes"] == 120
    assert data["training"] is None
    assert data["left_out"] == [{"run": "gone", "reason": "no run"}]
    assert [(group["name"], group["seeds"]) for group in data["groups"]] == [
        ("map-elites", [0, 1]),
        ("single-class", [0, 1]),
    ]
    run = data["runs"][0]
    assert {
        "run",
        "name",
        "group",
        "seed",
        "model",
        "status",
        "evaluations",
        "passes",
        "seconds",
    } <= run.keys()
    assert run["confidence"]["median"] == np.median(views[0].confidence.astype(float))
    assert set(run["images"]) == {"grey_distance", "total_variation", "png_bytes"}
    assert [elite["class"] for elite in run["elites"]] == list(range(10))
    assert run["elites"][3]["confidence"] == float(views[0].confidence[3])
    assert {"passes", "grey_distance", "png_bytes"} <= run["elites"][3].keys()
    for curve, cost in zip(run["curves"], ("passes", "seconds"), strict=True):
        assert set(curve) == {cost, "median", "min", "max"}
        assert curve["median"][-1] == run["confidence"]["median"]
        assert np.all(np.diff(curve["median"]) >= 0)
    assert {test["test"] for test in data["tests"]} == {"mann-whitney-u", "wilcoxon"}
    assert all(len(test["n"]) == 2 for test in data["tests"])


def printed(found: Any) -> str:
    file = io.StringIO()
    console(file, width=80).print(*pages(found), sep="\n")
    return file.getvalue()


def test_the_tables_fit_80_columns_and_cut_no_number(views: list[Snapshot], thirty: list[Path]) -> None:
    """A failure costs what the command is for."""
    found = compare(views)
    said = printed(found)
    for number in range(10):
        for group in (0, 1):
            at = [run.confidence_at(found.common)[number] for run in found.of(group)]
            assert format_confidence(float(np.median(at))) in said
    assert "A beside B" in said
    assert "map-elites" in said
    assert "…" not in said
    assert "p is not corrected" not in said
    many = printed(compare([open_run(path) for path in thirty]))
    assert "direct" in many
    assert "Each class" not in many


def test_no_p_value_without_its_n(views: list[Snapshot], tmp_path: Path) -> None:
    """And where there are several, it is said that they are not corrected."""
    other = fooling.run("mnist-direct", out=tmp_path / "run", assignments=EVOLVED)
    said = printed(compare([*views, other]))
    rows = [line for line in said.splitlines() if "Mann-Whitney" in line or "Wilcoxon" in line]
    assert len(rows) == 4  # runs and classes of A beside B; classes of the others, of which one has one run
    assert re.search(r"runs +\d+% of pairs +Mann-Whitney U = \d+(\.5)? +[\d.]+ +2 \+ 2 *$", rows[0])
    assert all(re.search(r" \S+ +10 *$", row) for row in rows if "Wilcoxon" in row)
    assert "p is not corrected for 3 pairs" in " ".join(said.split())


def test_figures_are_pictures_that_fit_their_page(views: list[Snapshot], thirty: list[Path]) -> None:
    """For few classes and for many; names with a dollar sign begin no formula."""
    few = dict(figures(compare(views)))
    many = dict(figures(compare([open_run(path) for path in thirty])))
    assert list(few) == list(NAMES)
    assert list(many) == [name for name in NAMES if name != "trajectories.png"]
    for data in (*few.values(), *many.values()):
        picture = Image.open(io.BytesIO(data))
        assert 900 <= picture.width <= 1600
        assert 200 <= picture.height <= 1600
        assert len(np.unique(np.asarray(picture.convert("L")))) > 20


def test_classes_that_no_run_aims_at_get_no_panel(tmp_path: Path) -> None:
    """Of a thousand classes a search for two would show 998 empty lines."""
    target_classes = [*ALONE, "search.classes=[3,5]"]
    paths = [tmp_path / str(seed) for seed in (0, 1)]
    for seed, path in enumerate(paths):
        fooling.run("mnist-direct-single", out=path, assignments=target_classes, flags={"seed": seed})
    found = compare([open_run(path) for path in paths])
    shown = [axes.get_title() for axes in trajectories(found).axes if axes.get_visible()]
    (axes,) = classes(found).axes
    assert shown == [label.get_text() for label in axes.get_yticklabels()] == ["3", "5"]


def test_other_classes_are_refused(views: list[Snapshot], thirty: list[Path]) -> None:
    message = r"expected runs on the same classes; .*map0 has 10 \(0, 1, 2, ...\), .*cppn has 30 \(\[bold\]"
    with pytest.raises(InvalidError, match=message):
        compare([views[0], open_run(thirty[0])])


@pytest.fixture
def here(monkeypatch: Any, capsys: Any) -> Any:
    """The command line in this process."""

    def call(*arguments: Any) -> SimpleNamespace:
        monkeypatch.setattr("sys.argv", ["fooling", *map(str, arguments)])
        with pytest.raises(SystemExit) as end:
            main()
        printed = capsys.readouterr()
        assert "Traceback" not in printed.err
        return SimpleNamespace(code=end.value.code, out=printed.out, err=printed.err)

    return call


def test_the_command_writes_a_folder_and_says_where(here: Any, runs: dict[str, Path], tmp_path: Path) -> None:
    result = here("compare", *runs.values(), "--out", tmp_path / "out")
    assert result.code == 0, result.err
    files = {"comparison.json", "gallery.html", *NAMES}
    assert {path.name for path in (tmp_path / "out").iterdir()} == files
    for name in files:
        assert name in result.out
    for said in ("map-elites", "single-class", "Mann-Whitney U", "a backward pass counts as two"):
        assert said in " ".join(result.out.split())


def test_an_older_comparison_is_replaced_and_nothing_else_is(
    here: Any, runs: dict[str, Path], thirty: list[Path], tmp_path: Path
) -> None:
    """A failure costs a user's files, or mixes figures of two comparisons."""
    out = tmp_path / "out"
    assert here("compare", *runs.values(), "--out", out).code == 0
    assert here("compare", *thirty, "--out", out).code == 0
    assert not (out / "trajectories.png").exists()
    assert json.loads((out / "comparison.json").read_text())["classes"][0] == "[bold]$0_$"
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "comparison.json").write_text('{"kind": "of my own"}')
    result = here("compare", *thirty, "--out", tmp_path / "mine")
    assert result.code == 1
    assert "exists and is no fooling comparison; remove it, or give another --out, or --force" in result.err
    assert here("compare", *thirty, "--out", tmp_path / "mine", "--force").code == 0
    assert json.loads((tmp_path / "mine" / "comparison.json").read_text())["kind"] == "fooling comparison"


def test_json_alone_is_on_stdout(here: Any, runs: dict[str, Path], tmp_path: Path) -> None:
    result = here("compare", *runs.values(), "--out", tmp_path / "out", "--json")
    assert json.loads(result.out) == json.loads((tmp_path / "out" / "comparison.json").read_text())


def test_a_damaged_run_is_left_out_and_named(here: Any, runs: dict[str, Path], tmp_path: Path) -> None:
    """Exit code 5: partly done."""
    damaged = tmp_path / "damaged"
    shutil.copytree(runs["map0"], damaged)
    for path in (damaged / "checkpoints").iterdir():
        path.write_bytes(b"torn")
    given = (runs["map1"], damaged, runs["one0"])
    result = here("compare", *given, "--out", tmp_path / "out", "--json")
    assert result.code == 5
    assert [line for line in result.err.splitlines() if "damaged was left out: " in line]
    data = json.loads(result.out)
    assert [run["name"] for run in data["runs"]] == ["map1", "one0"]
    assert data["left_out"][0]["run"] == str(damaged)
    alone = here("compare", runs["map1"], damaged, "--out", tmp_path / "other")
    assert alone.code == 1
    assert "no checkpoint is whole" in alone.err
    assert not (tmp_path / "other").exists()


def test_bad_input(here: Any, runs: dict[str, Path], thirty: list[Path], tmp_path: Path) -> None:
    first, second = runs["map0"], runs["one0"]
    out = ("--out", tmp_path / "out")
    for arguments, code, words in (
        ((first,), 2, "expected two runs or more, found 1"),
        ((first, first), 2, "expected each run once"),
        ((first, tmp_path / "nowhere"), 4, "no run directory"),
        ((first, thirty[0]), 3, "expected runs on the same classes"),
        ((first, second, "--data", tmp_path), 3, "expected class folders, images named by class index"),
    ):
        result = here("compare", *arguments, *out)
        assert result.code == code, result.err
        assert words in result.err
        assert len([line for line in result.err.splitlines() if line.startswith("error:")]) == 1
    assert not (tmp_path / "out").exists()


def test_distance_to_the_training_set(here: Any, runs: dict[str, Path], assets: Path, tmp_path: Path) -> None:
    result = here("compare", *runs.values(), "--out", tmp_path / "o", "--data", assets / "mnist", "--json")
    data = json.loads(result.out)
    assert data["training"]["images"] == 60000
    elite = data["runs"][0]["elites"][0]
    assert 0 < elite["training_distance"] < 1
    assert elite["nearest_label"] in range(10)


def test_elites_that_are_as_near_as_test_images_are_marked(views: list[Snapshot]) -> None:
    """A failure costs the claim that an image shows nothing: one that is a training digit would pass as fooling."""
    pixels = np.concatenate([views[0].images[3:4], 255 - views[0].images])
    training = Training(pixels, np.arange(len(pixels)), Path("digits"), 0.1, near=0.05)
    found = compare(views[:2], training)
    assert 3 in found.runs[0].near(training)
    data = as_result(found).document()
    assert data["training"]["near_distance"] == 0.05
    for run in data["runs"]:
        marked = [elite["near_training"] for elite in run["elites"]]
        assert marked == [elite["training_distance"] <= 0.05 for elite in run["elites"]]
        assert run["near_training"] == sum(marked)
    said = io.StringIO()
    console(said, width=80).print(*pages(found), sep="\n")
    assert "as near to training images" in said.getvalue()
    assert len(dict(figures(found))["images.png"]) > 1000
    assert as_result(compare(views[:2])).document()["runs"][0]["near_training"] is None


def test_a_result_is_drawn_from_its_json_alone(views: list[Snapshot]) -> None:
    """A failure costs whoever stores results: a table made later would differ from the one made at once."""
    found = as_result(compare(views))
    again = Result.model_validate_json(json.dumps(found.document()))
    assert again == found
    assert "comparison" not in vars(again)
    assert printed(again.comparison) == printed(found.comparison)


def test_an_interrupted_run_has_one_median(runs: dict[str, Path], tmp_path: Path, here: Any) -> None:
    """A failure costs trust in every median: the log says one thing, a table or `compare --json` another, under the
    same key."""
    out = tmp_path / "run"

    def interrupt(view: Snapshot) -> None:
        if len(view.archive.occupied) == 3:  # the third class has begun; two are kept
            signal.raise_signal(signal.SIGINT)

    settings = [*ALONE, "run.checkpoint_seconds=0"]
    view = fooling.run("mnist-cppn-single", out=out, assignments=settings, report=interrupt)
    assert (view.status, len(view.archive.occupied)) == ("interrupted", 2)
    expected = {**describe(view.confidence), "classes": 10}
    assert (expected["median"], expected["min"], expected["occupied"]) == (0.0, 0.0, 2)
    assert summary(view).confidence.document() == expected
    last = open_run(out).curve[-1]
    assert {key: last[key] for key in expected if key != "classes"}.items() <= expected.items()
    assert view.statistics.median == 0.0
    assert summary_line(view).startswith("Median 0 %; ")
    assert summary_line(view).endswith("; 8 without an elite")
    data = json.loads(here("compare", out, runs["one0"], "--out", tmp_path / "o", "--json").out)
    assert data["runs"][0]["confidence"] == expected
    assert data["runs"][0]["median_at_common_passes"] == 0.0
    assert data["runs"][0]["curves"][0]["median"][-1] == 0.0
