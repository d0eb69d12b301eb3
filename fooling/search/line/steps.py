"""What a person chose while breeding, step by step, as a text that fits in an address.

    3.7x1m50_m80      pick 3 and 7, reject 1, mutate by 50; then, without a pick, others of the same parents by 80

Steps are joined by "_". A step is the numbers of the children that were picked, ascending and joined by "."; after an
"x", where there are any, those that were rejected; after an "m" the size of the mutations, 0 to 100. A text has one
reading, and a list of steps has one text.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from fooling.errors import InvalidError

CHILDREN = 12  # that are shown at once
MOST_STEPS = 120
LONGEST = 40 * MOST_STEPS  # characters of a text
USUAL_SIZE = 50  # mutations as the encoding's settings have them
_STEP = re.compile(r"(?P<picked>[0-9.]*)(?:x(?P<rejected>[0-9.]+))?m(?P<size>0|[1-9][0-9]?|100)")
_NUMBER = re.compile(r"0|[1-9][0-9]?")


@dataclass(frozen=True)
class Step:
    """A choice among the children that are shown.

    Attributes:
        picked: the children that the next ones are bred from, ascending; none: their own parents again.
        rejected: the children that the next ones should not resemble, ascending.
        size: of the mutations, 0 to 100; `USUAL_SIZE` is that of the encoding's settings.
    """

    picked: tuple[int, ...] = ()
    rejected: tuple[int, ...] = ()
    size: int = USUAL_SIZE

    @property
    def text(self) -> str:
        """The step as text."""
        rejected = f"x{_joined(self.rejected)}" if self.rejected else ""
        return f"{_joined(self.picked)}{rejected}m{self.size}"


def to_text(steps: Sequence[Step]) -> str:
    """Steps as text; "" of none."""
    return "_".join(step.text for step in steps)


def from_text(text: str) -> tuple[Step, ...]:
    """The steps that a text tells, which may come from a stranger.

    Raises:
        InvalidError: it is no such text, or one of more steps than a line may have.
    """
    if len(text) > LONGEST:
        raise InvalidError(f"expected at most {LONGEST:,} characters of steps, found {len(text):,}")
    parts = text.split("_") if text else []
    if len(parts) > MOST_STEPS:
        raise InvalidError(f"expected at most {MOST_STEPS} steps, found {len(parts):,}")
    return tuple(_step(part, number) for number, part in enumerate(parts, 1))


def _step(text: str, number: int) -> Step:
    found = _STEP.fullmatch(text)
    if found is None:
        raise InvalidError(f"step {number}: expected a choice like 3.7x1m50")
    picked = _numbers(found["picked"], number)
    rejected = _numbers(found["rejected"] or "", number)
    if set(picked) & set(rejected):
        raise InvalidError(f"step {number}: expected each child picked or rejected, found one that is both")
    return Step(picked, rejected, int(found["size"]))


def _numbers(text: str, number: int) -> tuple[int, ...]:
    parts = text.split(".") if text else []
    found = tuple(int(part) for part in parts if _NUMBER.fullmatch(part))
    if len(found) < len(parts) or list(found) != sorted(set(found)) or max(found, default=0) >= CHILDREN:
        raise InvalidError(f"step {number}: expected ascending numbers from 0 to {CHILDREN - 1}")
    return found


def _joined(numbers: Sequence[int]) -> str:
    return ".".join(map(str, numbers))
