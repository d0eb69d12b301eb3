"""Searches: policies that choose parents and read results. They know executors, never where those run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from fooling.archive import Archive
    from fooling.classifiers import Classifier
    from fooling.encodings.settings import EncodingSettings, ResolvedEncoding
    from fooling.search.protocol import Search
    from fooling.search.settings import ResolvedSearch, SearchSettings


def create(
    search: ResolvedSearch, encoding: ResolvedEncoding, seed: int, chunk: int, toolbox: Any, archive: Archive
) -> Search:
    """The search that its settings name, on an archive.

    Args:
        seed: of the run.
        chunk: children that are varied, rendered and classified together.
        toolbox: its operators (`fooling.search.toolbox`).
    """
    if search.name == "single-class":
        from fooling.encodings import create as create_encoding
        from fooling.search.single import SingleClass
        from fooling.sizes import colour_of, size_of

        *sides, channels = archive.pixels.shape[1:]
        images = create_encoding(encoding, size_of(sides), colour_of(channels))
        return SingleClass(search, images, seed, chunk, archive)
    if search.name == "breed":
        from fooling.encodings.cppn import CppnEncoding
        from fooling.encodings.settings import ResolvedCppn
        from fooling.search.breed.search import Breed

        assert isinstance(encoding, ResolvedCppn)
        return Breed(search, CppnEncoding(encoding, archive.pixels.shape[3]), seed, archive)
    if search.name == "gradient-ascent":
        from fooling.search.ascent.search import GradientAscent

        return GradientAscent(search, seed, chunk, archive)
    from fooling.search.map_elites import MapElites

    return MapElites(search, seed, chunk, toolbox, archive)


def fit(
    search: SearchSettings, encoding: EncodingSettings, classifier: Classifier
) -> tuple[SearchSettings, EncodingSettings]:
    """The settings of search and encoding with what the search asks of encoding and classifier, before they
    are resolved.

    Raises:
        FoolingError: they don't suit the search.
    """
    if search.name != "gradient-ascent":
        return search, encoding
    from fooling.search.ascent.fitting import fit as fit_ascent

    return fit_ascent(search, encoding, classifier)


def check(
    search: ResolvedSearch, archive: Archive, generation: int, arrays: Mapping[str, NDArray], goes_on: bool
) -> None:
    """Whether a checkpoint after this step is one of the search, with these arrays of its own.

    Args:
        archive: restored.
        goes_on: whether the search is to go on from there; one that is over may have ended anywhere.

    Raises:
        InvalidError: one line that says why it is none.
    """
    from fooling.errors import InvalidError

    if search.name == "gradient-ascent":
        from fooling.search.ascent.checking import check as check_ascent

        height, width, channels = archive.pixels.shape[1:]
        check_ascent(search, arrays, (height, width, channels))
    elif search.name == "single-class":
        length = search.generations_per_class
        if goes_on and (generation + 1) % length:
            raise InvalidError(
                f"state: generation: expected the last of a class, one of each {length}, found {generation}"
            )
    elif search.name == "breed":
        from fooling.search.breed.search import check as check_breed

        check_breed(arrays, generation)
    elif not len(archive.occupied):
        raise InvalidError("cell: expected an elite to breed from, found none")
