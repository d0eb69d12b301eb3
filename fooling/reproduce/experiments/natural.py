"""Networks for natural images: those that `retrain-cifar10` trains first, of three seeds, and whether the elites of each
fool the others (three trained alike from different initial weights are three pairs of twins)."""

from __future__ import annotations

from fooling.reproduce.experiments.answer import Answer
from fooling.reproduce.experiments.retrain import cifar10_plan, first_network
from fooling.reproduce.workspace import Workspace

SEEDS = range(3)


def pairs(workspace: Workspace) -> list[Answer]:
    """CPPN elites of every seed's runs against each of the networks, shown to the others.

    Raises:
        MissingInput: there are no images to train on.
    """
    networks = {number: first_network(workspace, cifar10_plan(workspace, "7x", number)) for number in SEEDS}
    runs = [
        (number, workspace.run("cifar10-cppn", seed, name=f"cifar10-cppn-net{number}-s{seed}",
                                model=f"file:{path}"))
        for number, path in networks.items()
        for seed in workspace.seeds
    ]  # fmt: skip

    def ask() -> list[Answer]:
        from fooling.studies.transfer.measure import measure, source_of

        found = []
        for number, path in networks.items():
            others = [(home, run) for home, run in runs if home != number]
            cells = measure([source_of(run) for _, run in others], f"file:{path}")
            found += [
                Answer(f"network {home}", f"network {number}", run.spec.config.seed,
                       cell.source.confidences.tolist(), cell.same_top1.tolist(), cell.confidence.tolist())
                for (home, run), cell in zip(others, cells, strict=True)
            ]  # fmt: skip
        return found

    return [Answer(*one) for one in workspace.once("transfer-cifar10", ask)]
