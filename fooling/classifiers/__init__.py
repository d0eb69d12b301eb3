"""Classifiers: turn images into a confidence for each class, whatever the network behind them.

    classifier = fooling.classifiers.load("builtin:lenet")
    classifier.confidences(images)      # NCHW float32 in [0, 1] -> (n, classes) in [0, 1]

This room knows no search. `docs/models.md` shows how to bring a network of your own.
"""

from fooling.classifiers.arrays import numpy_function
from fooling.classifiers.classifier import Classifier
from fooling.classifiers.factory import from_module
from fooling.classifiers.numerics import Numerics
from fooling.classifiers.sources import known, load
from fooling.classifiers.spec import Crop, Preprocessing, Resize, Spec
from fooling.classifiers.validity import ClassifierError

__all__ = [
    "Classifier",
    "ClassifierError",
    "Crop",
    "Numerics",
    "Preprocessing",
    "Resize",
    "Spec",
    "from_module",
    "known",
    "load",
    "numpy_function",
]
