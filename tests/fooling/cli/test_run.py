"""One real run from the command line, end to end: its outputs, its files, its claims."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

RUN = ("--set", "search.generations=8", "--set", "search.population=60")

# A reader that shares no code with the package but the definition of the network.
PLAIN = """
import json, sys
import torch
from PIL import Image
from safetensors.torch import load_file
import torch.nn.functional as F
run, weights = sys.argv[1:]
w = load_file(weights)
def lenet(x):
    x = F.max_pool2d(F.conv2d(x, w["conv1.weight"], w["conv1.bias"]), 2)
    x = F.max_pool2d(F.conv2d(x, w["conv2.weight"], w["conv2.bias"]), 2)
    x = F.relu(F.linear(x.flatten(1), w["ip1.weight"], w["ip1.bias"]))
    return F.linear(x, w["ip2.weight"], w["ip2.bias"])
out = {}
for number in range(10):
    image = Image.open(f"{run}/elites/{number:04d}.png")
    assert image.mode == "L", image.mode
    x = torch.frombuffer(bytearray(image.tobytes()), dtype=torch.uint8).reshape(1, 1, 28, 28).float() / 255
    out[number] = float(lenet(x).softmax(1)[0, number])
print(json.dumps(out))
"""


def run(fooling, out: Path, *more: str) -> dict:
    result = fooling("run", "--out", out, "--json", "--quiet", *RUN, *more)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


def test_what_json_says(small_run):
    """Other programs read these keys."""
    out, summary = small_run
    assert summary["run"] == str(out)
    assert summary["status"] == "completed"
    assert summary["model"] == "builtin:lenet"
    assert summary["seed"] == 0
    assert summary["generations"] == 12
    assert summary["evaluations"] == 13 * 60
    assert summary["evaluations_per_second"] == pytest.approx(summary["evaluations"] / summary["seconds"])
    assert re.fullmatch("[0-9a-f]{64}", summary["archive_sha256"])
    assert re.fullmatch("[0-9a-f]{64}", summary["lineage_sha256"])
    assert summary["config"]["search"]["population"] == 60
    assert summary["config"]["encoding"]["size"] == 28
    confidences = [elite["confidence"] for elite in summary["elites"]]
    overall = summary["confidence"]
    assert overall["classes"] == len(confidences) == 10
    assert overall["median"] == pytest.approx(float(np.median(np.array(confidences, np.float32))))
    assert (overall["min"], overall["max"]) == (min(confidences), max(confidences))
    assert overall["mean"] == pytest.approx(np.mean(confidences))
    assert overall["at_least_0.99"] == sum(c >= np.float32(0.99) for c in confidences)
    assert overall["at_least_0.9999"] == sum(c >= np.float32(0.9999) for c in confidences)
    for number, elite in enumerate(summary["elites"]):
        assert elite["class"] == number
        assert elite["label"] == str(number)
        assert 0 <= elite["generation"] <= 12
        assert elite["image"] == f"elites/{number:04d}.png"
        assert Image.open(out / elite["image"]).mode == "L"


def test_show_says_the_same(small_run, fooling):
    out, summary = small_run
    shown = json.loads(fooling("show", out, "--json").stdout)
    assert shown.pop("people") is None  # nobody was asked yet
    assert shown == summary


def test_the_png_has_the_confidence_that_is_claimed(small_run):
    """Contract 1, checked by plain torch in a process of its own."""
    import fooling

    out, summary = small_run
    weights = Path(fooling.__file__).parent / "classifiers" / "weights" / "lenet.safetensors"
    result = subprocess.run(
        [sys.executable, "-c", PLAIN, str(out), str(weights)], capture_output=True, text=True, check=True
    )
    plain = json.loads(result.stdout)
    for elite in summary["elites"]:
        assert plain[str(elite["class"])] == pytest.approx(elite["confidence"], abs=1e-6)


def test_this_software_gives_the_confidence_bit_for_bit(small_run):
    from fooling import classifiers
    from fooling.classifiers.numerics import Numerics

    out, summary = small_run
    manifest = json.loads((out / "manifest.json").read_text())
    classifier = classifiers.load("builtin:lenet", numerics=Numerics(**manifest["numerics"]))
    pixels = np.stack([np.asarray(Image.open(out / e["image"]))[..., None] for e in summary["elites"]])
    confidences = classifier.classify(pixels)
    for row, elite in enumerate(summary["elites"]):
        assert float(confidences[row, elite["class"]]) == elite["confidence"]


def test_the_kept_pixels_are_what_the_genotypes_render_to(small_run):
    from fooling.store.reading import open_run
    from fooling.store.snapshot import empty_archive

    run = open_run(small_run[0])
    _, encoding = empty_archive(run.spec.config, run.spec.classifier.spec)
    genotypes = run.archive.genotypes.take(np.arange(len(run.stored_pixels)))
    assert np.array_equal(encoding.render(genotypes), run.stored_pixels)


@pytest.mark.parametrize(
    "config", ["mnist-cppn", "mnist-direct", pytest.param("mnist-direct-released", marks=pytest.mark.slow)]
)
def test_same_seed_same_digests_however_it_is_cut(config, fooling, tmp_path):
    """Else a run could not be repeated on another machine."""
    whole = run(fooling, tmp_path / "a", config)
    other = run(fooling, tmp_path / "b", config, "--set", "run.chunk=7", "--set", "run.evaluators=3")
    seeded = run(fooling, tmp_path / "c", config, "--seed", "1")
    assert whole["archive_sha256"] == other["archive_sha256"]
    assert whole["lineage_sha256"] == other["lineage_sha256"]
    assert whole["archive_sha256"] != seeded["archive_sha256"]
    assert whole["lineage_sha256"] != seeded["lineage_sha256"]


def test_the_lineage_leads_back_to_the_first_generation(small_run):
    """Every elite's every ancestor is on record, and was made before its child."""
    from fooling.archive import lineage
    from fooling.store.reading import open_run

    out, _ = small_run
    records = {tuple(row[:3]): row for row in lineage.read(out / "lineage").tolist()}
    view = open_run(out)
    for elite in view.ids.tolist():
        generation, record = elite[0], records[tuple(elite)]
        while record[0] > 0:
            assert 0 <= record[6] < 10  # the class that its parent held
            record = records[tuple(record[3:6])]
            assert record[0] < generation
            generation = record[0]
        assert record[3:7] == [-1] * 4


@pytest.mark.parametrize(
    ("stop", "check"),
    [
        ("stop.evaluations=200", lambda s: s["evaluations"] == 240),
        ("stop.confidence=0.05", lambda s: s["generations"] < 8 and s["confidence"]["min"] >= 0.05),
        ("stop.seconds=0.000001", lambda s: s["generations"] == 0 and s["evaluations"] == 60),
    ],
)
def test_stop_rules(stop, check, fooling, tmp_path):
    summary = run(fooling, tmp_path / "run", "--set", stop)
    assert summary["status"] == "completed"
    assert check(summary)


def test_what_a_user_sees_without_a_terminal(fooling, tmp_path):
    """The table and the gallery on stdout, plain lines on stderr, within 80 columns."""
    result = fooling("run", *RUN, cwd=tmp_path)
    assert result.returncode == 0
    table, _, tail = result.stdout.partition("gallery: ")
    assert max(map(len, table.splitlines())) <= 80
    assert all(str(digit) in table for digit in range(10))
    assert Path(tail.strip()).is_file()
    assert "generation 8/8" in result.stderr
    assert "\x1b" not in result.stderr + result.stdout
    again = fooling("run", "--quiet", *RUN, cwd=tmp_path)
    assert (again.stdout, again.stderr) == ("", "")
    names = sorted(path.name for path in (tmp_path / "runs").iterdir())
    assert names == ["mnist-cppn-seed0", "mnist-cppn-seed0-2"]


def test_a_run_makes_no_file_but_its_own(small_run):
    names = {path.name for path in small_run[0].iterdir()}
    assert names == {
        "manifest.json", "checkpoints", "events.jsonl", "lineage", "elites", "gallery.html", "lock",
    }  # fmt: skip


def test_nothing_at_rest_is_pickled(small_run):
    """No file of a run may be able to run code (contract 6)."""
    for path in small_run[0].rglob("*"):
        if path.is_file():
            assert not path.read_bytes().startswith(b"\x80"), path


def test_help_is_light():
    """`--help` must be instant: it may import none of the heavy packages."""
    heavy = ("torch", "ray", "numpy", "pydantic", "fastapi", "numba", "rich", "deap")
    code = (
        "import sys; sys.argv = ['fooling', '--help']\nfrom fooling.cli import main\n"
        f"try: main()\nexcept SystemExit: print([m for m in {heavy!r} if m in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.splitlines()[-1] == "[]"
    for command in ("run", "resume", "show", "gallery", "export", "models", "train"):
        assert f"\n  {command} " in result.stdout


def test_help_takes_at_most_a_dozen_times_an_empty_interpreter():
    def seconds(*arguments: str) -> float:
        began = time.perf_counter()
        subprocess.run([sys.executable, *arguments], capture_output=True, check=True)
        return time.perf_counter() - began

    # One after the other, so that both see the same machine.
    times = [(seconds("-m", "fooling", "--help"), seconds("-c", "pass")) for _ in range(12)]
    ours, empty = map(min, zip(*times, strict=True))
    assert ours <= 12 * empty
