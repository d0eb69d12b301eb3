"""Which checks speak to which part of two frameworks. Nothing here says that anything complies with anything.

The text of Annex IV, point 2 (g), and of Article 15, paragraphs 4 and 5, is that of Regulation (EU) 2024/1689; the
subcategories of MEASURE are those of NIST AI 100-1 (AI RMF 1.0).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fooling.studies.audit.checks import Check


@dataclass(frozen=True)
class Place:
    """A place in a framework.

    Attributes:
        framework, name: where it is.
        asks: what it asks for, in our words.
        gives: what of this report speaks to it.
        checks: how the ids of such checks begin; none: the report as a whole.
    """

    framework: str
    name: str
    asks: str
    gives: str
    checks: tuple[str, ...] = ()


PLACES = (
    Place(
        "EU AI Act",
        "Annex IV, 2 (g)",
        "validation and testing procedures, the data used and their main characteristics, metrics for accuracy and "
        "robustness, test logs and reports, dated and signed",
        "the data with their digests, every check with its threshold, the commands, date, and a line to sign",
    ),
    Place(
        "EU AI Act",
        "Article 15 (4)",
        "resilience to errors, faults and inconsistencies",
        "accuracy on real images, and what filters in front cost and keep",
        ("accuracy", "transform"),
    ),
    Place(
        "EU AI Act",
        "Article 15 (5)",
        "measures against inputs that are made to cause a mistake (adversarial examples, model evasion)",
        "what it takes to fool the classifier, with gradients and without, and whether detectors, filters or a service "
        "would notice, also when whoever attacks knows them",
        ("effort", "recognition", "detector", "transform", "attack", "black_box"),
    ),
    Place(
        "NIST AI RMF",
        "MEASURE 2.5",
        "validity and reliability, and limits of generalisation",
        "accuracy with its interval, and the list of limits",
        ("accuracy", "recognition"),
    ),
    Place(
        "NIST AI RMF",
        "MEASURE 2.6",
        "safety: that the system can fail safely outside of what it knows",
        "whether images that show nothing are rejected",
        ("detector",),
    ),
    Place(
        "NIST AI RMF",
        "MEASURE 2.7",
        "security and resilience",
        "effort of attacks, adaptive ones among them, and attacks through the interface alone",
        ("effort", "attack", "transform", "black_box"),
    ),
)


def spoken_for(place: Place, checks: Sequence[Check]) -> list[Check]:
    """The checks that speak to a place; all of them where it asks for the report as a whole."""
    return [check for check in checks if not place.checks or check.id.split(".")[0] in place.checks]
