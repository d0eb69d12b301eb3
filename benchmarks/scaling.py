"""How far do Ray workers carry a run, and what does the process cost that feeds them?

    python -m benchmarks.scaling [--quick] [--cores 2] [--chunk-ms 200]

1 to 64 workers whose classifier's latency is emulated by sleeping, so that many fit on a few cores: variation,
rendering, reduction, dispatch, transport and the archive are real. Each worker has 4 chunks of 50 children a
generation. Parallel efficiency is the time that the latencies alone would take over the median generation's;
`benchmarks.scaling_model` fits, draws and extrapolates it. All searches of an encoding begin with the same elites,
bred for 60 generations of 1,600 images, and have to end with the archive of one process. Besides: what starting
workers costs, and what a chunk costs that takes no time.
"""

from __future__ import annotations

import argparse
import copy
import math
import pickle
import statistics
import sys
import time
import zlib
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks import scaling_model
from benchmarks.processes import has_torch, proportional_bytes, ray_cpu
from benchmarks.report import arguments, interleaved, parser, save, spread
from cppn.keys import Keys
from fooling import encodings
from fooling.archive import Archive, Cells
from fooling.encodings.settings import CppnSettings, DirectSettings
from fooling.present.markdown import table as markdown
from fooling.search.breeding import Offspring, Parents
from fooling.search.map_elites import Generation, MapElites
from fooling.search.settings import MapElitesSettings
from fooling.search.toolbox import build as build_toolbox
from workers.actor import Answer, Blueprint
from workers.cluster import Cluster, Resources
from workers.distributed import INLINE_BYTES, RayExecutor
from workers.host import Host
from workers.local import LocalExecutor, usable_cores
from workers.tasks import compute

SIZE, BLOCK, COUNT = 28, 4, 50  # image's side, of a block that is seen; children of a chunk
BRED, BRED_POPULATION = 60, 1_600
STORE_BYTES = 2**28
ENCODINGS = {"cppn": CppnSettings, "direct": DirectSettings}


class Emulation(NamedTuple):
    """A host to be made: `seconds` is the mean latency of a chunk, `variation` its coefficient of variation."""

    encoding: str
    classes: int
    seconds: float = 0.0
    variation: float = 0.0


class Case(NamedTuple):
    """What is measured: so many workers with such hosts."""

    workers: int
    emulation: Emulation


class Emulated:
    """A linear classifier of 4x4 block means, which takes its time. Neither torch nor a GPU is needed."""

    def __init__(self, classes: int, seconds: float, variation: float) -> None:
        self._seconds, self._sigma = seconds, math.sqrt(math.log1p(variation**2))
        shape = ((SIZE // BLOCK) ** 2, classes)
        self._weights = np.random.default_rng(0).integers(-128, 128, shape).astype(np.float64)

    def classify(self, pixels: NDArray[np.uint8], allow_nan: bool = False) -> NDArray[np.float32]:
        """(n, K) float32. Sums of products are whole numbers, so that they are exact in any order."""
        began, side = time.perf_counter(), SIZE // BLOCK
        blocks = pixels.reshape(-1, side, BLOCK, side, BLOCK).sum(axis=(2, 4), dtype=np.int64)
        logits = (blocks.reshape(-1, side**2) - 128.0 * BLOCK**2) @ self._weights * 4e-6
        np.exp(logits - logits.max(axis=1, keepdims=True), out=logits)
        confidences = (logits / logits.sum(axis=1, keepdims=True)).astype(np.float32)
        time.sleep(max(0.0, began + self._latency(pixels) - time.perf_counter()))
        return confidences

    def _latency(self, pixels: NDArray[np.uint8]) -> float:
        """Lognormal, of the mean and the variation that were asked for; the same for the same chunk."""
        draw = np.random.default_rng(zlib.crc32(pixels.tobytes())).standard_normal()
        return self._seconds * math.exp(self._sigma * (draw - self._sigma / 2))


def build(emulation: Sequence[Any]) -> Host:
    """The host of an emulation, wherever it is needed."""
    name, classes, seconds, variation = emulation
    encoding = encodings.create(ENCODINGS[name](), SIZE, "grey")
    return Host(build_toolbox(encoding, Emulated(classes, seconds, variation)))


@lru_cache
def elites(encoding: str, classes: int) -> Archive:
    """The archive that all searches of an encoding and a number of classes begin with; not to be changed."""
    made = encodings.create(ENCODINGS[encoding](), SIZE, "grey")
    archive = Archive(Cells(classes), made.image_shape, made.empty())
    in_process(searching(archive, encoding, classes, BRED_POPULATION), encoding, classes, range(BRED + 1))
    return archive


def searching(archive: Archive, encoding: str, classes: int, population: int) -> MapElites:
    """A search for an archive, in generations of so many."""
    toolbox = build(Emulation(encoding, classes)).toolbox
    return MapElites(MapElitesSettings(population=population), 0, COUNT, toolbox, archive)


def in_process(search: MapElites, encoding: str, classes: int, numbers: Sequence[int]) -> None:
    """Some generations, computed here and without latency."""
    from fooling.runs.computing import Computing  # with it comes torch, which workers do without

    executor = LocalExecutor(build(Emulation(encoding, classes)), 1)
    try:
        for number in numbers:
            search.step(number, Computing(executor))
    finally:
        executor.close()


class Workers:
    """The workers of a case, all of them ready; a context manager, which ends them.

    Attributes:
        seconds: that it took: the cluster, the first worker, the others.
    """

    def __init__(self, case: Case) -> None:
        clock = [time.perf_counter()]
        cluster = Cluster(None, max(case.workers, usable_cores()), STORE_BYTES)
        clock.append(time.perf_counter())
        blueprint = Blueprint("benchmarks.scaling:build", tuple(case.emulation))
        host = build(case.emulation)
        self.executor = RayExecutor(cluster, blueprint, host, Resources(1, 0), case.workers)
        clock.append(time.perf_counter())
        first = Parents(None, np.ones(case.emulation.classes, np.float32))
        while len(self.executor.workers) < case.workers:
            list(self.executor.map("breed", first, [Offspring(Keys.of_generation(0, 0, 1), None)]))
        clock.append(time.perf_counter())
        self.seconds = dict(zip(("cluster", "first", "others"), np.diff(clock).tolist(), strict=True))

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, *_: object) -> None:
        self.executor.close()


def measure(case: Case, generations: int) -> dict[str, Any]:
    """Let workers compute some generations, and hold the archive against that of one process.

    Raises:
        AssertionError: the archive is another one, or a worker has loaded torch.
    """
    encoding, classes, population = (
        case.emulation[0],
        case.emulation[1],
        case.workers * scaling_model.CHUNKS * COUNT,
    )
    archive, expected = (copy.deepcopy(elites(encoding, classes)) for _ in range(2))
    search = searching(archive, encoding, classes, population)
    numbers = range(BRED + 1, BRED + 3 + generations)  # the first two warm up
    with Workers(case) as workers:
        turns = [turn(search, workers.executor, number) for number in numbers][2:]
        pids = [facts["pid"] for facts in workers.executor.workers]
        memory = [proportional_bytes(pid) for pid in pids]
        assert not any(map(has_torch, pids)), "a worker has loaded torch"
    in_process(searching(expected, encoding, classes, population), encoding, classes, numbers)
    assert archive.digest() == expected.digest(), "workers made another archive than this process"
    facts = {"workers": case.workers, **case.emulation._asdict(), "start": workers.seconds}
    return {**facts, **summary(case, turns), "worker_bytes": statistics.mean(memory), "turns": turns}


def turn(search: MapElites, executor: RayExecutor, number: int) -> dict[str, float]:
    """One generation: seconds of its parts, CPU seconds of this process and of Ray's own, what was sent."""
    workers = {facts["pid"] for facts in executor.workers}
    ray, cpu, clock = ray_cpu(workers), time.process_time(), [time.perf_counter()]
    work = search.ask(number)
    clock.append(time.perf_counter())
    results = list(executor.map(work.task, work.shared, work.chunks))
    clock.append(time.perf_counter())
    search.tell(work, results)
    clock.append(time.perf_counter())
    cpu, ray = time.process_time() - cpu, ray_cpu(workers) - ray
    sent, received = traffic(work, results)
    return {
        "seconds": clock[3] - clock[0],
        "serial": clock[1] - clock[0] + clock[3] - clock[2],
        "driver_cpu": cpu,
        "ray_cpu": ray,
        "sent": sent,
        "received": received,
        "claims": sum(len(result.cells) for result in results),
    }


def traffic(work: Generation, results: Sequence[Any]) -> tuple[int, int]:
    """Bytes that the driver sends and receives for a generation, without Ray's envelopes: what all chunks
    share travels with each of them where it is small, else once per node."""
    shared, chunks = work.shared.packed(work.chunks)
    common = len(pickle.dumps(shared, protocol=5))
    sent = common * (len(chunks) if common <= INLINE_BYTES else 1)
    sent += sum(len(pickle.dumps(chunk, protocol=5)) for chunk in chunks)
    return sent, sum(len(pickle.dumps(Answer("done", result), protocol=5)) for result in results)


def summary(case: Case, turns: Sequence[dict[str, float]]) -> dict[str, Any]:
    """What the tables show: medians over generations."""
    middle = {key: statistics.median(each[key] for each in turns) for key in turns[0]}
    chunks, ideal, seconds = (
        case.workers * scaling_model.CHUNKS,
        scaling_model.CHUNKS * case.emulation.seconds,
        middle["seconds"],
    )
    return {
        "generation": seconds,
        "efficiencies": [ideal / each["seconds"] for each in turns],
        "images_per_second": chunks * COUNT / seconds,
        "claims_per_second": middle["claims"] / seconds,
        "claims_per_chunk": middle["claims"] / chunks,
        "sent_per_second": middle["sent"] / seconds,
        "received_per_second": middle["received"] / seconds,
        "bytes_per_chunk": (middle["sent"] + middle["received"]) / chunks,
        "driver_cpu_per_chunk": middle["driver_cpu"] / chunks,
        "ray_cpu_per_chunk": statistics.mean(each["ray_cpu"] for each in turns) / chunks,  # told in 10 ms
        "serial": middle["serial"],
    }


def chunk_overhead(repeats: int) -> dict[str, list[float]]:
    """Seconds of a chunk without latency: computed here, by one worker, and by one that always has a next."""
    emulation = Emulation("cppn", 10)
    search = searching(elites(*emulation[:2]), *emulation[:2], COUNT * 32)
    work = search.ask(BRED + 1)
    host = build(emulation)

    def here(_: int) -> float:
        return seconds_of(lambda: compute(host, work.task, work.shared, work.chunks[0]))

    with Workers(Case(1, emulation)) as workers:

        def of(chunks: Sequence[Offspring]) -> float:
            return seconds_of(lambda: list(workers.executor.map(work.task, work.shared, chunks))) / len(
                chunks
            )

        calls = {
            "in this process": here,
            "by a worker, one at a time": lambda _: of(work.chunks[:1]),
            "by a worker, 32 in a row": lambda _: of(work.chunks),
        }
        return {name: found[1:] for name, found in interleaved(calls, repeats + 1).items()}


def seconds_of(call: Callable[[], Any]) -> float:
    """How long a call takes."""
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def cases(seconds: float, quick: bool) -> list[Case]:
    """All combinations, then what the model needs: another latency, latencies that vary, and none."""
    kinds = [(name, classes) for name in ENCODINGS for classes in (10, 1_000)]
    sizes = (1, 4, 16) if quick else (1, 2, 4, 8, 16, 32, 64)
    found = [Case(size, Emulation(*kind, seconds)) for kind in kinds for size in sizes]
    if quick:
        return found
    longer = [Case(64, Emulation(*kind, 2.5 * seconds)) for kind in kinds]
    varied = [Case(size, Emulation("cppn", 10, seconds, 0.25)) for size in (4, 16, 64)]
    return [*found, *longer, *varied, *(Case(size, Emulation("cppn", 10)) for size in (1, 4, 16, 64))]


def case_row(found: dict[str, Any]) -> list[str]:
    """A line of the main table."""
    latency = f"{found['seconds'] * 1000:.0f} ms" + (
        f" +- {found['variation']:.0%}" * bool(found["variation"])
    )
    return [
        found["encoding"],
        f"{found['classes']:,}",
        latency,
        str(found["workers"]),
        spread(found["efficiencies"], ".3f") if found["seconds"] else "",
        f"{found['images_per_second']:,.0f}",
        f"{found['claims_per_second']:,.0f}",
        f"{found['sent_per_second'] / 1e6:.2f}",
        f"{found['received_per_second'] / 1e6:.2f}",
        f"{found['driver_cpu_per_chunk'] * 1e3:.2f}",
        f"{found['driver_cpu_per_chunk'] * 1e6 / COUNT:.1f}",
        f"{found['ray_cpu_per_chunk'] * 1e3:.2f}",
        f"{found['serial'] * 1e3:.1f}",
    ]


HEAD = ("encoding", "classes", "a chunk's latency", "workers", "efficiency", "evaluations/s", "offers/s", "MB/s sent",
        "MB/s received", "driver's CPU, ms a chunk", "microseconds an evaluation", "Ray's CPU, ms a chunk",
        "search, ms a generation")  # fmt: skip


def start_table(found: Sequence[dict[str, Any]]) -> str:
    """What starting costs, medians over the cases of a size."""
    rows = []
    for size in sorted({each["workers"] for each in found}):
        same = [each for each in found if each["workers"] == size]
        parts = [statistics.median(each["start"][part] for each in same) for part in same[0]["start"]]
        memory = statistics.median(each["worker_bytes"] for each in same) / 1e6
        rows.append([size, *(f"{part:.1f}" for part in parts), f"{memory:,.0f}"])
    return markdown(("workers", "the cluster, s", "the first worker", "the others", "MB a worker"), rows)


def main(given: argparse.Namespace) -> None:
    """Everything, and the model of it."""
    quick = given.quick
    overhead = chunk_overhead(10 if quick else 100)
    found = []
    for case in cases(given.chunk_ms / 1000, quick):
        found.append(measure(case, 3 if quick else 10))
        print(" | ".join(case_row(found[-1])), file=sys.stderr, flush=True)
    tables = {
        "Workers with an emulated latency": markdown(HEAD, list(map(case_row, found))),
        "Starting them": start_table(found),
        "A chunk without latency": markdown(
            ("50 children, 10 classes", "ms"),
            [[name, spread([each * 1e3 for each in times], ".2f")] for name, times in overhead.items()],
        ),
    }
    save("scaling", {"cases": found, "overhead": overhead}, tables, quick)
    scaling_model.main(quick)


if __name__ == "__main__":
    made = parser(__doc__)
    made.add_argument(
        "--chunk-ms", type=float, default=200, help="emulated latency of a chunk (default: 200)"
    )
    main(arguments(made))
