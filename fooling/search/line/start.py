"""The genotype that a line begins with, as a text that settings can hold: its canonical bytes in base64url.

The text may come from a stranger: its length bounds what is allocated, and kernels get none but valid genotypes.
"""

from __future__ import annotations

import base64
import binascii
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from fooling.errors import InvalidError

if TYPE_CHECKING:
    from cppn.population import Population

MOST_NODES, MOST_EDGES = 512, 1024  # of a genotype that a line begins with
LONGEST = 2**15  # characters
_HEAD = 12  # bytes: the numbers of outputs, nodes and edges


def to_text(genotypes: Population, row: int = 0) -> str:
    """A genotype as text.

    Raises:
        InvalidError: it is larger than one that a line may begin with.
    """
    nodes, edges = int(genotypes.nodes[row]), int(genotypes.edges[row])
    if nodes > MOST_NODES or edges > MOST_EDGES:
        raise InvalidError(
            f"expected a CPPN of at most {MOST_NODES:,} nodes and {MOST_EDGES:,} edges to breed from, "
            f"found {nodes:,} and {edges:,}"
        )
    return base64.urlsafe_b64encode(genotypes.canonical_bytes(row)).decode("ascii")


def from_text(text: str) -> Population:
    """The genotype that a text tells: a population of one.

    Raises:
        InvalidError: it is none.
    """
    from cppn.population import Population  # compiles kernels: settings without a genotype need none
    from cppn.variation import check

    try:
        data = base64.b64decode(text.encode("ascii"), altchars=b"-_", validate=True)
    except (UnicodeEncodeError, binascii.Error):
        raise InvalidError("expected a genotype in base64url") from None
    outputs, nodes, edges = (int(number) for number in np.frombuffer(data[:_HEAD].ljust(_HEAD, b"\0"), "<i4"))
    if not (0 < nodes <= MOST_NODES and 0 <= edges <= MOST_EDGES and len(data) == _HEAD + nodes + 12 * edges):
        raise InvalidError(
            f"expected the genotype of a CPPN of at most {MOST_NODES:,} nodes and {MOST_EDGES:,} edges"
        )
    ends = np.cumsum([_HEAD, nodes, 4 * edges, 4 * edges, 4 * edges]).tolist()
    parts = [data[begin:end] for begin, end in pairwise(ends)]
    found = Population(
        outputs,
        np.array([0, nodes], np.int64),
        np.array([0, edges], np.int64),
        np.frombuffer(parts[0], np.uint8).copy(),
        np.frombuffer(parts[1], "<i4").astype(np.int32),
        np.frombuffer(parts[2], "<i4").astype(np.int32),
        np.frombuffer(parts[3], "<f4").astype(np.float32),
    )
    try:
        return check(found)
    except ValueError as error:
        raise InvalidError(str(error)) from None
