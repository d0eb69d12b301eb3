"""What is climbed, and how steep it is.

Three objectives: the probability of a class, its logarithm, its logit (Nguyen 2015 climbs the first, the
softmax's own output). What is propagated back through the network is never the slope of the probability
itself: that is p times the slope of log p, and where p underflows nothing would be left of it. So the slope
of log p goes back, which is of ordinary size wherever the network is, and p is multiplied in afterwards.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

from fooling.classifiers.spec import LOGITS

# Below it, a probability's own slope counts as vanished.
VANISHED = 1e-30
_TINY = torch.finfo(torch.float32).tiny


@dataclass(frozen=True)
class Objective:
    """One of the three, for a classifier that puts out logits (of a softmax, or of a sigmoid each) or confidences.

    The *guide* is the function whose gradient is propagated back: log p or the logit where there are logits,
    else the probability or score p as it is put out.

    Attributes:
        name: "probability", "log-probability" or "logit"; the last only with logits.
        output: as in the classifier's spec.
    """

    name: str
    output: str

    @property
    def has_logits(self) -> bool:
        """Whether log p can be had without p, which may underflow."""
        return self.output in LOGITS

    def seeds(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """The gradient of the guide with respect to what the network puts out.

        Args:
            outputs: (n, views, classes) float32; p is the mean over the views, as is the logit.
            targets: (n,) int64, the class that each image climbs.

        Returns:
            (n, views, classes) float32.
        """
        views = outputs.shape[1]
        at = targets.view(-1, 1, 1).expand(-1, views, 1)
        hot = torch.zeros_like(outputs).scatter_(2, at, 1.0)
        if not self.has_logits or self.name == "logit":
            return hot.div_(views)
        if self.output == "sigmoid":
            hot *= (-outputs).sigmoid()
        else:
            hot -= outputs.softmax(2)
        if views == 1:
            return hot
        # d log(mean of q_v) = sum of w_v d log(q_v), where w_v is the share of view v in p.
        log_q = logsigmoid(outputs) if self.output == "sigmoid" else outputs.log_softmax(2)
        return hot.mul_(log_q.gather(2, at).softmax(1))

    def probability_per_guide(self, confidence: Tensor) -> Tensor:
        """(n,): by how much p rises where the guide rises by a little, over that little. Exact for one view;
        with ten crops and the logit, as if the views agreed."""
        if not self.has_logits:
            return torch.ones_like(confidence)
        return confidence * (1.0 - confidence) if self.name == "logit" else confidence

    def scale(self, confidence: Tensor) -> Tensor:
        """(n,): what makes the objective's own gradient of the guide's. Where the probability's has vanished
        the guide's, log p's, stands in for it."""
        if not self.has_logits and self.name == "log-probability":
            return 1.0 / confidence.clamp_min(_TINY)
        if self.has_logits and self.name == "probability":
            return torch.where(self.vanished(confidence), 1.0, confidence)
        return torch.ones_like(confidence)

    def vanished(self, confidence: Tensor) -> Tensor:
        """(n,) bool: whether the objective's own gradient is too small to be followed, and log p is climbed."""
        if not self.has_logits or self.name != "probability":
            return torch.zeros_like(confidence, dtype=torch.bool)
        return confidence < VANISHED
