"""A Ray cluster of several nodes, and workers on it that are closed when a test is over."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.cheap_hosts import BUILDER, make
from tests.cheap_work import CORES, Staff
from tests.ray_clusters import Holder
from workers.actor import Blueprint
from workers.cluster import Cluster, Resources
from workers.distributed import RayExecutor


@pytest.fixture(scope="module")
def holder() -> Iterator[Holder]:
    """A cluster with one node of three cores, which this process has joined."""
    with Holder() as held, pytest.MonkeyPatch.context() as patch:
        held.add(cpus=CORES)
        for name, value in held.environment.items():
            patch.setenv(name, value)
        with Cluster(held.address, 1, 1):
            yield held


@pytest.fixture
def staff(holder: Holder) -> Iterator[Staff]:
    """`staff(count, ...)`: an executor with so many workers, closed when the test is over."""
    opened = []

    def hire(
        count: int | None = 1, cpus: float = 1, gpus: float = 0, host: str = "cheap", **options: Any
    ) -> RayExecutor:
        argument = options.pop("argument", {})
        need = Resources(cpus, gpus)
        executor = RayExecutor(
            Cluster(None, 1, 1), Blueprint(BUILDER, argument), make(host), need, count, **options
        )
        opened.append(executor)
        return executor

    yield hire
    for executor in opened:
        executor.close()
