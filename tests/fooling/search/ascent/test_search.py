"""Gradient ascent as a run: the same directory, archive, resume and refusals as every other search."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

import fooling
from fooling import classifiers
from fooling.classifiers import Classifier, Numerics, Spec
from fooling.config import resolve
from fooling.errors import InvalidError, NotFoundError
from fooling.present.facts import facts
from fooling.runs import handle
from fooling.search.ascent.records import MILESTONES, Records
from fooling.search.settings import GradientAscentSettings
from fooling.store.directory import RunDirectory
from fooling.store.reading import newest_checkpoint
from fooling.store.snapshot import renderer
from fooling.store.summary import summary
from tests import warm
from tests.kills import kill_process

SMALL = ("search.steps=12", "search.steps_per_task=5", "search.starts=3", "run.batch=8")


def run(out: Path, *assignments: str, **arguments: Any) -> fooling.Snapshot:
    return handle.run("mnist-ascent", out=out, assignments=(*SMALL, *assignments), **arguments)


def records_of(out: Path) -> Records:
    found = newest_checkpoint(RunDirectory(out), [])[0]
    assert found is not None
    return Records.from_arrays(found.part("search"))


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> fooling.Snapshot:
    """A completed run of 30 climbs. Tests only read it."""
    return run(tmp_path_factory.mktemp("ascent") / "run")


def test_every_image_of_the_archive_is_its_class_s_own_best(small: fooling.Snapshot) -> None:
    """What the docs say of the baseline: no other image competes for a class."""
    records = records_of(small.directory)
    best = records.best_confidence.reshape(10, 3)
    assert np.array_equal(small.confidence, best.max(1))
    leaders = best.argmax(1) + 3 * np.arange(10)
    assert np.array_equal(small.ids[:, 2], leaders)
    assert np.array_equal(small.images, records.best_pixels[leaders])


def test_confidences_come_out_again(small: fooling.Snapshot) -> None:
    """Contract 1, from the PNGs that were written."""
    numerics = small.spec.numerics
    classifier = classifiers.load("builtin:lenet", numerics=numerics)
    for elite in summary(small).elites:
        with Image.open(small.directory / elite.image) as image:
            pixels = np.asarray(image, np.uint8)[None, :, :, None]
        assert classifier.classify(pixels)[0, elite.number] == np.float32(elite.confidence)


def test_genotypes_render_to_the_pixels(small: fooling.Snapshot) -> None:
    from fooling import encodings

    encoding = encodings.create(small.spec.config.encoding, 28, "grey")
    rows = np.arange(len(small.stored_pixels))
    assert np.array_equal(encoding.render(small.archive.genotypes.take(rows)), small.stored_pixels)
    assert renderer(small) is None


def test_the_log_tells_the_cost_and_the_milestones(small: fooling.Snapshot) -> None:
    """`compare` reads them: images judged, and passes, of which a step with its gradient is three."""
    log = small.curve
    assert [entry["generation"] for entry in log] == [0, 1, 2, 3]
    assert [entry["evaluations"] for entry in log] == [30, 180, 330, 390]
    last = log[-1]
    steps = 30 * 12
    assert last["evaluations"] + 2 * steps <= last["passes"] <= last["evaluations"] + 2 * steps + 4 * 30
    records = records_of(small.directory)
    for column, name in enumerate(MILESTONES):
        assert last[f"climbs_{name}"] == (records.first[:, column] >= 0).sum()
    assert last["climbs"] == 30
    assert [e["climbs_top1"] for e in log] == sorted(e["climbs_top1"] for e in log)


def test_reports_speak_of_steps(small: fooling.Snapshot) -> None:
    told = dict(facts(small))
    assert told["Steps"] == "12, 3 starts a class"
    assert "Generations" not in told


@pytest.mark.parametrize("extra", [(), ("search.rule=adam", "search.jitter=2", "search.blur_radius=0.5")])
def test_evaluators_and_chunks_change_nothing(extra: tuple[str, ...], tmp_path: Path) -> None:
    """Contract 5, of the archive and of every climb's record."""
    one = run(tmp_path / "a", *extra, "run.evaluators=1")
    three = run(tmp_path / "b", *extra, "run.evaluators=3")
    cut = run(tmp_path / "c", *extra, "run.evaluators=2", "run.chunk=7")
    other = run(tmp_path / "d", *extra, "seed=1")
    assert one.archive.digest() == three.archive.digest() == cut.archive.digest() != other.archive.digest()
    for directory in (three.directory, cut.directory):
        for name, array in records_of(one.directory).arrays().items():
            assert np.array_equal(records_of(directory).arrays()[name], array), name


class Killed(BaseException):
    """Stands in for a SIGKILL: nothing handles it."""


@pytest.mark.parametrize("rule", ["progress", "adam"])
@pytest.mark.parametrize("generation", [0, 1, 2])
def test_a_resume_ends_the_same(rule: str, generation: int, tmp_path: Path) -> None:
    extra = (f"search.rule={rule}", "run.checkpoint_seconds=0", "search.jitter=1")
    whole = run(tmp_path / "whole", *extra)

    def kill(view: fooling.Snapshot) -> None:
        if view.generation == generation:
            raise Killed

    with pytest.raises(Killed):
        run(tmp_path / "killed", *extra, report=kill)
    resumed = handle.resume(tmp_path / "killed")
    assert summary(resumed).archive_sha256 == summary(whole).archive_sha256
    assert summary(resumed).lineage_sha256 == summary(whole).lineage_sha256
    assert resumed.curve[-1]["passes"] == whole.curve[-1]["passes"]
    for name, array in records_of(whole.directory).arrays().items():
        assert np.array_equal(records_of(resumed.directory).arrays()[name], array), name


def test_after_sigkill(tmp_path: Path, environment: dict[str, str], small: fooling.Snapshot) -> None:
    out = tmp_path / "run"
    settings = (*SMALL, "run.checkpoint_seconds=0", "search.steps_per_task=1")
    words = [word for setting in settings for word in ("--set", setting)]
    process = warm.start(["run", "mnist-ascent", "--out", out, "--quiet", *words], environment)
    log = out / "events.jsonl"
    while not (log.exists() and b'"generation": 4, "evaluations"' in log.read_bytes()):
        if process.poll() is not None:
            break
        time.sleep(0.002)
    kill_process(process)
    resumed = handle.resume(out)
    assert resumed.generation == 12
    assert np.array_equal(resumed.confidence, small.confidence), "the length of a round changes no result"


class Hungry(nn.Module):
    """(n, 1, 8, 8) to (n, 4) logits, for as many rows as memory has room for."""

    def __init__(self, room: int) -> None:
        super().__init__()
        self.room, self.head = room, nn.Linear(64, 4, bias=False)
        with torch.no_grad():
            self.head.weight.copy_(torch.randn(4, 64, generator=torch.Generator().manual_seed(1)))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if len(x) > self.room:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return self.head(x.flatten(1))


def hungry(room: int) -> Classifier:
    spec = Spec(name="hungry", size=8, colour="grey", labels=tuple("abcd"))
    return classifiers.from_module(Hungry(room).eval(), spec, Numerics(batch=1))


def test_where_memory_runs_out_the_climbs_go_on_with_half_the_batch(tmp_path: Path) -> None:
    """Large networks need the room: a gradient keeps every layer's output."""
    halved = run(tmp_path / "a", "run.batch=30", classifier=hungry(12))
    assert halved.counters.batch == 7
    small_batch = run(tmp_path / "b", "run.batch=7", classifier=hungry(12))
    assert halved.archive.digest() == small_batch.archive.digest()


def test_some_classes_only(tmp_path: Path) -> None:
    """And what the run reports, and stops at, is about those. A failure costs the median: that of a thousand
    classes is 0 whatever a few climb to."""
    found = run(tmp_path / "run", "search.classes=[7, 2]", "search.starts=1")
    assert found.archive.occupied.tolist() == found.target_classes.tolist() == [2, 7]
    assert found.spec.config.search.classes == (7, 2)
    told = summary(found).confidence
    assert (told.classes, told.min) == (2, found.confidence[[2, 7]].min())
    stopped = run(tmp_path / "stopped", "search.classes=[7, 2]", "search.starts=1", "stop.confidence=1e-30")
    assert stopped.generation == 0


def test_starts_from_images_of_the_user_s(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    for level in (0, 200):
        Image.new("L", (28, 28), level).save(folder / f"{level}.png")
    (folder / "._200.png").write_bytes(b"\0\5\26\7")  # as macOS leaves it
    found = handle.run(
        "mnist-ascent",
        out=tmp_path / "run",
        assignments=["search.start=images", f"search.images={folder}", "search.noise=0.0", "search.steps=1"],
        flags={"search.starts": 2},
    )
    assert Path(str(found.spec.config.search.images)).is_absolute()
    again = handle.run(
        "mnist-ascent", out=tmp_path / "plain", assignments=["search.steps=1"], flags={"search.starts": 2}
    )
    assert found.archive.digest() != again.archive.digest()
    with pytest.raises(NotFoundError, match=r"search\.images: no file"):
        run(tmp_path / "no", "search.start=images", "search.images=nowhere.png")
    assert not (tmp_path / "no").exists()


@pytest.mark.parametrize(
    ("assignments", "message"),
    [
        (
            ["encoding.name=cppn"],
            r'expected encoding\.name = "direct", found "cppn"; set encoding\.name=direct',
        ),
        (["encoding.quantisation=released"], r"expected encoding\.quantisation = rounded, found released"),
        (["encoding.profile=released"], r"expected encoding\.quantisation = rounded, found released"),
        (["encoding.colour=rgb"], r"expected encoding\.colour = grey, found rgb; leave it out"),
        (["search.classes=[3, 10]"], r"search\.classes: expected indices from 0 to 9, found 10"),
        (["search.classes=[3, 3]"], r"search\.classes: expected each class once"),
        (["search.start=images"], r"expected images, a path, together with start"),
        (["search.images=x.png"], r"expected images, a path, together with start"),
        (["search.generations=5"], r"search\.generations is not a key"),
        (["search.small_norm=100"], r"search\.small_norm: expected a number less than 100"),
    ],
)
def test_what_does_not_go_is_refused_in_one_line(
    assignments: list[str], message: str, tmp_path: Path
) -> None:
    """And before there is a run directory."""
    with pytest.raises(InvalidError, match=message) as caught:
        run(tmp_path / "run", *assignments)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "run").exists()


def outputs(kind: Any, function: Any) -> Classifier:
    spec = Spec(name="mine", size=8, colour="grey", labels=tuple("abcd"), output=kind)
    return classifiers.from_module(function, spec, Numerics(batch=4))


def test_a_classifier_without_gradients_is_refused(tmp_path: Path) -> None:
    """With the searches that do work; the default one is no use to whoever asked for this."""

    def function(x: torch.Tensor) -> torch.Tensor:
        weights = np.random.default_rng(0).normal(size=(64, 4))
        return torch.from_numpy(x.detach().flatten(1).numpy() @ weights).float()

    with pytest.raises(InvalidError, match=r"no gradients reach the images.*map-elites and.*single-class"):
        run(tmp_path / "run", classifier=outputs("logits", function))


def test_a_logit_of_what_puts_out_none_is_refused(tmp_path: Path) -> None:
    network = nn.Sequential(nn.Flatten(), nn.Linear(64, 4), nn.Sigmoid()).eval()
    classifier = outputs("scores", network)
    with pytest.raises(InvalidError, match=r"mine puts out scores: expected probability or log-probability"):
        run(tmp_path / "run", "search.objective=logit", classifier=classifier)
    found = run(tmp_path / "run", classifier=classifier)
    assert found.confidence.min() > 0.5


def test_stuck_climbs_are_counted(tmp_path: Path) -> None:
    """A run that gets nowhere must say so, and end."""
    linear = nn.Linear(64, 4)
    with torch.no_grad():
        linear.weight.mul_(1e6)
    network = nn.Sequential(nn.Flatten(), linear, nn.Softmax(1)).eval()
    found = run(tmp_path / "run", classifier=outputs("probabilities", network))
    assert found.status == "completed"
    assert found.curve[-1]["climbs_stuck"] >= 6


def test_the_encoding_need_not_be_named(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text('[search]\nname = "gradient-ascent"\n')
    assert resolve(file, environment={}).encoding.name == "direct"
    assert resolve(None, ["search.generations=3"], environment={}).encoding.name == "cppn"


def test_the_four_settings_of_the_supplement() -> None:
    """None, L2, L2 and blur, L2 and blur and both clippings: what their names promise, and nothing else."""
    keys = ("decay", "blur_radius", "small_norm", "small_contribution", "total_variation", "jitter")
    on = {
        "imagenet-ascent": (),
        "imagenet-ascent-l2": ("decay",),
        "imagenet-ascent-blur": ("decay", "blur_radius"),
        "imagenet-ascent-clip": ("decay", "blur_radius", "small_norm", "small_contribution"),
        "mnist-ascent": (),
        "mnist-ascent-l2": ("decay",),
    }
    for name, expected in on.items():
        search = resolve(name, [], {"model": "file:x.toml"}, {}).search
        assert isinstance(search, GradientAscentSettings)
        assert tuple(key for key in keys if getattr(search, key)) == expected, name


def test_from_the_command_line(fooling: Any, tmp_path: Path) -> None:
    out = tmp_path / "run"
    sets = [part for assignment in SMALL for part in ("--set", assignment)]
    result = fooling("run", "mnist-ascent", "--out", out, *sets)
    assert result.returncode == 0, result.stderr
    shown = json.loads(fooling("show", out, "--json").stdout)
    assert shown["generations"] == 3
    assert (out / "gallery.html").exists()
    assert fooling("resume", out).returncode == 0
    assert fooling("export", out, "--format", "sheet", "--out", tmp_path / "sheet.png").returncode == 0
