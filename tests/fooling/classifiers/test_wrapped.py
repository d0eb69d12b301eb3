"""Classifiers in front of which something was put. If the wrapper changed an answer, every run through it would be a run
against something else."""

from __future__ import annotations

import numpy as np

from fooling.classifiers import load
from fooling.classifiers.check import check
from fooling.classifiers.synthetic import synthetic
from fooling.studies.audit.transforms.filters import Transform, named
from fooling.studies.audit.transforms.through import through

NOTHING = Transform("nothing", "leaves images as they are", lambda images: images)


def test_what_is_wrapped_answers_bit_for_bit() -> None:
    lenet, pixels = load("builtin:lenet"), synthetic(28, 1, 60)
    assert (through(lenet, NOTHING).classify(pixels) == lenet.classify(pixels)).all()
    halftone = named("halftone")
    assert (through(lenet, halftone).classify(pixels) == lenet.classify(halftone.apply(pixels))).all()


def test_a_wrapped_classifier_is_a_classifier_of_its_own() -> None:
    lenet = load("builtin:lenet")
    made = [through(lenet, named(name)) for name in ("jpeg-75", "jpeg-50", "noise-8")]
    assert len({lenet.fingerprint, *(one.fingerprint for one in made)}) == 4
    assert made[0].fingerprint == through(lenet, named("jpeg-75")).fingerprint
    assert not made[0].differentiable
    for one in made:
        assert not check(one).failures
    assert np.isfinite(made[0].answers).all()
