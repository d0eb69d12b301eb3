"""What the parts of a score make together. A missing part must not read as "looks like nothing", nor as "looks like
it"."""

import numpy as np

from fooling.studies.audit.recognition.measure import _part
from fooling.studies.audit.recognition.panel import Panelist
from fooling.studies.audit.recognition.pictures import foolers, likest, pictured
from fooling.studies.audit.recognition.result import Control, Look
from fooling.studies.audit.recognition.scoring import Scores, _panel

NAN = np.nan


def _scores(pixels, features, panel):
    count = len(pixels)
    near, second, said = (np.array(part, np.float32) for part in (pixels, features, panel))
    none = np.full(count, NAN, np.float32)
    return Scores(near, second, none, none, said, np.zeros(count, np.int64))


def test_the_score_is_the_least_of_what_there_is_and_none_of_a_panel_alone():
    scores = _scores([0.9, 0.2, NAN, NAN, 0.7], [0.8, NAN, 0.4, NAN, NAN], [0.3, 0.9, 1.0, 1.0, NAN])
    np.testing.assert_allclose(scores.score, np.array([0.3, 0.2, 0.4, NAN, 0.7], np.float32))
    assert [scores.basis(row) for row in range(5)] == ["panel", "pixels", "features", None, "pixels"]


def test_networks_that_lack_a_class_are_left_out_of_the_mean():
    panel = [
        Panelist("a", np.array([0.5, NAN], np.float32), np.array([True, False])),
        Panelist("b", np.array([1.0, NAN], np.float32), np.array([True, False])),
    ]
    mean, agrees = _panel(panel, 2)
    np.testing.assert_allclose(mean, [0.75, NAN])
    assert agrees.tolist() == [2, 0]


def _look(number, confidence, score):
    return Look(
        run="r", number=number, label=str(number), confidence=confidence, score=score, basis=None, pixels=None,
        features=None, pixel_distance=None, feature_distance=None, panel=None, panel_agrees=None, sha256="",
    )  # fmt: skip


def _control(like, images=100):
    return Control(name="real", images=images, mean=like, like=like, like_ci95=None)


def test_a_sure_image_that_looks_like_its_class_is_no_fooling_image():
    looks = [_look(0, 0.999, 0.9), _look(1, 0.999, 0.1), _look(2, 0.5, 0.0), _look(3, 0.99, None)]
    part = _part(looks, [_control(0.95)], [], [])
    assert (part.recognition.like, part.recognition.scored, part.recognition.fooling) == (1, 3, 0.5)
    check = part.checks[1]
    assert (check.id, check.verdict, check.value) == ("recognition.fooled", "fail", 1 / 3)


def test_scores_that_do_not_know_real_images_are_not_believed():
    part = _part([_look(0, 0.999, 0.1)], [_control(0.6)], [], [])
    assert [check.verdict for check in part.checks] == ["fail", "not measurable"]
    assert part.recognition.why


def test_without_real_images_nothing_is_claimed():
    part = _part([_look(0, 0.999, None)], [], [], [])
    assert [check.verdict for check in part.checks] == ["not measurable"] * 2
    assert part.recognition.fooling is None


def test_the_pictures_are_of_the_best_foolers_and_of_the_likest():
    looks = [_look(0, 0.999, 0.9), _look(0, 0.995, 0.0), _look(1, 0.8, 0.0), _look(1, 0.9, 0.7)]
    assert foolers(looks) == [1, 2]
    assert likest(looks) == [0, 3]
    images = np.random.default_rng(0).integers(0, 256, (4, 8, 8, 1), dtype=np.uint8)
    found = pictured(looks, images)
    assert all(look.png for look in found)
    assert found[0].png != found[1].png
