"""Where a run is computed: in this process, or on Ray workers; the results are the same."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from fooling.classifiers.numerics import Numerics
from fooling.classifiers.numerics import resolve as resolve_numerics
from fooling.config import RunSettings
from fooling.errors import InvalidError
from fooling.runs.hosting import HostSpec, evaluators_of, members_of
from fooling.shadows import refuse_shadows
from workers.host import Host
from workers.local import LocalExecutor, prepare_thread, usable_cores
from workers.protocol import Executor

if TYPE_CHECKING:
    from fooling.runs.spread import SpreadExecutor
    from workers.cluster import Cluster, Resources
    from workers.distributed import RayExecutor

STORE_BYTES = 2**27  # of the object store, besides what a generation's images take
Notify = Callable[[str], None]


@dataclass(frozen=True)
class ClusterOptions:
    """How a cluster is waited for.

    Attributes:
        wait: for resources that are not there yet.
        notify: called with lines about what is waited for.
    """

    wait: bool = True
    notify: Notify = lambda _: None


def is_distributed(run: RunSettings) -> bool:
    """Whether these settings ask for Ray workers."""
    return run.workers != 0 and (run.workers is not None or run.address is not None)


def numerics_here(run: RunSettings) -> Numerics:
    """The numerics of the classifier in this process: the run's own; or, where workers compute, a CPU's, since
    here it is only looked at."""
    device = "cpu" if is_distributed(run) else run.device
    return resolve_numerics(device, run.threads, run.layout, run.batch, run.compile)


@dataclass(frozen=True)
class Placement:
    """What is to be computed, and where.

    Attributes:
        spec: what makes the hosts.
        run: the settings of where and how.
        images: in a generation, for which workers need room.
        stopping: when it is set, the executor gives up what is under way.
        cluster: how a cluster is waited for.
    """

    spec: HostSpec
    run: RunSettings
    images: int
    stopping: threading.Event
    cluster: ClusterOptions


def open_executor(placed: Placement, host: Host) -> tuple[Executor, Numerics]:
    """An executor, ready, and the numerics that it computes with.

    Args:
        host: made from the placement's spec, in this process.

    Raises:
        FoolingError: no such cluster, or workers that can't start.
    """
    run, numerics = placed.run, placed.spec.numerics
    if not is_distributed(run):
        if run.spread:
            raise InvalidError("run.spread: expected Ray workers to spread networks over; give --workers N")
        device, threads = numerics.device, numerics.threads
        return LocalExecutor(
            host, evaluators_of(run, device), lambda: prepare_thread(device, threads)
        ), numerics
    from workers.signals import interruptible

    with interruptible(placed.stopping):
        return _distributed(placed, host)


def _distributed(placed: Placement, host: Host) -> tuple[Executor, Numerics]:
    from workers.cluster import Cluster, Resources

    refuse_shadows(Path.cwd())  # where the imports of Ray's workers begin
    run = placed.run
    if reason := _not_distributable(host.classifier):
        raise InvalidError(f"run.workers: {reason}")
    if run.device.startswith("cuda:"):
        raise InvalidError(f'run.device: expected "cuda" with Ray, which assigns GPUs, found {run.device!r}')
    if run.gpus is not None and not _is_share(run.gpus):
        raise InvalidError(
            f"run.gpus: expected 0, a share of at least 0.0001, or a whole number of GPUs, found {run.gpus:g}"
        )
    cores = max(usable_cores(), (run.workers or 1) * run.threads)
    cluster = Cluster(run.address, cores, _store_bytes(placed, host))
    executor: RayExecutor | SpreadExecutor
    try:
        gpus = cluster.total.gpus
        device = ("cuda" if gpus and run.gpus != 0 else "cpu") if run.device == "auto" else run.device
        share = run.gpus
        if share is None and device != "cpu":  # a cluster of our own does not grow: all share what there is
            share = 1 / max(1, math.ceil((run.workers or 1) / gpus)) if cluster.is_ours and gpus else 1.0
        numerics = replace(placed.spec.numerics, device=device, device_model="")
        pool = _Pool(cluster, Resources(run.threads, share or 0.0), placed)
        spec = replace(placed.spec, numerics=numerics)
        executor = pool.spread(spec, host) if run.spread else pool.group(spec, host, run.workers)
    except BaseException:
        cluster.close()
        raise
    models = sorted({str(facts["device"]) for facts in executor.workers})
    if len(models) > 1:
        placed.cluster.notify(f"workers compute on {' and '.join(models)}: last bits may differ between them")
    return executor, replace(numerics, device_model=models[0])


@dataclass(frozen=True)
class _Pool:
    """A cluster, and what each worker takes of it."""

    cluster: Cluster
    need: Resources
    placed: Placement

    def group(self, spec: HostSpec, host: Host, count: int | None) -> RayExecutor:
        """Workers that all make the same host."""
        from workers.actor import Blueprint
        from workers.distributed import RayExecutor

        return RayExecutor(
            self.cluster,
            Blueprint("fooling.runs.hosting:build", spec),
            host,
            self.need,
            count,
            wait=self.placed.cluster.wait and not self.cluster.is_ours,
            patience=self.placed.run.patience,
            stopping=self.placed.stopping,
            notify=self.placed.cluster.notify,
        )

    def spread(self, spec: HostSpec, host: Host) -> SpreadExecutor:
        """A group of workers for each network of an ensemble.

        Raises:
            InvalidError: it is no ensemble, or has more networks than there are to be workers.
        """
        from fooling.runs.spread import SpreadExecutor

        members, workers = members_of(host.classifier), self.placed.run.workers
        if workers is not None and workers < len(members):
            raise InvalidError(
                f"run.spread: expected at least a worker for each of {len(members)} networks, found {workers}"
            )
        if spec.customise is not None:
            raise InvalidError("run.spread: expected the operators of the encoding, found `customise`")
        groups = []
        for number, member in enumerate(members):
            count = 1 if workers is None else (workers + number) // len(members)
            alone = replace(spec, member=number)
            groups.append(self.group(alone, alone.host(member)[0], count))
        network = host.classifier.network

        def combine(answers: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
            return network.combined(torch.from_numpy(np.stack(answers))).numpy()

        return SpreadExecutor(groups, combine)


def _not_distributable(classifier: Any) -> str:
    """Why a classifier can't be asked from other processes, where it, or a member of it, can't; else ""."""
    network = getattr(classifier, "network", None)
    members = map(_not_distributable, getattr(network, "members", ()))
    return getattr(network, "not_distributable", "") or next(filter(None, members), "")


def _is_share(gpus: float) -> bool:
    """Whether Ray can give so many GPUs to a worker."""
    return gpus == 0 or 1e-4 <= gpus <= 1 or (gpus > 1 and gpus == int(gpus))


def _store_bytes(placed: Placement, host: Host) -> int:
    """Room for the genotypes of two generations' parents and what comes back."""
    image, encoding = math.prod(host.classifier.spec.image_shape), placed.spec.encoding
    genes = 0 if encoding is None else encoding.genes(image)
    return STORE_BYTES + 4 * placed.images * (image + 4 * genes)
