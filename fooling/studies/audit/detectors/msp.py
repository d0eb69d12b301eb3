"""Maximum softmax probability (Hendrycks & Gimpel 2017): the classifier's own confidence, which is what a search for
fooling images raises. It is ranked by its log-odds."""

from __future__ import annotations

from fooling.studies.audit.detectors.probabilities import confidence_log_odds
from fooling.studies.audit.detectors.protocol import Detector, Fitted, Network, Shown


def fit(real: Shown, network: Network) -> Fitted:
    """Nothing is fitted."""
    return Fitted(lambda shown: confidence_log_odds(shown, network))


DETECTOR = Detector("msp", "Maximum confidence (MSP)", "Hendrycks & Gimpel, ICLR 2017", ("scores",), fit)
