"""An elite's ancestors as data: what is asked, and what `fooling lineage --json` prints. docs/lineage.md describes the
keys."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from fooling.store.reading import open_run
from fooling.studies import protocol
from fooling.studies.lineage.replay import redrawn
from fooling.studies.lineage.walk import Ancestor
from fooling.studies.protocol import AnyPath
from fooling.validation import Data, Many


class Request(protocol.Request):
    """Ask where an elite came from.

    Attributes:
        run: the run directory.
        wanted: the elite's class: its number, or its label.
    """

    run: AnyPath
    wanted: int | str = Field(alias="class")


class Identity(Data):
    """Which image of a run it is: that of a child in a generation of a stream."""

    generation: int
    stream: int
    child: int


class Held(Data):
    """A class that an image held when it was chosen to be a parent.

    Attributes:
        number: the class.
        label: its name.
        confidence: the classifier's in it, as replayed.
        recorded: the same, as the run's log has it; None where it has none.
    """

    number: int = Field(alias="class")
    label: str
    confidence: float
    recorded: float | None


class Member(Identity):
    """The elite or one of its ancestors.

    Attributes:
        parents: its parent and, where the encoding has crossover, its mate; none in the first generation.
        held: the classes that it held; of the elite, the one that was asked for.
        top1: the class that the classifier answers first; of equals one that it held.
        top1_label, top1_confidence: of that class.
        line: whether it is on the line of parents. The others are mates and theirs.
    """

    parents: Many[Identity]
    held: Many[Held]
    top1: int
    top1_label: str
    top1_confidence: float
    line: bool


class Result(protocol.Result):
    """Where an elite came from.

    Attributes:
        run: the run directory.
        number: the elite's class.
        label: the name of that class.
        model: the SPEC of the run's classifier.
        confidence: of the elite.
        ancestors: by generation; the elite itself comes last.
        classes_on_the_way: the classes that the line held, each change once.
        replacements, goal_switches: of the whole run.
    """

    run: str
    number: int = Field(alias="class")
    label: str
    model: str
    confidence: float
    ancestors: Many[Member]
    classes_on_the_way: Many[int]
    replacements: int
    goal_switches: int
    failures: Many[protocol.Failure] = Field((), exclude=True)

    @cached_property
    def pixels(self) -> NDArray[np.uint8]:
        """(n, H, W, C) uint8: the image of each ancestor.

        Raises:
            InvalidError: the run has operators of a Python user's own, without which they can't be made again.
        """
        family = [
            Ancestor(_key(member), tuple(_key(parent) for parent in member.parents), ())
            for member in self.ancestors
        ]
        return redrawn(open_run(self.run), family)


def _key(image: Identity) -> tuple[int, int, int]:
    return image.generation, image.stream, image.child
