"""Where an elite came from, by the run's lineage alone: without its classifier, so ancestors that were not kept have
neither image nor answer here (`fooling lineage` breeds them once more)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from fooling.errors import NotFoundError
from fooling.service.schema import Ancestor as Told
from fooling.service.schema import Held, Lineage
from fooling.store.reading import lineage_of
from fooling.studies.lineage.walk import Ancestor, Identity, ancestors, classes_held, gains, line

if TYPE_CHECKING:
    from fooling.store.snapshot import Snapshot


def ancestry(view: Snapshot, number: int) -> Lineage:
    """The ancestors of the elite of a class.

    Raises:
        NotFoundError: it has none.
        InvalidError: the lineage was cut or altered.
    """
    if not 0 <= number < len(view.labels) or view.stored_rows[number] < 0:
        raise NotFoundError("this run has no elite of that class (yet)")
    generation, stream, child = view.ids[number].tolist()
    family = ancestors(lineage_of(view), (generation, stream, child))
    way = {ancestor.identity for ancestor in line(family)}
    held = held_by(view, family, number)
    return Lineage(
        number=number,
        label=view.labels[number],
        confidence=float(view.confidence[number]),
        ancestors=[
            Told(
                id=_text(ancestor.identity),
                generation=ancestor.generation,
                parents=[_text(parent) for parent in ancestor.parents],
                held=held[ancestor.identity],
                line=ancestor.identity in way,
            )
            for ancestor in family
        ],
        goal_switches=int(view.counters.goal_switches),
        replacements=int(view.counters.replacements),
    )


def held_by(view: Snapshot, family: Sequence[Ancestor], number: int) -> dict[Identity, list[Held]]:
    """The classes that each member of a family held; see `classes_held`."""
    recorded = gains(view.curve)
    return {
        identity: [
            Held(number=each, label=view.labels[each], confidence=recorded.get((identity[0], each)))
            for each in classes
        ]
        for identity, classes in classes_held(family, number).items()
    }


def _text(identity: Identity) -> str:
    return "/".join(map(str, identity))
