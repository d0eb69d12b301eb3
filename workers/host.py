"""What computes tasks: the operators of a search around a classifier."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fooling.errors import FoolingError


@dataclass
class Host:
    """What a task computes with. An executor has one in its process, or one on each of its workers.

    Attributes:
        toolbox: a DEAP toolbox of operators (`fooling.search.toolbox`).
        classifier: the `fooling.classifiers.Classifier` that the operator `classify` asks; None where that
            operator asks something else.
    """

    toolbox: Any
    classifier: Any = None

    def halve_batch(self) -> int:
        """Halve the physical batch of the classifier.

        Returns:
            The new batch.

        Raises:
            FoolingError: the batch is one image already, or the operator `classify` is not the classifier's.
        """
        classify = getattr(self.toolbox.classify, "func", self.toolbox.classify)
        if self.classifier is None or classify != self.classifier.classify:
            name = f"{getattr(classify, '__module__', '?')}:{getattr(classify, '__qualname__', classify)}"
            raise FoolingError(
                f"out of memory with {name} as operator classify: give it fewer images at once (run.chunk)"
            )
        self.classifier = self.classifier.halved()
        arguments = getattr(self.toolbox.classify, "keywords", {})
        self.toolbox.register("classify", self.classifier.classify, **arguments)
        return self.classifier.numerics.batch
