"""What gradient ascent asks of the encoding and the classifier, checked before the run has a directory."""

from __future__ import annotations

from pathlib import Path

from fooling.classifiers import Classifier
from fooling.classifiers.spec import LOGITS
from fooling.encodings.settings import EncodingSettings
from fooling.errors import InvalidError
from fooling.search.ascent.starts import read
from fooling.search.settings import GradientAscentSettings


def fit(
    search: GradientAscentSettings, encoding: EncodingSettings, classifier: Classifier
) -> tuple[GradientAscentSettings, EncodingSettings]:
    """The settings with what follows from the search and the classifier: the pixels' own colours, where the
    given images lie and how many there are.

    Raises:
        InvalidError: images that are not made of pixels' own genes; a classifier without gradients, or without
            the logits that are to be climbed; given images that can't be.
        NotFoundError: no given images.
    """
    spec = classifier.spec
    if encoding.name != "direct":
        raise InvalidError(
            f'gradient-ascent moves pixels: expected encoding.name = "direct", found "{encoding.name}"; '
            "set encoding.name=direct"
        )
    if encoding.colour not in (None, spec.colour):
        raise InvalidError(
            f"gradient-ascent moves the classifier's own channels: expected encoding.colour = {spec.colour}, "
            f"found {encoding.colour}; leave it out"
        )
    if encoding.quantisation != "rounded":
        raise InvalidError(
            f"gradient-ascent rounds pixels: expected encoding.quantisation = rounded, found "
            f"{encoding.quantisation}; leave it, or the profile that sets it, out"
        )
    if search.objective == "logit" and spec.output not in LOGITS:
        raise InvalidError(
            f"search.objective: {spec.name} puts out {spec.output}: expected probability or log-probability, "
            "found logit"
        )
    if not classifier.differentiable:
        raise InvalidError(
            f"{spec.name}: no gradients reach the images: gradient ascent unavailable; "
            "search.name=map-elites and search.name=single-class need none"
        )
    encoding = encoding.model_copy(update={"colour": spec.colour})
    if search.images is not None:
        path = Path(search.images).resolve()
        count = len(read(path, spec.image_shape))
        found = {"images": str(path), "starts": search.starts or count}
        search = search.model_copy(update=found)
    return search, encoding
