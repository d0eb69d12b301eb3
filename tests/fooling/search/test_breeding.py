"""Tasks are pure functions (contract 3): a chunk may be computed anywhere, any number of times."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cppn.keys import Keys
from fooling import encodings
from fooling.archive import Archive, Cells
from fooling.encodings.settings import CppnSettings, DirectSettings
from fooling.errors import FoolingError
from fooling.search.breeding import offspring_chunks
from fooling.search.map_elites import MapElites
from fooling.search.toolbox import build
from tests.dots import CLASSES, SIZE, Dots
from workers.host import Host
from workers.local import LocalExecutor
from workers.tasks import compute

ENCODINGS: dict[str, CppnSettings | DirectSettings] = {
    "cppn": CppnSettings(),
    "direct": DirectSettings(),
    "direct, crossover": DirectSettings(crossover="sbx"),
    "direct, released": DirectSettings(crossover="sbx-released"),
}


def evolve(name: str, chunk: int, evaluators: int = 1, generations: int = 4, seed: int = 3) -> Archive:
    encoding = encodings.create(ENCODINGS[name], SIZE, "grey")
    toolbox = build(encoding, Dots())
    archive = Archive(Cells(CLASSES), encoding.image_shape, encoding.empty())
    search = MapElites(SimpleNamespace(initial=10, population=17), seed, chunk, toolbox, archive)
    executor = LocalExecutor(Host(toolbox), evaluators)
    try:
        for number in range(generations):
            generation = search.ask(number)
            search.tell(generation, list(executor.map(generation.task, generation.shared, generation.chunks)))
    finally:
        executor.close()
    return archive


@pytest.mark.parametrize("name", ENCODINGS)
@given(chunk=st.integers(1, 20), evaluators=st.integers(1, 3))
@settings(max_examples=12)
def test_neither_chunks_nor_evaluators_change_the_archive(name: str, chunk: int, evaluators: int) -> None:
    """Else a run's result would depend on the machine that it ran on."""
    assert evolve(name, chunk, evaluators).digest() == evolve(name, 17).digest()


def test_chunks_cover_all_children_in_order() -> None:
    """A child that is in no chunk, or in two, is an evaluation lost or done twice."""
    keys, rows = Keys.of_generation(1, 2, 23, stream=4), np.arange(46).reshape(23, 2)
    chunks = offspring_chunks(keys, rows, 5)
    assert [len(chunk.keys) for chunk in chunks] == [5, 5, 5, 5, 3]
    assert np.concatenate([chunk.keys.children for chunk in chunks]).tolist() == list(range(23))
    assert np.array_equal(np.concatenate([chunk.rows for chunk in chunks]), rows)
    assert {(one.keys.seed, one.keys.generation, one.keys.stream) for one in chunks} == {(1, 2, 4)}
    assert [chunk.rows for chunk in offspring_chunks(keys, None, 12)] == [None, None]


@pytest.mark.parametrize("name", ENCODINGS)
def test_computing_a_chunk_again_gives_the_same(name: str) -> None:
    """A lost chunk is computed again, perhaps elsewhere, perhaps in another order; the parents that it
    reads must be as they were."""
    encoding = encodings.create(ENCODINGS[name], SIZE, "grey")
    toolbox = build(encoding, Dots())
    archive = Archive(Cells(CLASSES), encoding.image_shape, encoding.empty())
    search = MapElites(SimpleNamespace(initial=10, population=12), 1, 4, toolbox, archive)
    first = search.ask(0)
    host = Host(toolbox)
    search.tell(first, [compute(host, first.task, first.shared, chunk) for chunk in first.chunks])
    before = archive.digest()
    second = search.ask(1)
    results = [compute(host, second.task, second.shared, chunk) for chunk in second.chunks]
    assert archive.digest() == before
    for chunk, result in reversed(list(zip(second.chunks, results, strict=True))):
        again = compute(host, second.task, second.shared, chunk)
        assert np.array_equal(again.ids, result.ids)
        assert np.array_equal(again.pixels, result.pixels)
        assert np.array_equal(again.confidences, result.confidences)
        for row in range(len(result.ids)):
            assert again.genotypes.canonical_bytes(row) == result.genotypes.canonical_bytes(row)


# Evolves as a run on CUDA does, tensors from the renderer to the archive, and on the CPU as usual; prints
# both archives' digests. Triton's interpreter takes the place of the device.
ON_A_DEVICE = """
from types import SimpleNamespace
from fooling import classifiers, encodings
from fooling.archive import Archive, Cells
from fooling.encodings.settings import CppnSettings, DirectSettings
from fooling.search.map_elites import MapElites
from fooling.search.toolbox import build
from workers.local import LocalExecutor
from workers.host import Host

class OnDevice:
    def __init__(self, encoding):
        self.encoding = encoding

    def __getattr__(self, name):
        return getattr(self.encoding, name)

    def render_on(self, population, device):
        return self.encoding.render_on(population, "cpu")

lenet = classifiers.load("builtin:lenet")
for settings in (CppnSettings(), DirectSettings()):
    for device in ("cpu", "cuda"):
        encoding = OnDevice(encodings.create(settings, 28, "grey"))
        toolbox = build(encoding, lenet, device)
        archive = Archive(Cells(10), encoding.image_shape, encoding.empty())
        search = MapElites(SimpleNamespace(initial=8, population=6), 1, 4, toolbox, archive)
        executor = LocalExecutor(Host(toolbox), 2)
        for number in range(4):
            work = search.ask(number)
            search.tell(work, list(executor.map(work.task, work.shared, work.chunks)))
        executor.close()
        print(archive.digest())
"""


@pytest.mark.slow
def test_the_way_over_a_device_gives_the_same_archive() -> None:
    """A failure costs the archives of runs on GPUs: what they hold would depend on where it was rendered."""
    pytest.importorskip("triton")
    result = subprocess.run(
        [sys.executable, "-c", ON_A_DEVICE],
        env={**os.environ, "TRITON_INTERPRET": "1"},
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert result.returncode == 0, result.stderr
    cppn, cppn_on_device, direct, direct_on_device = result.stdout.split()
    assert cppn == cppn_on_device
    assert direct == direct_on_device


def test_when_a_generation_has_failed_nothing_of_it_is_computed_any_more() -> None:
    """A failure costs the memory for computing it again with a smaller batch: the old one still takes some."""
    began = threading.Event()
    finished: list[bool] = []

    def classify(pixels: np.ndarray, allow_nan: bool) -> np.ndarray:
        if len(pixels) == 2:  # the first chunk
            began.wait(200)
            raise MemoryError
        began.set()
        time.sleep(0.2)
        finished.append(True)
        return np.zeros((len(pixels), CLASSES), np.float32)

    encoding = encodings.create(ENCODINGS["direct"], SIZE, "grey")
    toolbox = build(encoding, SimpleNamespace(classify=classify))
    archive = Archive(Cells(CLASSES), encoding.image_shape, encoding.empty())
    search = MapElites(SimpleNamespace(initial=3, population=3), 1, 2, toolbox, archive)
    executor = LocalExecutor(Host(toolbox), 2)
    generation = search.ask(0)
    with pytest.raises(FoolingError, match="MemoryError"):
        list(executor.map(generation.task, generation.shared, generation.chunks))
    assert finished
    executor.close()


def test_an_error_in_a_chunk_reaches_the_caller() -> None:
    """And the chunks that were not begun never are."""
    seen: list[int] = []

    def classify(pixels: np.ndarray, allow_nan: bool) -> np.ndarray:
        seen.append(len(pixels))
        time.sleep(0.01)
        raise RuntimeError("the network broke")

    encoding = encodings.create(ENCODINGS["direct"], SIZE, "grey")
    toolbox = build(encoding, SimpleNamespace(classify=classify))
    archive = Archive(Cells(CLASSES), encoding.image_shape, encoding.empty())
    search = MapElites(SimpleNamespace(initial=40, population=40), 1, 1, toolbox, archive)
    executor = LocalExecutor(Host(toolbox), 1)
    generation = search.ask(0)
    with pytest.raises(
        FoolingError, match=r"children 0 to .* of generation .* failed: RuntimeError: the network broke"
    ):
        list(executor.map(generation.task, generation.shared, generation.chunks))
    executor.close()
    assert len(seen) < 40
