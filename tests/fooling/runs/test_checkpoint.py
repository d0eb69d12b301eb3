"""A checkpoint is whole, or known not to be: a user must never continue from a damaged state."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import load_file

from fooling.store import checkpoint
from fooling.store.checkpoint import Checkpoint, Counters, DamagedError


def example(generation: int = 3) -> Checkpoint:
    rng = np.random.default_rng(generation)
    arrays: dict[str, np.ndarray] = {
        "confidence": rng.random(10).astype(np.float32),
        "pixels": rng.integers(0, 256, (3, 4, 4, 1)).astype(np.uint8),
        "genotypes.offsets": np.arange(4),
        "nothing": np.zeros((0, 5), np.float32),
    }
    counters = Counters(generation=generation, evaluations=7, seconds=0.1)
    return Checkpoint(counters, arrays)


def test_what_was_saved_is_loaded(tmp_path):
    saved = example()
    loaded = checkpoint.load(checkpoint.save(tmp_path, saved))
    assert loaded.counters == saved.counters
    assert loaded.arrays.keys() == saved.arrays.keys()
    for name, array in saved.arrays.items():
        assert loaded.arrays[name].dtype == array.dtype
        assert np.array_equal(loaded.arrays[name], array)
        assert loaded.arrays[name].flags.writeable


def test_any_safetensors_reader_opens_it(tmp_path):
    """The format is open: users read their elites without this software."""
    saved = example()
    tensors = load_file(checkpoint.save(tmp_path, saved))
    assert set(tensors) == {*saved.arrays, "sha256"}
    for name, array in saved.arrays.items():
        assert np.array_equal(tensors[name], array)


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_a_flipped_bit_is_noticed(tmp_path_factory, data):
    path = checkpoint.save(tmp_path_factory.mktemp("flip"), example())
    content = bytearray(path.read_bytes())
    position = data.draw(st.integers(0, len(content) - 1))
    content[position] ^= 1 << data.draw(st.integers(0, 7))
    path.write_bytes(content)
    with pytest.raises(DamagedError):
        checkpoint.load(path)


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_a_truncated_file_is_noticed(tmp_path_factory, data):
    path = checkpoint.save(tmp_path_factory.mktemp("cut"), example())
    content = path.read_bytes()
    path.write_bytes(content[: data.draw(st.integers(0, len(content) - 1))])
    with pytest.raises(DamagedError):
        checkpoint.load(path)


def test_two_are_kept(tmp_path):
    for generation in (1, 2, 10):
        checkpoint.save(tmp_path, example(generation))
    assert [checkpoint.generation_of(path) for path in checkpoint.saved(tmp_path)] == [10, 2]
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "00000002.safetensors",
        "00000010.safetensors",
    ]


def test_a_failed_write_leaves_the_older_ones(tmp_path, monkeypatch):
    """A full disk must not cost the state that was safe."""
    checkpoint.save(tmp_path, example(1))
    before = checkpoint.saved(tmp_path)[0].read_bytes()

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        checkpoint.save(tmp_path, example(2))
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [before]
