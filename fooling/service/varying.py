"""The CPPN of an elite, changed or taken apart: drawn here, on request, within bounds on the work."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from fooling.errors import NotFoundError
from fooling.service.problems import ProblemError
from fooling.sizes import size_of

if TYPE_CHECKING:
    from cppn.population import Population
    from fooling.store.snapshot import Snapshot

COLUMNS = 8  # of the sheet of nodes
_MOST_NODES = 1024  # of a genotype that is changed or taken apart
_MOST_WORK = 2**29  # pixels times edges and nodes of what is drawn for one request: about half a second


def changed(view: Snapshot, number: int, weights: dict[int, float]) -> Population:
    """The CPPN of a class's elite, with other weights.

    Args:
        weights: by the place of the edge in the genotype.

    Raises:
        ProblemError: 404: there is no such CPPN; 422: no such edge or weight, or the CPPN is too large.
    """
    from cppn.documents import reweighted

    row = _row(view, number)
    try:
        return reweighted(view.archive.genotypes, row, weights)
    except ValueError as error:
        raise ProblemError(422, f"weights: {error}") from None


def draw(view: Snapshot, genotype: Population, side: int | None = None) -> NDArray[np.uint8]:
    """The image of one CPPN of a run, (H, W, C) uint8.

    Args:
        side: of the image's longer side in pixels; None: the size that the run classified.

    Raises:
        ProblemError: 422: that would take too long.
    """
    from fooling.store.snapshot import empty_archive

    native = view.archive.pixels.shape[1:3]
    height, width = native if side is None else scaled(native, side)
    _expect_work(height * width, int(genotype.nodes.sum() + genotype.edges.sum()))
    _, encoding = empty_archive(view.spec.config, view.spec.classifier.spec)
    return encoding.render(genotype, size_of((height, width)))[0]


def nodes_sheet(view: Snapshot, number: int, side: int) -> NDArray[np.uint8]:
    """What every node of a class's CPPN puts out, drawn in grey as an output would be: a sheet of COLUMNS columns, in the
    order of the nodes' numbers, (H, W, 1) uint8.

    Args:
        side: of the longer side of each image in pixels.

    Raises:
        ProblemError: 404: there is no such CPPN; 422: it has too many nodes.
    """
    from cppn.documents import node_images
    from cppn.rendering import Raster, render

    row, settings = _row(view, number), view.spec.config.encoding
    assert settings.name == "cppn"
    height, width = scaled(view.archive.pixels.shape[1:3], side)
    genotypes = view.archive.genotypes
    nodes, edges = int(genotypes.nodes[row]), int(genotypes.edges[row])
    _expect_work(height * width, (nodes + 4) * (nodes + edges))
    images = render(node_images(genotypes, row), Raster((height, width), settings.coordinates))
    rows = -(-len(images) // COLUMNS)
    sheet = np.zeros((rows * COLUMNS, height, width), np.uint8)
    sheet[: len(images)] = images[..., 0]
    return (
        sheet.reshape(rows, COLUMNS, height, width)
        .transpose(0, 2, 1, 3)
        .reshape(rows * height, COLUMNS * width, 1)
    )


def scaled(native: tuple[int, ...], side: int) -> tuple[int, int]:
    """Height and width of an image whose longer side has so many pixels."""
    factor = side / max(native)
    return max(1, round(native[0] * factor)), max(1, round(native[1] * factor))


def _row(view: Snapshot, number: int) -> int:
    """The row of a CPPN that is small enough to be worked on."""
    from fooling.present.genotype import row_of

    if view.spec.config.encoding.name != "cppn":
        raise ProblemError(404, "the images of this run are no CPPNs")
    try:
        row = row_of(view, number)
    except NotFoundError as error:
        raise ProblemError(404, str(error)) from None
    nodes = int(view.archive.genotypes.nodes[row])
    if nodes > _MOST_NODES:
        raise ProblemError(422, f"this CPPN has {nodes:,} nodes: expected at most {_MOST_NODES:,}")
    return row


def _expect_work(pixels: int, steps: int) -> None:
    if pixels * steps > _MOST_WORK:
        raise ProblemError(422, "size: expected fewer pixels for a CPPN of so many nodes and edges")
