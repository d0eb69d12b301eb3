"""A host: what computes tasks. Operators around a classifier, with which memory may run out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fooling.errors import FoolingError


@dataclass
class Host:
    """What a task computes with. Executors make one, or one on each of their workers.

    Attributes:
        toolbox: a DEAP toolbox of operators (`fooling.search.toolbox`).
        classifier: the `fooling.classifiers.Classifier` that the toolbox's `classify` asks; None where
            something else answers.
    """

    toolbox: Any
    classifier: Any = None

    def halve_batch(self) -> int:
        """Ask the classifier with half its physical batch from now on.

        Returns:
            The batch as it is then.

        Raises:
            FoolingError: its batch is one image already, or the operator `classify` is not the classifier's.
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
