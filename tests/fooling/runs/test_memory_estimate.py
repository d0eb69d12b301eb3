"""What can't fit a machine is refused before anything of it is asked for. A failure costs the user the machine: it
swaps, or the system ends other programs."""

from __future__ import annotations

from pathlib import Path

import pytest

import fooling
from fooling import classifiers
from fooling.errors import InvalidError
from fooling.runs.handle import resume
from fooling.store import memory
from fooling.store.reading import open_run
from tests.fooling.runs.foreign import copy_of, edit_manifest

TOO_MUCH = {
    "the elites of direct images": ["encoding.name=direct", "encoding.size=2048"],
    "single-class in DEAP's lists": [
        "search.name=single-class",
        "search.classes=[1]",
        "encoding.name=direct",
        "encoding.size=1024",
    ],
    "climbs from many starts": [
        "search.name=gradient-ascent",
        "encoding.name=direct",
        "encoding.size=512",
        "search.starts=100",
    ],
    "a batch": ["encoding.size=4096", "run.batch=40"],
    "a chunk": ["encoding.name=direct", "search.population=1000000", "run.chunk=1000000"],
}


@pytest.fixture
def small_machine(monkeypatch):
    """One of 700 MB."""
    monkeypatch.setattr(memory, "of_machine", lambda: 700_000_000)


@pytest.mark.parametrize("name", TOO_MUCH)
def test_what_does_not_fit_is_refused_with_the_estimate(name, small_machine, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "plain.toml").write_text("")
    with pytest.raises(InvalidError, match=r"at most the 700\.0 MB of memory .* at least [0-9,.]+ MB;"):
        fooling.run("plain.toml", out="run", assignments=TOO_MUCH[name])
    assert [path.name for path in tmp_path.iterdir()] == ["plain.toml"]


def test_a_thousand_classes_of_large_images(monkeypatch):
    """What the authors' task takes at 256 pixels fits a laptop of 8 GB, at 4096 no machine near."""
    monkeypatch.setattr(memory, "of_machine", lambda: 8 * 10**9)
    from fooling import encodings
    from fooling.config import resolve

    for side, fits in ((256, True), (4096, False)):
        settings = resolve("imagenet-cppn", [f"encoding.size={side}", "model=builtin:lenet"])
        encoding = encodings.create(settings.encoding, side, "rgb")
        if fits:
            memory.expect_room(settings, encoding, 1000, on_device=False)
        else:
            with pytest.raises(InvalidError, match="1,000 elites of 4096 x 4096 pixels, colour, cppn"):
                memory.expect_room(settings, encoding, 1000, on_device=False)


def test_a_classifier_from_python_is_asked_for_too(small_machine, tmp_path):
    classifier = classifiers.load("builtin:lenet")
    with pytest.raises(InvalidError, match="of memory"):
        fooling.run(
            out=tmp_path / "run", classifier=classifier, assignments=["encoding.size=4096", "run.batch=60"]
        )


def test_a_strangers_sizes_are_not_believed(small_run, tmp_path, monkeypatch):
    """A manifest asks for ten thousand classes of the largest pictures."""
    run = copy_of(small_run[0], tmp_path)

    def change(manifest):
        manifest["classifier"]["spec"].update(size=4096, labels=[str(number) for number in range(10_000)])
        manifest["config"]["encoding"].pop("size")

    edit_manifest(run, change)
    for use in (open_run, resume):
        with pytest.raises(InvalidError, match=r"10,000 elites of 4096 x 4096 pixels, grey, cppn: .* memory"):
            use(run)


def test_the_machine_has_some(tmp_path: Path, monkeypatch):
    """In a container, what the container may have."""
    whole = memory.of_machine()
    assert 10**8 < whole < 10**15
    (tmp_path / "max").write_text("400000000\n")
    (tmp_path / "none").write_text("max\n")
    for name, found in (("max", 400_000_000), ("none", whole), ("nothing", whole)):
        monkeypatch.setattr(memory, "_LIMITS", (str(tmp_path / name),))
        assert memory.of_machine() == found
