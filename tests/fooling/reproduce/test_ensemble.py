"""Held-out networks: what is compared must differ in the aim alone."""

from __future__ import annotations

import numpy as np
import pytest

from fooling.reproduce.experiments import ensemble
from fooling.reproduce.experiments.ensemble import Trial
from fooling.reproduce.workspace import Workspace


def trial(held: str, seed: int, aim: str, share: float) -> Trial:
    return Trial("cppn", held, seed, aim, share, share, 0.99, 10)


def test_pairs_are_of_the_same_network_and_seed() -> None:
    trials = [trial("a", 0, "one", 0.1), trial("b", 0, "mean", 0.9), trial("a", 0, "mean", 0.8)]
    trials += [trial("b", 0, "one", 0.2), trial("a", 0, "minimum", 0.5), trial("b", 0, "minimum", 0.6)]
    ours, theirs = ensemble.paired(trials, "mean")
    assert sorted(zip(ours, theirs, strict=True)) == [(0.8, 0.1), (0.9, 0.2)]


def test_the_held_out_network_is_never_asked_in_evolution(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A network that images were evolved against is not held out: its answer would be no transfer."""
    asked: list[tuple[str, ...]] = []
    monkeypatch.setattr(
        ensemble, "_ensembles", lambda lab, encoding, members, aim: asked.append(tuple(members)) or []
    )
    monkeypatch.setattr(Workspace, "digits", lambda lab, encoding, model: asked.append((model,)) or [])
    monkeypatch.setattr(ensemble, "_shares", lambda runs, held: [])
    monkeypatch.setattr(Workspace, "once", lambda lab, name, ask: [])
    for held in ensemble.NETWORKS:
        asked.clear()
        ensemble._held_out(workspace, "cppn", held)
        assert asked
        assert all(held not in members for members in asked)


def test_an_ensembles_spec_names_its_members(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = {}
    monkeypatch.setattr(Workspace, "run", lambda lab, config, seed, **settings: seen.update(settings))
    ensemble._ensembles(workspace, "cppn", ["builtin:lenet", "builtin:lenet-b"], "minimum")
    from fooling import classifiers

    combined = classifiers.load(seen["model"])
    images = np.random.Generator(np.random.Philox(1)).integers(0, 256, (5, 28, 28, 1), np.uint8)
    members = [classifiers.load(name).classify(images) for name in ("builtin:lenet", "builtin:lenet-b")]
    assert np.array_equal(combined.classify(images), np.minimum(*members))


@pytest.mark.parametrize(
    ("together", "holds"), [(0.95, [True, True]), (0.995, [True, False]), (0.5, [False, True])]
)
def test_claims(together: float, holds: list[bool]) -> None:
    """That it succeeds and that it is harder are two findings."""
    trials = [trial("a", 0, "one", 0.1), trial("a", 0, "mean", 0.1)._replace(home=together)]
    assert [claim.holds for claim in ensemble.claims(trials)] == holds
