"""Maximum logit (Hendrycks et al. 2022)."""

from __future__ import annotations

import numpy as np

from fooling.studies.audit.detectors.protocol import Detector, Fitted, Network, Shown, logits_of


def fit(real: Shown, network: Network) -> Fitted:
    """Nothing is fitted."""
    return Fitted(lambda shown: np.asarray(logits_of(shown).max(axis=1)))


DETECTOR = Detector("maxlogit", "Maximum logit", "Hendrycks et al., ICML 2022", ("logits",), fit)
