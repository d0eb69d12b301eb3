"""pyribs as in its tutorial "Generating Images to Fool an MNIST Classifier" (icaros-usc/pyribs,
tutorials/fooling_mnist.ipynb): a grid of ten cells, in which an image competes in that of its top digit; one
Gaussian emitter, sigma 0.5, from a grey image, bounded to [0, 1], 30 images an iteration.

Here it asks this project's LeNet instead of the tutorial's, and evaluates as many images as it is told.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from benchmarks.peers.common import DIGITS, PIXELS, SIDE, Found
from fooling.archive import Archive, Candidates, Cells
from fooling.encodings.direct import DirectPopulation

TUTORIAL_BATCH = 30
TUTORIAL_EVALUATIONS = 900_000


def search(
    ribs: Any, probabilities: Callable[[torch.Tensor], torch.Tensor], evaluations: int, batch: int, seed: int
) -> Found:
    """The tutorial's loop."""
    archive = grid(ribs, seed)
    emitter = ribs.emitters.GaussianEmitter(
        archive,
        sigma=0.5,
        x0=np.full(PIXELS, 0.5),
        bounds=[(0, 1)] * PIXELS,
        batch_size=batch,
        seed=seed,
    )
    scheduler = ribs.schedulers.Scheduler(archive, [emitter])
    began = time.perf_counter()
    for _ in range(evaluations // batch):
        solutions = scheduler.ask()
        images = torch.tensor(solutions.reshape(-1, 1, SIDE, SIDE), dtype=torch.float32)
        scores, digits = torch.max(probabilities(images), 1)
        scheduler.tell(scores.numpy(), digits.numpy()[:, None])
    seconds = time.perf_counter() - began
    elites = archive.data(["solution", "objective", "measures"])
    digits_found = elites["measures"][:, 0].astype(int)
    return Found(
        seconds,
        evaluations // batch * batch,
        {d: s.reshape(SIDE, SIDE) for d, s in zip(digits_found, elites["solution"], strict=True)},
        {d: float(o) for d, o in zip(digits_found, elites["objective"], strict=True)},
    )


def grid(ribs: Any, seed: int = 0) -> Any:
    """The tutorial's archive."""
    return ribs.archives.GridArchive(solution_dim=PIXELS, dims=[DIGITS], ranges=[(0, DIGITS)], seed=seed)


def check_archives_agree(ribs: Any) -> None:
    """Its archive and this project's keep the same images, where each image competes for its top digit only.

    Raises:
        AssertionError: they don't.
    """
    random = np.random.default_rng(0)
    images = random.random((300, PIXELS), np.float32)
    confidences = random.dirichlet(np.ones(DIGITS), 300).astype(np.float32)
    top = confidences.argmax(1)
    theirs = grid(ribs)
    theirs.add(images, confidences.max(1), top[:, None])
    data = theirs.data(["solution", "measures"])
    only_top = np.where(np.arange(DIGITS) == top[:, None], confidences, np.float32(-1))
    ids = np.column_stack([np.zeros(300), np.zeros(300), np.arange(300)]).astype(np.int32)
    genes = DirectPopulation(images.reshape(300, SIDE, SIDE, 1))
    pixels = np.zeros((300, SIDE, SIDE, 1), np.uint8)
    ours = Archive(Cells(DIGITS), (SIDE, SIDE, 1), DirectPopulation(genes.genes[:0]))
    ours.offer(Candidates.best_of(ids, pixels, genes, only_top))
    for digit, solution in zip(data["measures"][:, 0].astype(int), data["solution"], strict=True):
        kept = ours.genotypes.flat[ours.rows[digit]]
        assert np.array_equal(kept, solution), f"digit {digit}: pyribs keeps another image"
