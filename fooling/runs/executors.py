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
from fooling.config import Settings
from fooling.errors import InvalidError
from fooling.runs.hosting import Recipe, evaluators_of, members_of
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
class Wishes:
    """What the user wants of a cluster.

    Attributes:
        wait: for resources that are not there yet.
        notify: called with lines about what is waited for.
    """

    wait: bool = True
    notify: Notify = lambda _: None


def is_distributed(settings: Settings) -> bool:
    """Whether a run is computed on Ray workers."""
    run = settings.run
    return run.workers != 0 and (run.workers is not None or run.address is not None)


def numerics_here(settings: Settings) -> Numerics:
    """The numerics of the classifier in this process: the run's own; or, where workers compute, a CPU's, since
    here it is only looked at."""
    run = settings.run
    device = "cpu" if is_distributed(settings) else run.device
    return resolve_numerics(device, run.threads, run.layout, run.batch, run.compile)


def open_executor(
    recipe: Recipe, images: int, host: Host, stopping: threading.Event, wishes: Wishes
) -> tuple[Executor, Numerics]:
    """The executor of a run, ready, and the numerics that it computes with.

    Args:
        images: of a generation, for which workers need room.
        host: made from it, in this process.
        stopping: when set, the executor gives up what is under way.

    Raises:
        FoolingError: no such cluster, or workers that can't start.
    """
    settings, numerics = recipe.settings, recipe.numerics
    if not is_distributed(settings):
        if settings.run.spread:
            raise InvalidError("run.spread: expected Ray workers to spread networks over; give --workers N")
        device, threads = numerics.device, numerics.threads
        evaluators = evaluators_of(settings, device)
        return LocalExecutor(host, evaluators, lambda: prepare_thread(device, threads)), numerics
    from workers.signals import interruptible

    with interruptible(stopping):
        return _distributed(recipe, images, host, stopping, wishes)


def _distributed(
    recipe: Recipe, images: int, host: Host, stopping: threading.Event, wishes: Wishes
) -> tuple[Executor, Numerics]:
    from workers.cluster import Cluster, Resources

    refuse_shadows(Path.cwd())  # where the imports of Ray's workers begin
    settings = recipe.settings
    run = settings.run
    if reason := _not_distributable(host.classifier):
        raise InvalidError(f"run.workers: {reason}")
    if run.device.startswith("cuda:"):
        raise InvalidError(f'run.device: expected "cuda" with Ray, which assigns GPUs, found {run.device!r}')
    if run.gpus is not None and not _is_share(run.gpus):
        raise InvalidError(
            f"run.gpus: expected 0, a share of at least 0.0001, or a whole number of GPUs, found {run.gpus:g}"
        )
    cores = max(usable_cores(), (run.workers or 1) * run.threads)
    cluster = Cluster(run.address, cores, _store_bytes(settings, images, host))
    executor: RayExecutor | SpreadExecutor
    try:
        gpus = cluster.total.gpus
        device = ("cuda" if gpus and run.gpus != 0 else "cpu") if run.device == "auto" else run.device
        share = run.gpus
        if share is None and device != "cpu":  # a cluster of our own does not grow: all share what there is
            share = 1 / max(1, math.ceil((run.workers or 1) / gpus)) if cluster.is_ours and gpus else 1.0
        numerics = replace(recipe.numerics, device=device, device_model="")
        recipe = replace(recipe, numerics=numerics)
        team = Team(
            cluster,
            Resources(run.threads, share or 0.0),
            wishes.wait and not cluster.is_ours,
            stopping,
            wishes,
        )
        executor = team.spread(recipe, host) if run.spread else team.group(recipe, host, run.workers)
    except BaseException:
        cluster.close()
        raise
    models = sorted({str(facts["device"]) for facts in executor.workers})
    if len(models) > 1:
        wishes.notify(f"workers compute on {' and '.join(models)}: last bits may differ between them")
    return executor, replace(numerics, device_model=models[0])


@dataclass(frozen=True)
class Team:
    """How workers are asked for: on which cluster, what each takes, and the user's wishes."""

    cluster: Cluster
    need: Resources
    wait: bool
    stopping: threading.Event
    wishes: Wishes

    def group(self, recipe: Recipe, host: Host, count: int | None) -> RayExecutor:
        """Workers that all make the same host."""
        from workers.actor import Blueprint
        from workers.distributed import RayExecutor

        return RayExecutor(
            self.cluster,
            Blueprint("fooling.runs.hosting:build", recipe),
            host,
            self.need,
            count,
            wait=self.wait,
            patience=recipe.settings.run.patience,
            stopping=self.stopping,
            notify=self.wishes.notify,
        )

    def spread(self, recipe: Recipe, host: Host) -> SpreadExecutor:
        """A group of workers for each network of an ensemble.

        Raises:
            InvalidError: it is no ensemble, or has more networks than there are to be workers.
        """
        from fooling.runs.spread import SpreadExecutor

        members, workers = members_of(host.classifier), recipe.settings.run.workers
        if workers is not None and workers < len(members):
            raise InvalidError(
                f"run.spread: expected at least a worker for each of {len(members)} networks, found {workers}"
            )
        if recipe.customise is not None:
            raise InvalidError("run.spread: expected the operators of the encoding, found `customise`")
        groups = []
        for number, member in enumerate(members):
            count = 1 if workers is None else (workers + number) // len(members)
            alone = replace(recipe, member=number)
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


def _store_bytes(settings: Settings, images: int, host: Host) -> int:
    """Room for the genotypes of two generations' parents and what comes back."""
    image = math.prod(host.classifier.spec.image_shape)
    genes = 4 * image if settings.encoding.name == "direct" else 0
    return STORE_BYTES + 4 * images * (image + genes)
