"""What is sent, and what is made of what comes back: a misread score is a false claim about the classifier."""

from __future__ import annotations

import base64
import io
import json
from email.parser import BytesParser

import numpy as np
import pytest
from PIL import Image

from fooling.classifiers.sources.http import forms
from fooling.classifiers.sources.http.forms import MisreadError
from fooling.classifiers.sources.http.spec import RequestTable, ResponseTable
from fooling.errors import InvalidError

URL = "https://example.com/label"
CLASSES = {"cat": 0, "dog": 1, "ship": 2}


def pixels_of(png: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(png), formats=["PNG"]) as image:
        return np.asarray(image)


@pytest.mark.parametrize("channels", [1, 3])
def test_the_png_holds_the_pixels(channels):
    image = np.random.default_rng(0).integers(0, 256, (5, 5, channels), dtype=np.uint8)
    body, kind = forms.body_of(image, RequestTable(url=URL))
    assert kind == "image/png"
    assert np.array_equal(pixels_of(body).reshape(image.shape), image)


def test_a_form_has_the_file_and_the_other_fields():
    table = RequestTable(url=URL, form="multipart", image="file", body={"model": "v2"})
    body, kind = forms.body_of(np.zeros((4, 4, 1), np.uint8), table)
    message = BytesParser().parsebytes(f"Content-Type: {kind}\r\n\r\n".encode() + body)
    parts = {part.get_param("name", header="content-disposition"): part for part in message.get_payload()}
    assert parts["model"].get_payload() == "v2"
    assert parts["file"].get_content_type() == "image/png"
    assert pixels_of(parts["file"].get_payload(decode=True)).shape == (4, 4)  # type: ignore[arg-type]


def test_json_has_the_image_where_the_path_leads_and_the_rest_of_the_body(monkeypatch):
    monkeypatch.setenv("FOOLING_HTTP_KEY", "s3cret")
    table = RequestTable(
        url=URL,
        form="json",
        image="requests.0.image.content",
        prefix="data:",
        body={"key": "${FOOLING_HTTP_KEY}", "requests": [{"features": [{"maxResults": 5}]}]},
    )
    for _ in range(2):  # the table itself is left as it is
        body, kind = forms.body_of(np.full((4, 4, 1), 7, np.uint8), table)
    document = json.loads(body)
    content = document["requests"][0]["image"]["content"]
    assert kind == "application/json"
    assert (pixels_of(base64.b64decode(content.removeprefix("data:"))) == 7).all()
    assert document["requests"][0]["features"] == [{"maxResults": 5}]
    assert document["key"] == "s3cret"


def test_a_path_that_leads_nowhere_is_refused_before_anything_is_sent():
    table = RequestTable(url=URL, form="json", image="requests.1.content", body={"requests": [{}]})
    with pytest.raises(InvalidError, match=r"expected a place for the image at requests\.1\.content"):
        forms.body_of(np.zeros((4, 4, 1), np.uint8), table)


PAIRS = [("dog", 0.75), ("cat", 0.25)]
READABLE = [
    ({"items": "predictions"}, {"predictions": [{"label": "dog", "score": 0.75}, {"label": "cat", "score": 0.25}]}, PAIRS),
    ({"items": "r.0.tags", "label": "tag.en", "score": "confidence", "full": 100.0},
     {"r": [{"tags": [{"tag": {"en": "dog"}, "confidence": 75}, {"tag": {"en": "cat"}, "confidence": 25}]}]}, PAIRS),
    ({"labels": "names", "scores": "values"}, {"names": ["dog", "cat"], "values": [0.75, 0.25]}, PAIRS),
    ({"scores": "by_label"}, {"by_label": {"dog": 0.75, "cat": 0.25}}, PAIRS),
    ({"scores": "outputs.0"}, {"outputs": [[0.25, 0.75, 0]]}, [0.25, 0.75, 0.0]),
    ({"items": "predictions"}, {"predictions": []}, []),
    ({"scores": "s"}, {"s": [1.00001]}, [1.0]),
    ({"scores": "fake"}, {"fake": 0.75}, [0.75]),
]  # fmt: skip


@pytest.mark.parametrize(("table", "document", "answer"), READABLE)
def test_answers_are_read(table, document, answer):
    read = forms.read(json.dumps(document).encode(), ResponseTable(**table))
    assert read == answer
    assert forms.restored(forms.stored(read)) == read


@pytest.mark.parametrize(
    ("table", "body", "message"),
    [
        ({"items": "predictions"}, '{"error": "quota"}', r"expected 'predictions' .*found \{\"error\": \"quota\"\}"),
        ({"items": "predictions"}, '{"predictions": null}', "expected a list at predictions, found null"),
        ({"items": "p"}, '{"p": [{"label": "cat"}]}', "expected 'score'"),
        ({"items": "p"}, '{"p": [{"label": 3, "score": 1}]}', "expected a label, found 3"),
        ({"items": "p"}, '{"p": ["cat"]}', "expected 'label'"),
        ({"scores": "s"}, '{"s": [true]}', "expected a score, found true"),
        ({"scores": "s"}, '{"s": ["0.5"]}', 'expected a score, found "0.5"'),
        ({"scores": "s"}, '{"s": [NaN]}', "expected numbers, found NaN"),
        ({"scores": "s"}, '{"s": [1e999]}', "expected a score, found Infinity"),
        ({"scores": "s"}, '{"s": [1' + "0" * 400 + "]}", "expected a score"),
        ({"scores": "s"}, '{"s": [87.5]}', r"expected scores from 0 to 1 \(response.full\), found 87.5"),
        ({"scores": "s"}, '{"s": [-0.1]}', "expected scores from 0"),
        ({"scores": "s"}, '{"s": []}', "expected a score per label at s, found none"),
        ({"labels": "l", "scores": "s"}, '{"l": ["cat"], "s": [1, 0]}', "expected as many scores as labels, found 2 and 1"),
        ({"labels": "l", "scores": "s"}, '{"l": ["cat"], "s": 1}', "expected a list at s, found 1"),
    ],
)  # fmt: skip
def test_what_is_no_answer_is_told_apart(table, body, message):
    """Taken for confidences of 0, an error message would be kept as an answer for good."""
    with pytest.raises(MisreadError, match=message):
        forms.read(body.encode(), ResponseTable(**table))


def test_labels_that_are_left_out_have_no_confidence():
    row = forms.confidences_of([("ship", 0.5), ("cat", 0.25)], CLASSES, {}, False)
    assert row.dtype == np.float32
    assert row.tolist() == [0.25, 0.0, 0.5]
    assert forms.confidences_of([], CLASSES, {}, False).tolist() == [0, 0, 0]


def test_of_labels_that_mean_the_same_class_the_highest_counts():
    answer = [("tabby", 0.2), ("Persian cat", 0.6), ("cat", 0.1)]
    row = forms.confidences_of(answer, CLASSES, {"tabby": "cat", "Persian cat": "cat"}, False)
    assert row.tolist() == [np.float32(0.6), 0, 0]


def test_unknown_labels_are_refused_unless_they_are_to_be_ignored():
    """Labels in another case would all be dropped, and every confidence be 0."""
    with pytest.raises(InvalidError, match=r"found 'Dog'; did you mean dog\?; add it.*label_map.*ignore"):
        forms.confidences_of([("Dog", 0.5)], CLASSES, {}, False)
    assert forms.confidences_of([("Dog", 0.5)], CLASSES, {}, True).tolist() == [0, 0, 0]


def test_scores_without_labels_must_be_as_many_as_there_are_labels():
    assert forms.confidences_of([0.5, 0.25, 0.0], CLASSES, {}, False).tolist() == [0.5, 0.25, 0.0]
    with pytest.raises(InvalidError, match="expected a score for each of 3 labels, found 2"):
        forms.confidences_of([0.5, 0.25], CLASSES, {}, False)


def test_logits_are_taken_as_they_are():
    """They are no shares of certainty; a label that is left out has no logit, not that of one half."""
    table = ResponseTable(scores="s")
    assert forms.read(b'{"s": [-3.5, 12, 0]}', table, logits=True) == [-3.5, 12.0, 0.0]
    pairs = forms.read(b'{"s": {"dog": -3.5, "cat": 12, "ship": -1}}', table, logits=True)
    assert forms.confidences_of(pairs, CLASSES, {}, False, logits=True).tolist() == [12.0, -3.5, -1.0]
    with pytest.raises(InvalidError, match="expected a logit of every label, found none of 'ship'"):
        forms.confidences_of(pairs[:2], CLASSES, {}, False, logits=True)


def test_two_classes_may_share_one_number():
    classes = {"real": 0, "fake": 1}
    assert forms.confidences_of([0.75], classes, {}, False, columns=(2, 1)).tolist() == [0.75]
    with pytest.raises(InvalidError, match="expected a score for each of 2 labels, found 1"):
        forms.confidences_of([0.75], classes, {}, False)
