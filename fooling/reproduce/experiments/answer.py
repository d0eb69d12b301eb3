"""What a network says of the elites of another one's run."""

from __future__ import annotations

from typing import NamedTuple


class Answer(NamedTuple):
    """What a network says of one run's elites.

    Attributes:
        source, target: SPECs.
        seed: of the run.
        home: confidences at home.
        same: whether the target's top-1 is the elite's class, per image.
        confidence: the target's of that class, per image.
    """

    source: str
    target: str
    seed: int
    home: list[float]
    same: list[bool]
    confidence: list[float]

    @property
    def share(self) -> float:
        """Of images with the same top-1."""
        return sum(self.same) / len(self.same)
