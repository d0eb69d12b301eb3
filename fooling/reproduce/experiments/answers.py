"""What networks say of elites that were evolved against other networks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from fooling.reproduce.experiments.retrain import cifar10_plan, first_network
from fooling.reproduce.workspace import Workspace
from fooling.store.snapshot import Snapshot

CIFAR10_SEEDS = range(3)


class Answer(NamedTuple):
    """What a network says of the elites of one run.

    Attributes:
        source, target: SPECs, or names: of the network that the run was against, and of the one that is asked.
        seed: of the run.
        home: the confidences at home.
        same: for each image, whether the target's top-1 is the elite's class.
        confidence: for each image, the target's confidence in that class.
    """

    source: str
    target: str
    seed: int
    home: list[float]
    same: list[bool]
    confidence: list[float]

    @property
    def share(self) -> float:
        """The share of images with the same top-1."""
        return sum(self.same) / len(self.same)


def asked(runs: Sequence[tuple[str, Snapshot]], target: str, name: str | None = None) -> list[Answer]:
    """What a network says of the elites of runs.

    Args:
        runs: each with the name of the network that it was against.
        target: the SPEC of the network.
        name: what it is called (default: its SPEC).
    """
    from fooling.studies.transfer.measure import measure, source_of

    return [
        Answer(home, name or target, run.spec.config.seed, found.source.confidences.tolist(),
               found.same_top1.tolist(), found.confidence.tolist())
        for (home, run), found in zip(runs, measure([source_of(run) for _, run in runs], target), strict=True)
    ]  # fmt: skip


def on_digits(workspace: Workspace, encoding: str, networks: Sequence[str]) -> list[Answer]:
    """The elites of every network and seed, shown to every network."""
    runs = [(network, run) for network in networks for run in workspace.digits(encoding, network)]
    found = workspace.once(
        f"transfer-{encoding}-{len(networks)}",
        lambda: [answer for target in networks for answer in asked(runs, target)],
    )
    return [Answer(*one) for one in found]


def on_cifar10(workspace: Workspace) -> list[Answer]:
    """The CPPN elites of every seed against each of the networks that `retrain-cifar10` trains first, shown to the
    others: three networks that were trained alike from different initial weights are three pairs of twins.

    Raises:
        MissingInput: there are no images to train on.
    """
    networks = {n: first_network(workspace, cifar10_plan(workspace, "7x", n)) for n in CIFAR10_SEEDS}
    runs = [
        (f"network {number}", workspace.run("cifar10-cppn", seed, name=f"cifar10-cppn-net{number}-s{seed}",
                                            model=f"file:{path}"))
        for number, path in networks.items()
        for seed in workspace.seeds
    ]  # fmt: skip

    def ask() -> list[Answer]:
        return [
            answer
            for number, path in networks.items()
            for answer in asked([one for one in runs if one[0] != f"network {number}"], f"file:{path}",
                                f"network {number}")
        ]  # fmt: skip

    return [Answer(*one) for one in workspace.once("transfer-cifar10", ask)]
