"""A class more, "fooling" (Nguyen, Yosinski & Clune 2015, section 3.7): the network is trained on with an output more for
elites that were evolved against it, and takes the bare one's place; the score is minus the log-odds of that class.

The elites are of runs of their own, which the detector is not measured on; random CPPNs are beside them. That images
evolved against the bare network are caught says little, since new ones can be evolved: the adaptive success tells.
"""

from __future__ import annotations

import numpy as np
import torch
from scipy.special import logsumexp, softmax
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from fooling.studies.audit.detectors.protocol import F64, Detector, Fitted, Network, NotMeasurable, Shown
from fooling.studies.audit.detectors.tuning import copy_of, logits_by, tuned


def widened(module: nn.Module, name: str) -> None:
    """Give a module's linear layer an output more, whose weights are zero; the others stay.

    Args:
        name: of the layer, as `named_modules` has it.
    """
    old = module.get_submodule(name)
    assert isinstance(old, nn.Linear)
    new = nn.Linear(old.in_features, old.out_features + 1, device=old.weight.device, dtype=old.weight.dtype)
    with torch.no_grad():
        new.weight.zero_()
        new.bias.zero_()
        new.weight[:-1] = old.weight
        if old.bias is not None:
            new.bias[:-1] = old.bias
    parent, _, last = name.rpartition(".")
    setattr(module.get_submodule(parent), last, new)


def loss(real: Tensor, classes: Tensor, others: Tensor) -> Tensor:
    """The cross-entropy of (n, K + 1) logits of real images and their classes, and of (m, K + 1) logits of others and
    the last class, in the mean over all."""
    targets = torch.cat([classes, classes.new_full((len(others),), others.shape[1] - 1)])
    return cross_entropy(torch.cat([real, others]), targets)


def fit(real: Shown, network: Network) -> Fitted:
    """Train a copy."""
    assert network.training is not None
    assert network.layer is not None
    fooling = network.training.fooling()
    if not len(fooling):
        raise NotMeasurable("needs elites to learn from, found none")
    module, spec = copy_of(network), network.classifier.spec
    widened(module, network.layer.removesuffix(":input"))
    more = spec.model_copy(
        update={"labels": (*spec.labels, "(fooling)"), "wordnet": None, "groups": {}, "accuracy": None}
    )
    taught = tuned(network, module, more, real, fooling, loss)

    def score(shown: Shown) -> F64:
        logits = logits_by(taught, shown)
        return np.asarray(logsumexp(logits[:, :-1], axis=1) - logits[:, -1])

    return Fitted(
        score,
        {"fooling_images": len(fooling), "epochs": network.training.epochs},
        lambda shown: np.asarray(softmax(logits_by(taught, shown), axis=1)[:, :-1]),
    )


DETECTOR = Detector(
    "extra-class",
    'A class "fooling" more',
    "Nguyen et al., CVPR 2015",
    ("training", "head", "fit images"),
    fit,
    ("random-cppn", "elites", "static"),
)
