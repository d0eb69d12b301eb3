"""Detectors against formulas written here once more, the vectors of the papers' tools, and pytorch-ood. A failure costs
an audit its verdicts: a public Mahalanobis was at chance for a year before a user noticed."""

from __future__ import annotations

import math
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from scipy.stats import weibull_min

from fooling.classifiers import Classifier
from fooling.studies.audit.detectors import (
    energy,
    gaussians,
    gen,
    knn,
    mahalanobis,
    maxlogit,
    msp,
    odin,
    openmax,
    react,
    relative_mahalanobis,
    temperature,
    vim,
    weibull,
)
from fooling.studies.audit.detectors.catalogue import DETECTORS
from fooling.studies.audit.detectors.probabilities import top_log_odds
from fooling.studies.audit.detectors.protocol import Network, NotMeasurable, Shown

Make = Callable[..., Shown]
CLOSE = pytest.approx


def of_one(detector: Any, real: Shown, others: Shown, network: Network) -> np.ndarray:
    """The scores of others by a detector that was fitted to real images."""
    return detector.DETECTOR.fit(real, network).score(others)


def test_confidence_is_ranked_where_float32_ties(shown: Make, network: Network) -> None:
    """A failure ties fooling images with real ones: their float32 softmax is 1 from a margin of 17 on."""
    others = shown(5)
    expected = np.log(others.confidences.max(1)) - np.log1p(-others.confidences.max(1))
    assert of_one(msp, others, others, network) == CLOSE(expected, rel=1e-9)
    sure = top_log_odds(np.array([[40.0, 0.0], [50.0, 0.0], [700.0, 0.0], [-900.0, 900.0]]))
    assert sure.tolist() == [40.0, 50.0, 700.0, 1800.0]


def test_scores_without_logits_are_finite_and_tie_where_they_are_equal(network: Network) -> None:
    confidences = np.array([[1.0, 0.0], [1.0, 0.0], [0.5, 0.5]])
    others = Shown(np.zeros((3, 6, 6, 1), np.uint8), confidences)
    for detector in (msp, gen):
        scores = of_one(detector, others, others, network)
        assert np.isfinite(scores).all()
        assert scores[0] == scores[1] > scores[2]


def test_the_temperature_is_the_best(shown: Make, network: Network) -> None:
    """A failure costs calibration: the reference's L-BFGS stops early, or below 0."""
    real = shown(400)
    assert real.logits is not None
    assert real.classes is not None
    found = temperature.DETECTOR.fit(real, network)
    grid = np.geomspace(0.05, 100, 801)
    losses = [temperature.negative_log_likelihood(real.logits, real.classes, t) for t in grid]
    assert found.parameters["temperature"] == CLOSE(grid[np.argmin(losses)], rel=1e-2)
    hot = Shown(real.pixels, real.confidences, real.logits * 7, None, real.classes)
    hotter = temperature.DETECTOR.fit(hot, network).parameters["temperature"]
    assert hotter == CLOSE(7 * found.parameters["temperature"], rel=1e-4)


def test_energy_and_maximum_logit(shown: Make, network: Network, library: ModuleType) -> None:
    others = shown(7)
    assert others.logits is not None
    expected = [math.log(sum(math.exp(value) for value in row)) for row in others.logits]
    assert of_one(energy, others, others, network) == CLOSE(expected, rel=1e-12)
    assert of_one(maxlogit, others, others, network) == CLOSE(others.logits.max(1))
    logits = torch.from_numpy(others.logits)
    assert -library.EnergyBased(None).predict_logits(logits).numpy() == CLOSE(expected, rel=1e-6)
    sigmoids = energy.energy(others.logits[:, :1], "sigmoid")
    assert sigmoids == CLOSE([math.log1p(math.exp(row[0])) for row in others.logits])


def test_generalised_entropy(shown: Make, network: Network, library: ModuleType) -> None:
    p = np.array([[0.25] * 4, [0.97, 0.01, 0.01, 0.01]])
    entropies = gen.generalised_entropy(np.log(p), np.log1p(-p), gamma=1.0)
    assert entropies == CLOSE((p * (1 - p)).sum(axis=1))
    assert entropies[0] > entropies[1]
    assert gen.generalised_entropy(np.log(p), np.log1p(-p), 1.0, most=1)[1] == CLOSE(0.97 * 0.03)
    others = shown(9)
    theirs = library.GEN(None).predict_logits(torch.from_numpy(others.logits)).numpy() * 4  # theirs is a mean
    assert -of_one(gen, others, others, network) == CLOSE(theirs, rel=1e-6)


def test_nearest_neighbours(shown: Make, network: Network) -> None:
    real, others = shown(200), shown(5, seed=1)
    assert real.features is not None
    assert others.features is not None
    bank = real.features / np.linalg.norm(real.features, axis=1, keepdims=True)
    queries = others.features / np.linalg.norm(others.features, axis=1, keepdims=True)
    expected = [-sorted(np.linalg.norm(bank - query, axis=1))[9] for query in queries]  # k = 200 / 20
    assert of_one(knn, real, others, network) == CLOSE(expected, rel=1e-9)
    assert not np.isnan(knn.normalised(np.zeros((1, 3)))).any()
    assert knn.kth_distance(bank, bank[:3], 1) == CLOSE(np.zeros(3))


def test_shrinking_is_that_of_ledoit_and_wolf() -> None:
    random = np.random.default_rng(0)
    centred = random.normal(0, 1, (30, 4)) @ random.normal(0, 1, (4, 4))
    centred -= centred.mean(axis=0)
    plain = centred.T @ centred / 30
    scale = np.trace(plain) / 4
    spread = np.linalg.norm(plain - scale * np.eye(4)) ** 2
    noise = sum(np.linalg.norm(np.outer(row, row) - plain) ** 2 for row in centred) / 30**2
    share = min(noise, spread) / spread
    found, shrinkage = gaussians.shrunk_covariance(centred)
    assert shrinkage == CLOSE(share)
    assert found == CLOSE(share * scale * np.eye(4) + (1 - share) * plain)


@pytest.fixture
def unshrunk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Plain covariances, as other implementations have them."""
    monkeypatch.setattr(gaussians, "shrunk_covariance", lambda rows: (rows.T @ rows / len(rows), 0.0))


@pytest.mark.usefixtures("unshrunk")
def test_mahalanobis_distances(shown: Make, network: Network, library: ModuleType) -> None:
    real, others = shown(300), shown(6, seed=1)
    assert real.features is not None
    assert real.classes is not None
    assert others.features is not None
    x, y, queries = real.features, real.classes, others.features
    means = np.stack([x[y == c].mean(axis=0) for c in range(4)])
    inverse = np.linalg.inv((x - means[y]).T @ (x - means[y]) / len(x))
    away = np.array([[(q - m) @ inverse @ (q - m) for m in means] for q in queries])
    assert of_one(mahalanobis, real, others, network) == CLOSE(-away.min(axis=1), rel=1e-8)
    whole = np.linalg.inv(np.cov(x.T, bias=True))
    background = np.array([(q - x.mean(axis=0)) @ whole @ (q - x.mean(axis=0)) for q in queries])
    relative = of_one(relative_mahalanobis, real, others, network)
    assert relative == CLOSE(-(away - background[:, None]).min(axis=1), rel=1e-8)
    # Theirs has sums in place of means over images, and half the distance.
    fitted = library.Mahalanobis(None).fit_features(torch.from_numpy(x).float(), torch.from_numpy(y))
    theirs = fitted.predict_features(torch.from_numpy(queries).float()).numpy()
    assert theirs * 2 * len(x) == CLOSE(away.min(axis=1), rel=1e-2)


def test_a_singular_covariance_does_no_harm(shown: Make, network: Network) -> None:
    """A failure is NaN, or chance: features have units that never fire, and there are fewer images than features."""
    few, others = shown(10), shown(50, seed=1)
    assert few.features is not None
    few.features[:, 3] = 0.0
    for detector in (mahalanobis, relative_mahalanobis):
        assert np.isfinite(of_one(detector, few, others, network)).all()
    with pytest.raises(NotMeasurable, match="two real images a class"):
        mahalanobis.DETECTOR.fit(few.take(slice(0, 5)), network)


def test_virtual_logits(shown: Make, network: Network, library: ModuleType) -> None:
    real, others = shown(300), shown(6, seed=1)
    assert network.weights is not None
    assert network.bias is not None

    def with_logits(given: Shown) -> Shown:
        assert given.features is not None
        logits = given.features @ network.weights.T + network.bias
        return Shown(given.pixels, given.confidences, logits, given.features, given.classes)

    real, others = with_logits(real), with_logits(others)
    ours = of_one(vim, real, others, network)
    weights, bias = torch.from_numpy(network.weights).float(), torch.from_numpy(network.bias).float()
    theirs = library.ViM(None, 6, weights, bias)  # 12 features, of which half are the principal space
    theirs.fit_features(torch.from_numpy(real.features), torch.from_numpy(real.classes))
    assert -ours == CLOSE(
        theirs.predict_features(torch.from_numpy(others.features)).numpy(), rel=1e-3, abs=1e-3
    )
    with pytest.raises(NotMeasurable, match="more real images to fit than the 12 features, found 12"):
        vim.DETECTOR.fit(real.take(slice(0, 12)), network)
    assert [vim.dimensions(size) for size in (84, 500, 768, 2048)] == [42, 250, 512, 1000]
    assert real.features is not None
    assert others.features is not None
    clipped = of_one(react, real, others, network)
    most = np.percentile(real.features, 90)
    logits = np.minimum(others.features, most) @ network.weights.T + network.bias
    assert clipped == CLOSE(np.log(np.exp(logits).sum(axis=1)))


def test_odin_moves_pixels_of_any_number_of_channels(
    classifier: Callable[..., Classifier], shown: Make, library: ModuleType
) -> None:
    """A failure costs grey networks a crash, or all of them a step in units that nobody states."""
    network, others = Network(classifier()), shown(20)
    images = torch.from_numpy(others.pixels).permute(0, 3, 1, 2).float() / 255
    module: Any = network.classifier.network
    expected = library.ODIN(module).predict(images)
    expected = torch.logit(-expected.double()).numpy()
    inside = (images > 0.002).flatten(1).all(1) & (images < 0.998).flatten(1).all(1)  # ours stays in [0, 1]
    scores = of_one(odin, others, others, network)
    assert inside.sum() > 3
    assert scores[inside.numpy()] == CLOSE(expected[inside.numpy()], abs=2e-5)
    with torch.inference_mode():
        assert of_one(odin, others, others, network) == CLOSE(scores)


WBL_TEST = [0.67048, 0.65088, 0.64507, 0.64500, 0.64402, 0.64295, 0.64279, 0.64244, 0.64079]
WBL_CDF = [0.992092, 0.593083, 0.417624, 0.415688, 0.389154, 0.361439, 0.357410, 0.348705, 0.309668]


def test_the_weibull_fit_is_that_of_libmr() -> None:
    """Scale and shape of Vastlab/libMR, examples/wbl-test.c (its printf names them the wrong way round)."""
    values = np.array(WBL_TEST)
    scale, shape = weibull.fitted(values)
    assert [scale, shape] == [CLOSE(0.652101, abs=5e-7), CLOSE(56.733058, abs=2e-5)]
    assert weibull.cumulative(values, scale, shape) == CLOSE(WBL_CDF, abs=2e-6)
    assert weibull.cumulative(np.array([0.74580]), scale, shape) == CLOSE(1.0)
    assert weibull.cumulative(np.array([2.0]), 1.0, 1.0) == CLOSE(0.86466, abs=5e-6)
    theirs = weibull_min.fit(values, floc=0)
    assert [scale, shape] == [CLOSE(theirs[2], rel=1e-4), CLOSE(theirs[0], rel=1e-4)]


def test_openmax_revises_the_likeliest_logits() -> None:
    logits, weights = np.array([[6.0, 2.0, -1.0, 1.0]]), np.array([[0.5, 1.0, 1.0, 0.25]])
    lowered, unknown = openmax.revised(logits, weights, ranks=3)
    # By hand: moved by 1 to 7, 3, 0, 2; ranks 0, 1 and 3 lose 7 * .5 * 1, 3 * 1 * 2/3 and 2 * .25 * 1/3.
    assert lowered == CLOSE(np.array([[3.5, 1.0, 0.0, 2 - 1 / 6]]))
    assert unknown == CLOSE([3.5 + 2.0 + 1 / 6])


def test_openmax_grows_with_the_distance(shown: Make, network: Network) -> None:
    """Public code has the distribution's complement: near images would be unknown."""
    real = shown(400)
    fitted = openmax.DETECTOR.fit(real, network)
    centre = real.logits[(real.classes == 0) & (real.logits.argmax(1) == 0)].mean(axis=0)  # type: ignore[index]
    away = np.array([[0.0, 1.0, -1.0, 0.0]]) * np.linspace(0, 4, 9)[:, None]
    moved = Shown(np.zeros((9, 6, 6, 1), np.uint8), np.ones((9, 4)), centre + away)
    scores = fitted.score(moved)
    assert scores[0] == max(scores)
    assert scores[-1] < scores[0] - 1
    with pytest.raises(NotMeasurable, match="of half of the classes"):
        openmax.DETECTOR.fit(real.take(slice(0, 12)), network)


def test_names_are_what_rules_can_name() -> None:
    names = [detector.name for detector in DETECTORS]
    assert len(set(names)) == len(names)
    assert all(name.replace("-", "").isalnum() and name.islower() for name in names)
