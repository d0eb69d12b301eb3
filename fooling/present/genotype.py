"""The CPPN of an elite as JSON: what `fooling export --format json` writes and the service sends."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from cppn import documents
from fooling.errors import NotFoundError
from fooling.files import refuse_existing
from fooling.store.elites import elite_id
from fooling.validation import Data, Many

if TYPE_CHECKING:
    from fooling.store.snapshot import Snapshot


class Node(Data):
    """A node of the network.

    Attributes:
        id: its number: 0 to 3 are the inputs, then come the outputs, then the hidden nodes.
        name: of an input or an output; "" of a hidden node.
        activation: its function; null of an input.
    """

    id: int
    kind: Literal["input", "output", "hidden"]
    name: str
    activation: str | None


class Edge(Data):
    """An edge, whose weight is a float32 number."""

    source: int
    target: int
    weight: float


class Raster(Data):
    """How the network becomes an image (docs/encodings.md).

    Attributes:
        size: height and width in pixels.
        channels: of the classifier's images: 1, or 3.
    """

    size: tuple[int, int]
    channels: Literal[1, 3]
    coordinates: Literal["normalised", "raw"]
    colour: Literal["grey", "hls", "hsv", "rgb"]
    quantisation: Literal["rounded", "released"]


class Genotype(Data):
    """The network of an elite.

    Attributes:
        number, label: the class that it is the elite of.
        confidence: in that class, of the model.
        id: generation/stream/child, within the run.
        edges: in the order in which they are added up, on which the last bits of an image depend.
    """

    encoding: Literal["cppn"] = "cppn"
    format: Literal[1] = 1
    number: int = Field(alias="class")
    label: str
    confidence: float
    model: str
    id: str
    raster: Raster
    nodes: Many[Node]
    edges: Many[Edge]


def genotype_of(view: Snapshot, number: int) -> Genotype:
    """The CPPN of a class's elite.

    Raises:
        NotFoundError: it has none, or the run's images are no CPPNs.
    """
    row, settings = row_of(view, number), view.spec.config.encoding
    if settings.name != "cppn":
        raise NotFoundError(f"the images of this run are {settings.name}: they have no network")
    genotypes = view.archive.genotypes
    height, width, channels = view.archive.pixels.shape[1:]
    return Genotype.model_validate(
        {
            "class": number,
            "label": view.labels[number],
            "confidence": float(view.confidence[number]),
            "model": view.spec.model,
            "id": elite_id(view, number),
            "raster": {
                "size": (height, width),
                "channels": channels,
                "coordinates": settings.coordinates,
                "colour": settings.colour,
                "quantisation": settings.quantisation,
            },
            "nodes": [node._asdict() for node in documents.nodes_of(genotypes, row, settings.colour)],
            "edges": [edge._asdict() for edge in documents.edges_of(genotypes, row)],
        }
    )


def row_of(view: Snapshot, number: int) -> int:
    """The row of the archive that holds the elite of a class.

    Raises:
        NotFoundError: it has none.
    """
    if not 0 <= number < len(view.labels) or view.stored_rows[number] < 0:
        raise NotFoundError("this run has no elite of that class (yet)")
    return int(view.stored_rows[number])


def neat_network(view: Snapshot, number: int) -> str:
    """The same in neat-python's own JSON format for networks. Its functions are ours (`cppn.exchange`), its numbers
    neat-python's; nodes that no output depends on are left out, and parallel edges are added up.

    Raises:
        NotFoundError: as `genotype_of`.
    """
    import neat
    from neat.export import export_network_json

    from cppn.exchange import neat_config, to_genomes

    about = genotype_of(view, number)
    genotypes = view.archive.genotypes.take([row_of(view, number)])
    config = neat_config(genotypes.outputs, 1)
    (genome,) = to_genomes(genotypes, config)
    network = neat.nn.FeedForwardNetwork.create(genome, config)
    told = {"class": about.number, "label": about.label, "fitness": about.confidence, "genome_id": about.id}
    return export_network_json(network, metadata=told)


def export_genotypes(view: Snapshot, path: Path, force: bool = False) -> int:
    """Write the CPPN of every elite as NNNN.json, by class index, into a folder.

    Args:
        path: the folder; made if missing.
        force: write into a folder that is not empty.

    Returns:
        The number of files written.

    Raises:
        NotFoundError: the run's images are no CPPNs.
        FoolingError: the folder is not empty.
        OSError: it can't be written.
    """
    import numpy as np

    refuse_existing(path, force)
    found = [genotype_of(view, number) for number in np.flatnonzero(view.occupied).tolist()]
    path.mkdir(parents=True, exist_ok=True)
    for each in found:
        text = json.dumps(each.model_dump(mode="json", by_alias=True), ensure_ascii=False, indent=1)
        (path / f"{each.number:04}.json").write_text(text + "\n", encoding="utf-8")
    return len(found)
