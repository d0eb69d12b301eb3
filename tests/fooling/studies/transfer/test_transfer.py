"""`fooling transfer`: what it says is what plain torch and Pillow say of the same PNGs."""

from __future__ import annotations

import json
import shutil
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from rich.console import Console

from fooling import classifiers
from fooling.classifiers.spec import parse
from fooling.errors import Interrupted, InvalidError
from fooling.present.transfer.folder import PAGE, _thumb, page, write
from fooling.present.transfer.table import pages
from fooling.store.reading import open_run
from fooling.studies.protocol import Progress
from fooling.studies.transfer.measure import Responses, Source, respond
from fooling.studies.transfer.result import Request, Result
from fooling.studies.transfer.study import found as as_result
from fooling.studies.transfer.study import study

TARGETS = ("builtin:lenet", "builtin:lenet-b")


@pytest.fixture(scope="module")
def found(fooling: Any, small_run: Any, tmp_path_factory: Any) -> tuple[Path, dict[str, Any]]:
    out = tmp_path_factory.mktemp("transfer") / "out"
    result = fooling("transfer", small_run[0], "--to", ",".join(TARGETS), "--out", out, "--json")
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""
    return out, json.loads(result.stdout)


def plain(network: torch.nn.Module, folder: Path, classes: list[int]) -> np.ndarray:
    """(n, K): confidences of a run's PNGs, read and classified without this software's preprocessing."""
    images = [
        np.asarray(Image.open(folder / f"elites/{number:04d}.png"), np.float32) / 255 for number in classes
    ]
    with torch.no_grad():
        return network(torch.from_numpy(np.stack(images))[:, None]).softmax(1).numpy()


def test_its_cells_are_those_of_plain_torch(found: Any, small_run: Any) -> None:
    """A failure costs every number of every table."""
    elites = small_run[1]["elites"]
    classes = [elite["class"] for elite in elites]
    for cell in found[1]["cells"]:
        said = plain(classifiers.load(cell["target"]).network, small_run[0], classes)  # type: ignore[arg-type]
        own = said[np.arange(len(classes)), classes]
        assert cell["images"] == len(classes)
        assert cell["same_top1"] == (said.argmax(1) == classes).mean()
        assert cell["same_top5"] == np.mean(
            [c in row.argsort()[-5:] for c, row in zip(classes, said, strict=True)]
        )
        assert cell["mean_confidence"] == pytest.approx(own.mean(), abs=1e-6)
        assert cell["median_confidence"] == pytest.approx(np.median(own), abs=1e-6)
        assert cell["at_least_0.99"] == (own >= np.float32(0.99)).mean()


def test_at_home_the_confidences_are_those_of_the_run(found: Any, small_run: Any) -> None:
    """To the bit: contract 1."""
    images = found[1]["images"]
    for image, elite in zip(images, small_run[1]["elites"], strict=True):
        home = next(answer for answer in image["targets"] if answer["target"] == "builtin:lenet")
        assert home["confidence"] == image["confidence"] == elite["confidence"]


def test_the_folder_has_the_data_the_heat_map_and_the_page(found: Any) -> None:
    out, data = found
    assert json.loads((out / "transfer.json").read_text()) == data
    assert Image.open(out / "matrix.png").size[0] > 300
    text = (out / "transfer.html").read_text()
    assert "<script src" not in text
    assert "http://" not in text.replace("http://www.w3.org", "")
    assert {"sources", "targets", "cells"} <= set(data)


def test_workers_change_nothing(fooling: Any, found: Any, small_run: Any, tmp_path: Path) -> None:
    flags = ("--workers", "2", "--out", tmp_path / "out", "--json")
    result = fooling("transfer", small_run[0], "--to", TARGETS[1], *flags)
    assert result.returncode == 0, result.stderr
    expected = [cell for cell in found[1]["cells"] if cell["target"] == TARGETS[1]]
    assert json.loads(result.stdout)["cells"] == expected


def test_cppns_can_be_drawn_at_the_targets_size(fooling: Any, small_run: Any, tmp_path: Path) -> None:
    """At the same size it is the same image."""
    result = fooling(
        "transfer", small_run[0], "--to", TARGETS[0], "--rerender", "--out", tmp_path / "o", "--json"
    )
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout)["cells"][0]["same_top1"] == 1.0


def test_one_of_several_that_is_damaged_leaves_the_others(
    fooling: Any, small_run: Any, tmp_path: Path
) -> None:
    """A failure costs the work on the others, or hides that one is missing."""
    broken = tmp_path / "broken"
    shutil.copytree(small_run[0], broken)
    (broken / "manifest.json").write_text("{")
    flags = ("--to", f"{TARGETS[0]},builtin:lenet-c", "--out", tmp_path / "out", "--json")
    result = fooling("transfer", broken, small_run[0], *flags)
    assert result.returncode == 5
    data = json.loads(result.stdout)
    assert [entry["what"] for entry in data["left_out"]] == [str(broken), "builtin:lenet-c"]
    assert [cell["target"] for cell in data["cells"]] == [TARGETS[0]]
    assert len(result.stderr.splitlines()) == 2


@pytest.mark.parametrize(
    "flags, code, message",
    [
        (("--to", "builtin:lenet-c"), 3, "unknown model"),
        (("--to", ","), 2, "expected classifiers"),
        (
            ("--to", "builtin:lenet", "--min-confidence", "1"),
            3,
            "expected elites of a confidence of at least 1",
        ),
        ((), 2, "--to"),
    ],
)
def test_bad_input_is_one_line(
    fooling: Any, small_run: Any, tmp_path: Path, flags: tuple[str, ...], code: int, message: str
) -> None:
    result = fooling("transfer", small_run[0], *flags, "--out", tmp_path / "out")
    assert result.returncode == code
    assert message in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert not (tmp_path / "out").exists()


def test_a_users_folder_is_not_written_over(fooling: Any, small_run: Any, tmp_path: Path) -> None:
    (tmp_path / "letters.txt").write_text("dear")
    result = fooling("transfer", small_run[0], "--to", "builtin:lenet", "--out", tmp_path)
    assert result.returncode == 1
    assert "is no fooling transfer" in result.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["letters.txt"]


def test_a_target_without_the_images_classes_has_no_shares(small_run: Any, tmp_path: Path) -> None:
    """A failure costs the whole matrix: with a least confidence, the few elites that are left of a thousand classes may
    all be of classes that one of the targets does not have."""
    source = Source(open_run(small_run[0]), np.array([0, 1]))
    none = np.full(2, -1)
    nothing = Responses(source, "file:letters.toml", ("a", "b"), none, none, np.full(2, np.nan, np.float32), none * 0,
                        np.array([0.5, 0.75], np.float32))  # fmt: skip
    result = as_result([[nothing]], 0.9)
    cell = result.document()["cells"][0]
    assert (cell["images"], cell["without_class"]) == (0, 2)
    assert {value for key, value in cell.items() if key.startswith(("same_", "mean_", "median_", "at_"))} == {
        None
    }
    console = Console(width=80)
    with console.capture() as captured:
        for part in pages(result):
            console.print(part)
    assert "2 answers are not counted" in captured.get()
    assert (tmp_path / "out" / "transfer.json") in write(result, tmp_path / "out")


def test_of_equal_confidences_an_images_own_class_counts_as_first(small_run: Any) -> None:
    """A failure costs the agreement of two pages: at home the gallery would say top-1, and the matrix would not."""
    view = open_run(small_run[0])
    source = Source(view, np.array([1, 2, 3]))
    said = np.array([[1, 1, 0], [1, 1, 1], [0.5, 0.25, 0.5]], np.float32)
    cell = respond(source, "any", ("a", "b", "c"), np.array([1, 2, -1]), said)
    assert cell.rank.tolist() == [0, 0, -1]
    assert cell.top.tolist() == [1, 2, 0]
    assert cell.same_top1.tolist() == [True, True, False]


def test_a_result_is_drawn_from_its_json_alone(found: Any) -> None:
    """A failure costs whoever stores results: a page made later would differ from the one made at once, or need what
    only the study had."""
    text = (found[0] / "transfer.json").read_text()
    result = Result.model_validate_json(text)
    assert result.document() == json.loads(text)
    assert page(result) == (found[0] / PAGE).read_text()


def test_a_program_asks_hears_how_far_it_is_and_gets_what_failed(small_run: Any) -> None:
    """A failure costs a notebook or a service its progress, or the news that a target is missing."""
    heard: list[Progress] = []
    request = Request(runs=(small_run[0],), to=("builtin:lenet-c", "builtin:lenet", "builtin:lenet"))
    assert request.to == ("builtin:lenet-c", "builtin:lenet")
    result = study(request, report=heard.append)
    assert heard == [Progress(1, 2, "builtin:lenet-c"), Progress(2, 2, "builtin:lenet")]
    assert [failure.what for failure in result.failures] == ["builtin:lenet-c"]
    assert result.cells[0].at_home
    assert result.cells[0].same_top1 == 1.0
    assert len(result.fooling_all) == len(result.images)


@pytest.mark.parametrize("when", ["before", "between targets", "while a target is asked"])
def test_a_study_is_stopped_from_elsewhere(
    small_run: Any, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    """A failure costs whoever waits: a service could not end a study that its user has cancelled."""
    stopping = threading.Event()
    request = Request(runs=(small_run[0],), to=TARGETS)
    told: list[Progress] = []

    def hear(step: Progress) -> None:
        told.append(step)
        stopping.set()

    if when == "before":
        stopping.set()
    if when == "while a target is asked":
        monkeypatch.setattr(
            "fooling.studies.transfer.measure.matched", lambda *_: stopping.set() or np.arange(10)
        )
    with pytest.raises(Interrupted):
        study(request, report=hear, stopping=stopping)
    assert len(told) == (1 if when == "between targets" else 0)


def test_a_request_is_told_what_is_wrong_with_it(small_run: Any) -> None:
    """A failure costs a service's user a defect in place of one line."""
    run: Any = open_run(small_run[0])
    assert Request(runs=[run, str(run.directory)], to=("builtin:lenet",)).runs == (run.directory,)  # type: ignore[arg-type]
    problems: tuple[tuple[dict[str, Any], str], ...] = (
        ({"to": []}, "Request: to: expected classifiers, like builtin:lenet"),
        ({"runs": [3]}, "expected a path, found 3"),
        ({"min_confidence": 2.0}, "min_confidence: expected a number less than or equal to 1, found 2.0"),
        ({"trust": True}, "trust is not a key"),
    )
    for given, message in problems:
        asked = {"runs": ["run"], "to": ["builtin:lenet"], **given}
        with pytest.raises(InvalidError, match=message):
            Request(**asked)
        with pytest.raises(InvalidError, match=message):
            parse(Request, asked, "Request")


@pytest.mark.parametrize(
    ("shape", "small"),
    [
        ((192, 48, 1), (112, 28, 1)),
        ((48, 192, 3), (28, 112, 3)),
        ((256, 256, 3), (112, 112, 3)),
        ((96, 100, 1), (96, 100, 1)),
    ],
)
def test_small_pictures_keep_the_aspect_ratio(shape: tuple[int, ...], small: tuple[int, ...]) -> None:
    """Squashed, the page shows other images than those that were classified."""
    assert _thumb(np.zeros(shape, np.uint8)).shape == small
