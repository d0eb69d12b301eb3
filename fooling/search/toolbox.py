"""The operators of a search, in a DEAP toolbox (Fortin et al. 2012), each as `operator(population, keys)`.

    initialise(keys) -> population
    select(archive, keys) -> (n, 2) cells: each child's parent and mate
    mate(population, mates, keys) -> population       (only where the encoding has crossover)
    mutate(population, keys) -> population
    render(population) -> (n, H, W, C) uint8
    classify(pixels) -> (n, K) float32; NaN for an image that there is no confidence of, which loses

`render` and `classify` work with numpy arrays; on CUDA with tensors that stay on the device.

Swap one as DEAP users do: `toolbox.register("mutate", mine)`. The population an operator gets is its own
copy: it may change it in place. Randomness comes from the keys (`keys.uniform`, `keys.generator`).
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from deap.base import Toolbox
from numpy.typing import NDArray

from cppn.jit import kernel, readonly
from cppn.keys import SELECT, USER, Keys, philox, unit
from fooling.archive import Archive
from fooling.search.global_random import borrowed

OPERATORS = ("initialise", "select", "mate", "mutate", "render", "classify")


def build(encoding: Any, classifier: Any, device: str = "cpu") -> Toolbox:
    """The toolbox of an encoding (None: it has only `classify`) and a classifier (None: without `classify`), with the
    default operators for a device."""
    toolbox = Toolbox()
    if classifier is not None:
        toolbox.register("classify", classifier.classify, allow_nan=True)
    if encoding is None:
        return toolbox
    toolbox.register("initialise", encoding.initialise)
    toolbox.register("select", select_cells)
    if encoding.has_crossover:
        toolbox.register("mate", encoding.mate)
    toolbox.register("mutate", encoding.mutate)
    if device == "cpu":
        toolbox.register("render", encoding.render)
    else:
        toolbox.register("render", encoding.render_on, device=device)
    return toolbox


def replaced(toolbox: Toolbox, original: Toolbox) -> dict[str, str]:
    """The operators that a user swapped, by name, and what each is now: kept in the manifest."""
    names = {}
    for name in OPERATORS:
        mine, default = getattr(toolbox, name, None), getattr(original, name, None)
        if (mine and _function(mine)) != (default and _function(default)):
            names[name] = _name(_function(mine)) if mine else "removed"
    return names


def select_cells(archive: Archive, keys: Keys) -> NDArray[np.int64]:
    """Two cells for each child, each drawn uniformly from those with an elite (Nguyen 2015, released
    code: uniform over cells, not over images; an image that is the elite of m cells is m times as
    likely). The children 2i and 2i + 1 are siblings: they have the same two parents, in swapped roles.

    Raises:
        ValueError: no cell has one.
    """
    occupied, chosen = archive.occupied, np.empty((len(keys), 2), np.int64)
    if not len(occupied):
        raise ValueError("expected an archive with an elite to draw as a parent, found it empty")
    _draw(*keys.counters(SELECT), readonly(occupied), chosen)
    return chosen


@kernel
def _draw(
    seed: np.uint64,
    generation: int,
    lane: int,
    children: NDArray[np.uint32],
    occupied: NDArray[np.int64],
    out: NDArray[np.int64],
) -> None:
    """What `keys.pairs().uniform(SELECT, 2)` draws: a generation of 28 x 28 pixels is too short for numpy's calls."""
    for row in range(out.shape[0]):
        words = philox(seed, generation, lane, children[row] >> 1, 0)
        odd = children[row] & 1
        out[row, odd] = occupied[np.int64(unit(words[0]) * len(occupied))]
        out[row, 1 - odd] = occupied[np.int64(unit(words[1]) * len(occupied))]


def per_individual(operator: Callable[..., tuple[Any, ...]], **arguments: Any) -> Callable[[Any, Keys], Any]:
    """A DEAP-style operator, `operator(individual, ...) -> (individual,)`, as an operator on populations.

    An individual is the list of an image's genes, so this is for direct images. DEAP's operators draw from
    the module-level `random` (DEAP issue #75): it is seeded from each child's key, so that results repeat,
    and restored afterwards. One child at a time: slow, but yours.

        toolbox.register("mutate", per_individual(tools.mutGaussian, mu=0, sigma=0.1, indpb=0.1))
    """

    def vary(population: Any, keys: Keys) -> Any:
        genes = population.flat
        seeds = keys.uniform(USER, 2)
        with borrowed():
            for row, seed in enumerate(seeds.tolist()):
                random.seed(repr(seed))
                individual: Sequence[float] = operator(genes[row].tolist(), **arguments)[0]
                genes[row] = np.clip(individual, 0.0, 1.0)
        return population

    vary.__qualname__ = f"per_individual({getattr(operator, '__qualname__', operator)})"
    return vary


def _function(tool: Any) -> Any:
    """What `Toolbox.register` wrapped."""
    return getattr(tool, "func", tool)


def _name(function: Any) -> str:
    return f"{getattr(function, '__module__', '?')}:{getattr(function, '__qualname__', repr(function))}"
