"""What a service says about an image: all scores, the scores of its first k labels, or its first label alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

NOBODY = -1  # stands where a label is not listed


@dataclass(frozen=True)
class Said:
    """What a service said about n images.

    Attributes:
        classes: (n, k) int32, the labels that it listed, the likeliest first; -1 where there are fewer.
        scores: (n, k) float32, of these; NaN where there is no label, or it says no scores.
    """

    classes: NDArray[np.int32]
    scores: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.classes)


@dataclass(frozen=True)
class Restriction:
    """What a service says.

    Attributes:
        scores: "full": of all labels; "top-k": of the first k; "label": the first label, without its score.
        k: how many labels are listed; of "top-k".
        min_score: labels below it are not listed.
        decimals: that scores are rounded to; None: they are not.
    """

    scores: Literal["full", "top-k", "label"] = "full"
    k: int = 1
    min_score: float = 0.0
    decimals: int | None = None

    @property
    def name(self) -> str:
        """Like "top-5-2-decimals"."""
        parts = [f"top-{self.k}" if self.scores == "top-k" else self.scores]
        if self.scores != "label" and self.decimals is not None:
            parts.append(f"{self.decimals}-decimals")
        if self.scores != "label" and self.min_score:
            parts.append(f"from-{self.min_score:g}")
        return "-".join(parts)

    @property
    def text(self) -> str:
        """In words."""
        if self.scores == "label":
            return "the first label alone"
        labels = "label with its score" if self.k == 1 else f"{self.k} labels with scores"
        which = "all scores" if self.scores == "full" else f"the first {labels}"
        digits = "" if self.decimals is None else f" of {self.decimals} decimals"
        return which + digits + (f", from {self.min_score:g} on" if self.min_score else "")

    def listed(self, classes: int) -> int:
        """How many labels an answer has at most, where there are so many classes."""
        return {"full": classes, "top-k": min(self.k, classes), "label": 1}[self.scores]

    def hides(self, classes: int) -> bool:
        """Whether some label of so many may be left out."""
        return self.listed(classes) < classes or self.min_score > 0

    def said(self, confidences: NDArray[np.float32]) -> Said:
        """What it says of images with these confidences, (n, K); of equal ones, the lower class is listed first."""
        k = self.listed(confidences.shape[1])
        order = np.argsort(-confidences, axis=1, kind="stable")[:, :k]
        scores = np.take_along_axis(confidences, order, axis=1)
        if self.scores == "label":
            return Said(order.astype(np.int32), np.full_like(scores, np.nan))
        if self.decimals is not None:
            scores = np.round(scores.astype(np.float64), self.decimals).astype(np.float32)
        kept = scores >= np.float32(self.min_score)
        return Said(
            np.where(kept, order, NOBODY).astype(np.int32), np.where(kept, scores, np.float32(np.nan))
        )
