"""The CPPN itself: what each of its weights does to the confidence, and how much of the network is needed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from cppn.population import Population
from fooling.encodings.protocol import Encoding
from fooling.runs.evaluator import Evaluator
from fooling.studies.explain.evidence import ask
from fooling.studies.explain.removal import SURE
from fooling.validation import Data, Many

STEP = 0.05  # by which weights are moved
_ROUNDS = 24  # in which edges are taken away


class Edge(Data):
    """An edge of the CPPN.

    Attributes:
        source, target: the nodes that it connects: 0 to 3 are the inputs x, y, distance and bias, then come the outputs.
        weight: of the edge.
        slope: of the class's evidence with respect to the weight.
        loss: the evidence that is lost without the edge.
        needed: whether the edge is in the small network that keeps the confidence.
    """

    source: int
    target: int
    weight: float
    slope: float
    loss: float
    needed: bool


class Network(Data):
    """What the parts of the CPPN do.

    Attributes:
        nodes: hidden ones.
        edges: all of them, in the genotype's order.
        needed: edges of a small network that alone has a confidence of 0.99; None where the elite itself has less.
        needed_confidence: of that network; None likewise.
    """

    nodes: int
    edges: Many[Edge]
    needed: int | None
    needed_confidence: float | None


def network(
    evaluator: Evaluator, encoding: Encoding[Population], genotype: Population, target: int
) -> Network:
    """Ask about one genotype with its weights moved, and without its edges."""
    weights, edges = genotype.weights, len(genotype.weights)
    moved = np.concatenate(
        [
            weights + np.eye(edges, dtype=np.float32) * STEP,
            weights - np.eye(edges, dtype=np.float32) * STEP,
            weights * (1 - np.eye(edges, dtype=np.float32)),
            weights[None],
        ]
    )
    evidence = ask(evaluator, _images(encoding, genotype, moved)).evidence[:, target]
    slope = (evidence[:edges] - evidence[edges : 2 * edges]) / (2 * STEP)
    loss = evidence[-1] - evidence[2 * edges : 3 * edges]
    kept, sure = _needed(evaluator, encoding, genotype, target)
    return Network(
        nodes=len(genotype.activations) - genotype.outputs,
        edges=tuple(
            Edge(
                source=int(genotype.sources[number]),
                target=int(genotype.targets[number]),
                weight=float(weights[number]),
                slope=float(slope[number]),
                loss=float(loss[number]),
                needed=sure is not None and bool(kept[number]),
            )
            for number in range(edges)
        ),
        needed=None if sure is None else int(kept.sum()),
        needed_confidence=sure,
    )


def _needed(
    evaluator: Evaluator, encoding: Encoding[Population], genotype: Population, target: int
) -> tuple[NDArray[np.bool_], float | None]:
    """Which edges are left when those are taken away, round by round, that are missed least, as long as the confidence stays
    at 0.99. Where a round takes too much, half of it is tried."""
    kept = np.ones(len(genotype.weights), bool)
    sure = _confidence(evaluator, encoding, genotype, kept, target)
    if sure < SURE:
        return kept, None
    at_once = -(-len(kept) // _ROUNDS)
    while kept.any():
        left = np.flatnonzero(kept)
        tries = np.repeat(kept[None], len(left), axis=0)
        tries[np.arange(len(left)), left] = False
        images = _images(encoding, genotype, genotype.weights * tries)
        order = left[np.argsort(-ask(evaluator, images).evidence[:, target], kind="stable")]
        fewer, now = _fewer(evaluator, encoding, genotype, kept, order[:at_once], target)
        if now is None:
            break
        kept, sure = fewer, now
    return kept, sure


def _fewer(
    evaluator: Evaluator,
    encoding: Encoding[Population],
    genotype: Population,
    kept: NDArray[np.bool_],
    order: NDArray[np.int64],
    target: int,
) -> tuple[NDArray[np.bool_], float | None]:
    """Without as many of some edges as keep the confidence, all, half, a quarter ...; None for the confidence where not even
    the first can go."""
    count = len(order)
    while count:
        fewer = kept.copy()
        fewer[order[:count]] = False
        sure = _confidence(evaluator, encoding, genotype, fewer, target)
        if sure >= SURE:
            return fewer, sure
        count //= 2
    return kept, None


def _confidence(
    evaluator: Evaluator,
    encoding: Encoding[Population],
    genotype: Population,
    kept: NDArray[np.bool_],
    target: int,
) -> float:
    images = _images(encoding, genotype, genotype.weights[None] * kept)
    return float(evaluator.evaluate(images).confidences[0, target])


def _images(
    encoding: Encoding[Population], genotype: Population, weights: NDArray[np.float32]
) -> NDArray[np.uint8]:
    """The images of one genotype with other weights, (n, edges)."""
    copies = genotype.take(np.zeros(len(weights), np.int64))
    return encoding.render(replace(copies, weights=np.ascontiguousarray(weights.ravel(), np.float32)))
