"""The CPPN encoding: `cppn.variation` and `cppn.rendering` under a run's settings."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from cppn import variation
from cppn.keys import Keys
from cppn.population import Population, empty
from cppn.rendering import Raster, render
from fooling.encodings.settings import ResolvedCppn
from fooling.errors import InvalidError
from fooling.sizes import Size, channels_of, sides

if TYPE_CHECKING:
    from torch import Tensor


class CppnEncoding:
    """See `fooling.encodings.protocol.Encoding`."""

    name = "cppn"
    has_crossover = False  # in the released code, crossover copies the parents

    def __init__(self, settings: ResolvedCppn, channels: Literal[1, 3]) -> None:
        """`channels` are those of the classifier's images."""
        self.settings = settings
        self.image_shape: tuple[int, int, int] = (*sides(settings.size), channels)
        self._outputs = channels_of(settings.colour)
        self._raster = Raster(
            settings.size, settings.coordinates, settings.colour, settings.quantisation, channels
        )
        self.rates = variation.Rates(
            weight_rate=settings.weight_rate,
            weight_eta=settings.weight_eta,
            activation_rate=settings.activation_rate,
            add_edge=settings.add_edge,
            delete_edge=settings.delete_edge,
            add_node=settings.add_node,
            delete_node=settings.delete_node,
            activations=settings.activations,
        )

    def empty(self, room: int = 0) -> Population:
        return empty(self._outputs)

    def initialise(self, keys: Keys) -> Population:
        return variation.initialise(keys, self._outputs, self.rates)

    def mate(self, parents: Population, mates: Population, keys: Keys) -> Population:
        return parents

    def mutate(self, population: Population, keys: Keys) -> Population:
        return variation.mutate(population, keys, self.rates)

    def render(self, population: Population, size: Size | None = None) -> NDArray[np.uint8]:
        raster = self._raster if size is None else dataclasses.replace(self._raster, size=size)
        return render(population, raster)

    def render_on(self, population: Population, device: str) -> Tensor:
        from cppn.rendering import gpu

        if gpu.is_available():
            return gpu.render(population, self._raster, device)
        return gpu.to_device(self.render(population), device)

    def from_arrays(self, arrays: Mapping[str, NDArray]) -> Population:
        try:
            found = variation.check(Population.from_arrays(arrays))
        except (ValueError, KeyError, TypeError, IndexError) as error:
            raise InvalidError(f"not a population of CPPNs: {error}") from None
        if found.outputs != self._outputs:
            raise InvalidError(f"expected CPPNs with {self._outputs} outputs, found {found.outputs}")
        return found
