"""A run directory from a stranger: what stands in it is checked before it is believed. A failure costs a reader of
foreign runs memory, files elsewhere, or an answer that nothing backs."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path

import numpy as np
import pytest

from fooling.errors import InvalidError
from fooling.files import replacing
from fooling.runs.handle import resume
from fooling.store.directory import create
from fooling.store.reading import open_run
from tests.fooling.runs.foreign import copy_of, edit_array, edit_checkpoint, edit_manifest, tree, unfinished


def refused(run: Path, *words: str) -> None:
    """Reading it fails with one line that has these words; nothing in it changes."""
    before = tree(run)
    with pytest.raises(InvalidError) as caught:
        open_run(run)
    message = str(caught.value)
    assert "\n" not in message
    assert len(message) < 600
    for word in words:
        assert word in message
    assert tree(run) == before


MANIFESTS = {
    "a label that is no text": (lambda m: m["classifier"]["spec"]["labels"].__setitem__(3, 7), "labels.3"),
    "no labels": (lambda m: m["classifier"]["spec"].update(labels=[]), "labels"),
    "no size": (lambda m: m["classifier"]["spec"].pop("size"), "size"),
    "a classifier that is no table": (lambda m: m.update(classifier=[1, 2]), "classifier"),
    "a fingerprint of other letters": (lambda m: m["classifier"].update(fingerprint="../x"), "fingerprint"),
    "numerics of a wrong type": (lambda m: m["numerics"].update(threads="2"), "numerics.threads"),
    "a batch for a giant": (lambda m: m["numerics"].update(batch=10**9), "numerics.batch"),
    "a device that is a path": (lambda m: m["numerics"].update(device="cuda:/etc"), "numerics.device"),
    "another seed than the config's": (lambda m: m.update(seed=77), "seed"),
    "another model than the config's": (lambda m: m.update(model="builtin:lenet-b"), "model"),
    "groups of classes that there are not": (
        lambda m: m["classifier"]["spec"].update(groups={"odd": [1, 99]}),
        "99",
    ),
    "groups that are numbers": (lambda m: m["classifier"]["spec"].update(groups={"odd": ["x"]}), "groups"),
    "a search for a class that there is not": (
        lambda m: m["config"].update(search={"name": "single-class", "classes": [4, 10]}),
        "search.classes",
    ),
    "gradient ascent on networks": (
        lambda m: m["config"].update(search={"name": "gradient-ascent"}),
        "gradient-ascent",
    ),
    "a wait of no time": (lambda m: m["config"]["run"].update(patience=-1.0), "config.run.patience"),
    "versions that are numbers": (lambda m: m["versions"].update(torch=2), "versions.torch"),
    "a trust that is text": (lambda m: m.update(trust="yes"), "trust"),
    "a format that is text": (lambda m: m.update(format="1"), "format"),
}


@pytest.mark.parametrize("name", MANIFESTS)
def test_a_manifest_with_a_wrong_field(name, small_run, tmp_path):
    change, field = MANIFESTS[name]
    run = copy_of(small_run[0], tmp_path)
    edit_manifest(run, change)
    refused(run, "manifest.json", field)


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        '{"format": 1, "x": ' + "[" * 500 + "]" * 500 + "}",
        '{"format": 1, "model": "\\udc80"}',
        '{"format": NaN}',
        '{"format": 1e999}',
        '{"format": ' + "9" * 5000 + "}",
        "\ufeff{}",
    ],
    ids=["deep", "nested", "surrogate", "nan", "infinite", "digits", "mark"],
)
def test_a_manifest_that_a_parser_chokes_on(text, small_run, tmp_path):
    run = copy_of(small_run[0], tmp_path)
    (run / "manifest.json").write_text(text)
    refused(run, "manifest.json")


def test_a_manifest_without_end(small_run, tmp_path):
    """A sparse file of 100 GB costs a stranger nothing."""
    run = copy_of(small_run[0], tmp_path)
    os.truncate(run / "manifest.json", 10**11)
    with pytest.raises(
        InvalidError, match=r"manifest.json: expected at most 16,777,216 bytes, found 100,000,"
    ):
        open_run(run)


def test_what_a_newer_writer_adds_is_left_out(small_run, tmp_path):
    """Runs of the next version are read by this one."""
    run = copy_of(small_run[0], tmp_path)
    edit_manifest(run, lambda m: (m.update(mood="fine"), m["classifier"].update(says=[[0.5]])))
    edit_checkpoint(run, lambda header, _: header["__metadata__"]["state"].update(mood=3))
    view = open_run(run)
    assert not hasattr(view.spec, "mood")
    assert not hasattr(view.counters, "mood")


def renamed(header, old, new):
    """The array of another name, in its place."""
    entries = [(new if name == old else name, entry) for name, entry in header.items()]
    header.clear()
    header.update(entries)


HEADERS = {
    "a shape that the file is too short for": (
        lambda h: h["ids"].update(shape=[10**10, 3]),
        ["ids", "data_offsets"],
    ),
    "a dtype that is not known": (lambda h: h["pixels"].update(dtype="BF16"), ["pixels", "dtype"]),
    "offsets beside the file": (lambda h: h["ids"].update(data_offsets=[10**9, 2 * 10**9]), ["ids"]),
    "offsets before it": (lambda h: h["ids"].update(data_offsets=[-8, 8]), ["ids", "data_offsets"]),
    "arrays that overlap": (
        lambda h: h["cell"].update(data_offsets=h["confidence"]["data_offsets"]),
        ["cell"],
    ),
    "a shape that is text": (lambda h: h["ids"].update(shape="3"), ["ids", "shape"]),
    "a negative shape": (lambda h: h["ids"].update(shape=[-1, -3]), ["ids", "shape"]),
    "an array that is a number": (lambda h: h.update(cell=3), ["cell"]),
    "no metadata": (lambda h: h.pop("__metadata__"), ["metadata"]),
    "a state that is a list": (lambda h: h["__metadata__"].update(state=[1]), ["state"]),
    "a batch for a giant": (lambda h: h["__metadata__"]["state"].update(batch=100_000), ["state", "batch"]),
    "a generation of another checkpoint": (
        lambda h: h["__metadata__"]["state"].update(generation=3),
        ["generation"],
    ),
    "counters that are negative": (
        lambda h: h["__metadata__"]["state"].update(evaluations=-5),
        ["evaluations"],
    ),
    "seconds that are no number": (
        lambda h: h["__metadata__"]["state"].update(seconds=float("nan")),
        ["seconds"],
    ),
    "a missing array": (lambda h: renamed(h, "cell", "sell"), ["expected an array cell"]),
}


@pytest.mark.parametrize("name", HEADERS)
def test_a_checkpoint_with_a_wrong_header(name, small_run, tmp_path):
    """Its digest is right: somebody made it so. Nothing of what it asks for is allocated."""
    change, words = HEADERS[name]
    run = copy_of(small_run[0], tmp_path)
    edit_checkpoint(run, lambda header, _: change(header))
    refused(run, "00000012.safetensors", *words)


def test_a_batch_beyond_the_manifests(small_run, tmp_path):
    """The batch of a state is what memory left of the manifest's: never more."""
    run = unfinished(small_run[0], tmp_path)
    edit_checkpoint(run, lambda header, _: header["__metadata__"]["state"].update(batch=51))
    with pytest.raises(InvalidError, match="batch: expected at most the manifest's 50, found 51"):
        resume(run)


ARRAYS = {
    "a confidence of nan": ("confidence", lambda a: a.__setitem__(2, np.nan), "confidence: 2"),
    "a confidence above one": ("confidence", lambda a: a.__setitem__(4, 1.5), "confidence: 4"),
    "a vacant cell with a confidence": ("cell", lambda a: a.__setitem__(a.argmin(), -1), "vacant"),
    "a cell beyond the images": ("cell", lambda a: a.__setitem__(1, 4000), "cell"),
    "a cell of minus seven": ("cell", lambda a: a.__setitem__(1, -7), "cell"),
    "a generation of the future": ("ids", lambda a: a.__setitem__((slice(None), 0), 13), "ids"),
    "one image twice": ("ids", lambda a: a.__setitem__(slice(None), a[0]), "ids"),
    "an answer of a class that there is not": ("top1", lambda a: a.__setitem__(0, 10), "top1"),
    "an answer of more than all": ("top1_confidence", lambda a: a.__setitem__(0, 7), "top1_confidence"),
    "a negative child": ("ids", lambda a: a.__setitem__((0, 2), -1), "ids"),
}


@pytest.mark.parametrize("name", ARRAYS)
def test_an_archive_that_does_not_hold_together(name, small_run, tmp_path):
    array, change, words = ARRAYS[name]
    run = copy_of(small_run[0], tmp_path)
    edit_array(run, array, change)
    refused(run, "00000012.safetensors", words)


def test_fewer_genotypes_than_images(small_run, tmp_path):
    """The last elite would have nothing to breed from."""
    run = copy_of(small_run[0], tmp_path)

    def shorten(header, content):
        names = [name for name in header if name not in ("__metadata__", "sha256")]
        parts = {name: bytes(content[slice(*header[name]["data_offsets"])]) for name in names}
        for name in ("node", "edge"):
            offsets = np.frombuffer(parts[f"genotypes.{name}_offsets"], "<i8")[:2]
            parts[f"genotypes.{name}_offsets"] = offsets.tobytes()
            header[f"genotypes.{name}_offsets"]["shape"] = [2]
            owned = ("activations",) if name == "node" else ("sources", "targets", "weights")
            for one in owned:
                size = len(parts[f"genotypes.{one}"]) // header[f"genotypes.{one}"]["shape"][0]
                parts[f"genotypes.{one}"] = parts[f"genotypes.{one}"][: size * int(offsets[1])]
                header[f"genotypes.{one}"]["shape"] = [int(offsets[1])]
        end = 0
        for name in names:
            header[name]["data_offsets"] = [end, end + len(parts[name])]
            end += len(parts[name])
        header["sha256"]["data_offsets"] = [end, end + 32]
        content[:] = b"".join(parts[name] for name in names)

    edit_checkpoint(run, shorten)
    refused(run, "genotypes", "found 1")


def test_a_file_beside_the_checkpoints_is_none(small_run, tmp_path):
    """A name that is no number is left alone."""
    run = copy_of(small_run[0], tmp_path)
    (run / "checkpoints" / "1e9.safetensors").write_bytes(b"x")
    assert open_run(run).generation == 12


LOGS = {
    "a line that is no object": ("[1, 2]", "line 2"),
    "a line that is no json": ("}{", "line 2"),
    "a generation that is text": ('{"event": "generation", "generation": "3"}', "line 2: generation"),
    "an event without a name": ('{"generation": 3}', "line 2"),
    "a checkpoint of text": ('{"event": "checkpoint", "generation": "x"}', "line 2: generation"),
}


@pytest.mark.parametrize("name", LOGS)
def test_a_log_with_a_wrong_line(name, small_run, tmp_path):
    line, words = LOGS[name]
    run = copy_of(small_run[0], tmp_path)
    lines = (run / "events.jsonl").read_text().splitlines()
    lines[1] = line
    (run / "events.jsonl").write_text("\n".join(lines) + "\n")
    refused(run, "events.jsonl", words)


WRONG_EVENTS = {
    "gains": [[99, 0.5]],
    "evaluations": 10**6,
    "seconds": None,
    "median": "high",
    "class": 10,
}


@pytest.mark.parametrize("key", WRONG_EVENTS)
def test_a_generation_with_a_wrong_value(key, small_run, tmp_path):
    run = copy_of(small_run[0], tmp_path)
    lines = (run / "events.jsonl").read_text().splitlines()
    event = json.loads(lines[0])
    lines[0] = json.dumps(event | {key: WRONG_EVENTS[key]})
    (run / "events.jsonl").write_text("\n".join(lines) + "\n")
    refused(run, "events.jsonl")


def test_a_torn_last_line_is_left_out(small_run, tmp_path):
    """A crash leaves one; the run is read as if it had not been begun."""
    run = copy_of(small_run[0], tmp_path)
    with open(run / "events.jsonl", "ab") as file:
        file.write(b'{"event": "genera')
    assert open_run(run).status == "completed"


def test_no_log(small_run, tmp_path):
    run = copy_of(small_run[0], tmp_path)
    (run / "events.jsonl").unlink()
    refused(run, "events.jsonl")


PLACES = ("elites", "checkpoints", "logs", "events.jsonl", "lineage", "lock", "manifest.json", "export")


@pytest.mark.parametrize("place", PLACES)
def test_a_link_in_a_run_directory(place, small_run, tmp_path):
    """What is written there would land in a folder of the stranger's choice."""
    run, elsewhere = copy_of(small_run[0], tmp_path), tmp_path / "elsewhere"
    if (run / place).exists():
        (run / place).rename(elsewhere)
    else:
        elsewhere.mkdir()
    (run / place).symlink_to(elsewhere)
    refused(run, place, "found a link")


@pytest.mark.parametrize("place", ["elites/0003.png", "checkpoints/00000099.safetensors", "notes.txt"])
def test_a_link_that_hangs_in_the_air(place, small_run, tmp_path):
    run = copy_of(small_run[0], tmp_path)
    (run / place).unlink(missing_ok=True)
    (run / place).symlink_to(tmp_path / "nowhere")
    refused(run, place, "found a link")


def test_a_pipe_is_not_waited_for(small_run, tmp_path):
    run = copy_of(small_run[0], tmp_path)
    (run / "events.jsonl").unlink()
    os.mkfifo(run / "events.jsonl")
    with pytest.raises(InvalidError, match=r"events.jsonl: expected a file, found something else"):
        open_run(run)


@pytest.mark.parametrize(
    "broken", [{"created": "\udc80"}, {"versions": {"torch": 2}}, {"model": "file:other"}]
)
def test_a_manifest_that_could_not_be_read_again_is_not_written(broken, small_run, tmp_path):
    """The run's work would lie in a directory that nobody opens."""
    spec = open_run(small_run[0]).spec.model_copy(update=broken)
    with pytest.raises((ValueError, InvalidError)):
        create(tmp_path / "run", spec)
    assert list(tmp_path.iterdir()) == []


def test_a_directory_that_can_not_be_made_leaves_nothing(small_run, tmp_path, monkeypatch):
    """Whatever stops it: a half-made directory would lie around."""

    def stop(*paths):
        raise KeyboardInterrupt

    monkeypatch.setattr("os.rename", stop)
    with pytest.raises(KeyboardInterrupt):
        create(tmp_path / "run", open_run(small_run[0]).spec)
    assert list(tmp_path.iterdir()) == []


def test_a_planted_temporary_name_is_not_written_through(tmp_path):
    """The names of temporary files can be guessed: a link of that name would be followed."""
    precious = tmp_path / "precious"
    precious.write_text("mine")
    (tmp_path / f".gallery.html.{threading.get_native_id()}.tmp").symlink_to(precious)
    with replacing(tmp_path / "gallery.html") as file:
        file.write(b"page")
    assert precious.read_text() == "mine"
    assert (tmp_path / "gallery.html").read_bytes() == b"page"
