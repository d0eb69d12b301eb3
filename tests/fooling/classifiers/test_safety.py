"""A model file from a stranger: nothing in it runs unless the user says so, and none can fill the memory."""

from __future__ import annotations

import json
import os
import pickle
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch

from fooling import classifiers
from fooling.classifiers import weights_files
from fooling.errors import InvalidError

HEAD = 'name = "tiny"\nsize = 12\ncolour = "rgb"\nlabels = ["a", "b", "c", "d", "e"]\n'


pytestmark = pytest.mark.filterwarnings("ignore:.torch.jit:DeprecationWarning")


class Bomb:
    """Unpickling it makes a file."""

    def __init__(self, mark: Path) -> None:
        self.mark = str(mark)

    def __reduce__(self):
        return os.mknod, (self.mark,)


def load(folder: Path, table: str, trust: bool = False):
    (folder / "t.toml").write_text(f"{HEAD}[network]\n{table}\n")
    return classifiers.load(f"file:{folder / 't.toml'}", trust=trust)


def plant(archive: Path, mark: Path) -> int:
    """Put a pickle that makes `mark` in the place of every pickle, and every code file, of a zip."""
    with zipfile.ZipFile(archive) as source:
        parts = {name: source.read(name) for name in source.namelist()}
    planted = 0
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as target:
        for name, data in parts.items():
            hit = data[:1] == b"\x80" or name.endswith((".pkl", ".pt", "_config.json"))
            planted += hit
            target.writestr(name, pickle.dumps(Bomb(mark)) if hit else data)
    return planted


def test_the_bomb_goes_off_where_it_may(tmp_path):
    """Without this the tests below would pass with a dud."""
    pickle.loads(pickle.dumps(Bomb(tmp_path / "mark")))
    assert (tmp_path / "mark").exists()


@pytest.mark.parametrize("trust", [False, True])
def test_a_pickle_planted_in_weights_never_runs(tmp_path, tiny, trust):
    """Weights are data: --trust, given for an architecture's code, does not open their pickle."""
    torch.save({"state": Bomb(tmp_path / "mark")}, tmp_path / "tiny.pt")
    with pytest.raises(InvalidError, match=r"tiny.pt: expected a state dict and nothing else") as caught:
        weights_files.read(tmp_path / "tiny.pt")
    assert "\n" not in str(caught.value)
    torch.save(tiny.state_dict(), tmp_path / "tiny.pt")
    assert plant(tmp_path / "tiny.pt", tmp_path / "mark")
    with pytest.raises(InvalidError):
        load(tmp_path, 'architecture = "lenet"\nweights = "tiny.pt"', trust)
    assert not (tmp_path / "mark").exists()


def test_a_pickle_planted_in_a_pt2_runs_nothing_without_trust(tmp_path, tiny):
    batch = torch.export.Dim("batch")
    exported = torch.export.export(tiny, (torch.zeros(2, 3, 12, 12),), dynamic_shapes=({0: batch},))
    torch.export.save(exported, tmp_path / "tiny.pt2")
    plant(tmp_path / "tiny.pt2", tmp_path / "mark")
    with pytest.raises(
        InvalidError, match=r"tiny.pt2 carries code .* say --trust \(from Python: trust=True\)"
    ):
        load(tmp_path, 'program = "tiny.pt2"')
    assert not (tmp_path / "mark").exists()


def test_torchscript_runs_nothing_without_trust(tmp_path, tiny):
    torch.jit.save(torch.jit.trace(tiny, torch.zeros(2, 3, 12, 12)), tmp_path / "script.pt")
    with pytest.raises(InvalidError, match=r"script.pt carries code .* say --trust"):
        load(tmp_path, 'program = "script.pt"')
    with pytest.raises(
        InvalidError,
        match=r"expected a file of weights .*, found a TorchScript program, which program = FILE",
    ):
        weights_files.read(tmp_path / "script.pt")


@pytest.mark.parametrize("spec", ["python:planted:build", "file:t.toml"])
def test_a_users_module_is_not_even_imported_without_trust(tmp_path, monkeypatch, spec):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "planted.py").write_text("import os\nos.mknod('mark')\n")
    (tmp_path / "w.pt").touch()
    (tmp_path / "t.toml").write_text(f'{HEAD}[network]\narchitecture = "planted:build"\nweights = "w.pt"\n')
    with pytest.raises(InvalidError, match=r"planted:build is code that loading would run; .* say --trust"):
        classifiers.load(spec)
    assert not (tmp_path / "mark").exists()


def test_an_ensemble_passes_no_trust_on_to_its_members(tmp_path):
    (tmp_path / "t.toml").write_text(
        'name = "e"\n[ensemble]\nmembers = ["builtin:lenet", "python:os:getcwd"]\n'
    )
    with pytest.raises(InvalidError, match="os:getcwd is code"):
        classifiers.load(f"file:{tmp_path / 't.toml'}")


def test_an_ensemble_of_itself_is_refused(tmp_path):
    (tmp_path / "t.toml").write_text('name = "e"\n[ensemble]\nmembers = ["builtin:lenet", "file:t.toml"]\n')
    with pytest.raises(InvalidError, match="is a member of itself"):
        classifiers.load(f"file:{tmp_path / 't.toml'}")


def _huge_header(path: Path) -> None:
    path.write_bytes(struct.pack("<Q", 10 * 2**30) + b"{}")


def _huge_tensor(path: Path) -> None:
    header = {"conv.weight": {"dtype": "F32", "shape": [10 * 2**28], "data_offsets": [0, 10 * 2**30]}}
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + bytes(64))


def _truncated(path: Path) -> None:
    data = safetensors.torch.save({"conv.weight": torch.zeros(8, 3, 3, 3)})
    path.write_bytes(data[:-100])


def _overlong(path: Path) -> None:
    path.write_bytes(safetensors.torch.save({"conv.weight": torch.zeros(2)}) + bytes(9))


def _not_safetensors(path: Path) -> None:
    path.write_bytes(os.urandom(64))


def _empty(path: Path) -> None:
    path.write_bytes(b"")


@pytest.mark.parametrize(
    "make",
    [_huge_header, _huge_tensor, _truncated, _overlong, _not_safetensors, _empty],
    ids=lambda f: f.__name__,
)
def test_damaged_safetensors_are_refused_in_one_line(tmp_path, make):
    make(tmp_path / "w.safetensors")
    with pytest.raises(
        InvalidError,
        match=r"w.safetensors: expected a (complete safetensors file: |file of weights .*, found )",
    ) as caught:
        weights_files.read(tmp_path / "w.safetensors")
    assert "\n" not in str(caught.value)


def test_a_zip_bomb_is_refused_unopened(tmp_path, tiny):
    """64 MB of zeros in 64 kB, where torch writes no compressed parts at all."""
    torch.save(tiny.state_dict(), tmp_path / "w.pt")
    with zipfile.ZipFile(tmp_path / "w.pt", "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data/99", bytes(64 * 2**20))
    with pytest.raises(InvalidError, match=r"expected a state dict, uncompressed .* that unfold into 67"):
        weights_files.read(tmp_path / "w.pt")


def _cut(path: Path) -> None:
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])


def _zeros(path: Path) -> None:
    path.write_bytes(bytes(100))


def _legacy(path: Path) -> None:
    path.write_bytes(pickle.dumps({"a": 1}))


@pytest.mark.parametrize("spoil", [_cut, _zeros, _legacy], ids=lambda f: f.__name__)
def test_damaged_state_dicts_are_refused_in_one_line(tmp_path, tiny, spoil):
    torch.save(tiny.state_dict(), tmp_path / "w.pt")
    spoil(tmp_path / "w.pt")
    with pytest.raises(
        InvalidError,
        match=r"w.pt: expected a file of weights .*, found (a zip archive that is damaged|bytes|a plain pickle)",
    ) as caught:
        weights_files.read(tmp_path / "w.pt")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("thing", [torch.zeros(3), [torch.zeros(3)], {"epoch": 3}, {3: torch.zeros(3)}])
def test_what_is_no_state_dict_is_refused(tmp_path, thing):
    torch.save(thing, tmp_path / "w.pt")
    with pytest.raises(InvalidError, match="expected a state dict of named tensors"):
        weights_files.read(tmp_path / "w.pt")


def test_a_tensor_that_repeats_one_number_a_billion_times_is_refused(tmp_path, tiny):
    """Strides of 0 make 4 GB out of 4 bytes; the shape is compared before anything is copied."""
    torch.save({**tiny.state_dict(), "conv.weight": torch.zeros(1).expand(2**30)}, tmp_path / "w.pt")
    with pytest.raises(InvalidError, match=r"expected 'conv.weight' of shape"):
        weights_files.fit(tiny, weights_files.read(tmp_path / "w.pt"), "w.pt")


@pytest.mark.parametrize(
    "change, message",
    [
        (
            lambda state: state.pop("head.bias"),
            r"expected a tensor 'head.bias', found 3 tensors: 'conv.weight', ",
        ),
        (lambda state: state.update(more=torch.zeros(1)), r"expected 4 tensors: .*, found 'more' too"),
        (
            lambda state: state.update({"head.bias": torch.zeros(6)}),
            r"'head.bias' of shape \(5,\), found \(6,\)",
        ),
    ],
)
def test_a_state_dict_that_does_not_fit_is_refused(tiny, change, message):
    """Weights that are quietly left out give 0.10 for every label."""
    state = tiny.state_dict()
    change(state)
    with pytest.raises(InvalidError, match=message):
        weights_files.fit(tiny, state, "w.pt")


def test_a_mean_image_with_a_pickle_runs_nothing(tmp_path, tiny):
    np.save(tmp_path / "mean.npy", np.array([Bomb(tmp_path / "mark")], object), allow_pickle=True)
    text = f'{HEAD}[preprocessing]\nmean_image = "mean.npy"\n[network]\nprogram = "script.pt"\n'
    torch.jit.save(torch.jit.trace(tiny, torch.zeros(2, 3, 12, 12)), tmp_path / "script.pt")
    (tmp_path / "t.toml").write_text(text)
    with pytest.raises(InvalidError, match=r"expected a mean image as a plain .npy array"):
        classifiers.load(f"file:{tmp_path / 't.toml'}", trust=True)
    assert not (tmp_path / "mark").exists()
