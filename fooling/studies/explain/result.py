"""An explanation as data: what is asked, and what `fooling explain --json` prints. docs/explain.md describes the keys."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from fooling.studies import protocol
from fooling.studies.explain.bands import Bands
from fooling.studies.explain.cam import Looked
from fooling.studies.explain.curves import Curve
from fooling.studies.explain.information import Information
from fooling.studies.explain.network import Network
from fooling.studies.explain.probes import Probe
from fooling.studies.explain.removal import Removal
from fooling.studies.protocol import AnyPath
from fooling.validation import Data, Many

Origin = Literal["mean", "blank", "ancestor"]


class Request(protocol.Request):
    """Why does a classifier take elites for their classes?

    Attributes:
        run: the run directory.
        classes: numbers of classes (default: the ten elites of the highest confidence).
        origin: what is shown where a part of an image is taken away: its mean colour, black, or its ancestor in generation 0.
        samples: labelled real images, which are probed beside the elites, in any form that `fooling.datasets` reads.
        out: the folder that keeps what is found, so that an interrupted explanation goes on; None: `explain` in the run.
        seed: of all randomness.
    """

    run: AnyPath
    classes: Many[Annotated[int, Field(ge=0)]] = ()
    origin: Origin = "mean"
    samples: AnyPath | None = None
    out: AnyPath | None = None
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0


class Map(Data):
    """Where what matters lies, by one method.

    Attributes:
        method: "integrated gradients", "SmoothTaylor" or "fragments".
        side: cells in a row of the grid.
        cells: the map's sum over each cell, row by row; more is more for the class.
        curve: how right the map is.
    """

    method: str
    side: int
    cells: Many[float]
    curve: Curve


class Few(Data):
    """A blank image with a few values moved.

    Attributes:
        values: that might be moved; a value is one channel of one pixel.
        changed: that were.
        confidence: in the class.
        calls: gradients that were asked for.
    """

    values: int
    changed: int
    confidence: float
    calls: int


class Explained(Data):
    """One elite, explained.

    Attributes:
        number, label: its class.
        confidence: as the run has it.
        image: the PNG, relative to the run directory.
        removal: what its cells do.
        maps: which pixels matter, by each method that the classifier's access allows.
        probe: whether it is texture or layout.
        bands: which frequencies.
        looked: how far the image differs from the origin where the network looks; None where it has no maps.
        few: a black image of the same class, with more and more values moved, until it has 0.99; none without gradients of
            logits.
        network: what the weights of its CPPN do; None for direct images.
    """

    number: int = Field(alias="class")
    label: str
    confidence: float
    image: str
    removal: Removal
    maps: Many[Map]
    probe: Probe
    bands: Bands
    looked: Looked | None
    few: Many[Few]
    network: Network | None


class Group(Data):
    """Images probed beside each other.

    Attributes:
        name: "elites", "generation 0" or "real".
        n: images.
        tiles, shuffled: the mean confidence, of each image in its own class, by tiles in a row (`Probe`).
        powers, saturated: the same by the power of the saturation.
        left_shuffled: the median share of its confidence that an image keeps with 4 x 4 tiles shuffled.
        left_saturated: the same with the strongest saturation.
    """

    name: str
    n: int
    tiles: Many[int]
    shuffled: Many[float]
    powers: Many[int]
    saturated: Many[float]
    left_shuffled: float
    left_saturated: float


class Trust(Data):
    """Whether a method's maps are better than random orders, over all elites that were explained.

    Attributes:
        method: that made the maps.
        n: elites.
        deletion, random: the mean areas under the deletion curves; the smaller, the better.
        better: the share of elites for which the map's is the smaller one.
        p: two-sided, of the Wilcoxon test of the pairs; None where nothing can be said.
        beats_random: whether it is better beyond chance (p < 0.01).
    """

    method: str
    n: int
    deletion: float
    random: float
    better: float
    p: float | None
    beats_random: bool


class Result(protocol.Result):
    """Why a classifier takes elites for their classes.

    Attributes:
        run: the run directory.
        model: the SPEC of its classifier.
        encoding: of the run.
        shape: height, width and channels of its images.
        origin: what is shown where a part of an image is taken away.
        elites: those that were explained.
        groups: elites, their ancestors in generation 0 and real images, probed; those that there are.
        trust: of each method.
        cells_needed: the median share of cells that alone have a confidence of 0.99; None where no elite has so much.
        edges_needed: the median share of the CPPNs' edges likewise.
        half_radius: the median radius of the low-pass filter at which half the confidence is left.
        values_needed: the median number of values that a black image needs for 0.99, over the classes where those that were
            tried were enough; None where they were for none.
        information: what each layer tells of the real images; none without them.
        not_measured: what the classifier's access does not allow, and why.
    """

    run: str
    model: str
    encoding: str
    shape: Many[int]
    origin: Origin
    elites: Many[Explained]
    groups: Many[Group]
    trust: Many[Trust]
    cells_needed: float | None
    edges_needed: float | None
    half_radius: float
    values_needed: float | None
    information: Many[Information]
    not_measured: dict[str, str]
