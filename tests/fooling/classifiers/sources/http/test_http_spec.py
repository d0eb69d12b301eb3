"""What a spec may say: what is wrong with it must be told before a query is spent, and a spec from somebody
else must not be able to take secrets along."""

from __future__ import annotations

import sys

import numpy as np
import pytest
import torch

from fooling import classifiers
from fooling.classifiers import Numerics
from fooling.classifiers.sources.http.spec import RequestTable
from fooling.errors import InvalidError, NotFoundError
from tests.fooling.classifiers.sources.http.serving import LABELS, SIZE, document, write_spec

URL = "https://vision.example.com/label"


@pytest.mark.parametrize(
    ("tables", "message"),
    [
        ({"request": {"url": "ftp://example.com/"}}, "expected an address like https://host/path"),
        ({"request": {"url": "https://example.com/a b"}}, "expected an address"),
        ({"request": {"url": "https://${FOOLING_HTTP_HOST}/"}}, "expected an address"),
        ({"request": {"url": "https://me:word@example.com/"}}, "expected no password in the address"),
        ({"request": {"url": "http://example.com/"}}, r"expected https \(or insecure = true\), found http"),
        ({"request": {"headers": {"X": "${AWS_SECRET_ACCESS_KEY}"}}}, r"begin with FOOLING_HTTP_, found \$\{AWS_"),
        ({"request": {"form": "json", "body": {"k": ["${HOME}"]}}}, r"begin with FOOLING_HTTP_, found \$\{HOME\}"),
        ({"request": {"headers": {"X\nY": "1"}}}, "expected a header of printable ASCII"),
        ({"request": {"headers": {"X": "1\r\nY: 2"}}}, "expected a header of printable ASCII, found 'X'"),
        ({"request": {"body": {"a": 1}}}, "body and prefix only with form"),
        ({"request": {"form": "multipart", "body": {"a": 1}}}, "expected texts in body"),
        ({"request": {"form": "json", "image": "a..b"}}, r"request\.image"),
        ({"response": {"scores": "s"}}, "expected items, or scores .*one of the two"),
        ({"response": {"labels": "l"}}, "expected labels only beside scores"),
        ({"budget": {"queries": None}}, "expected a limit: queries, or cost with a price"),
        ({"budget": {"cost": 5.0}}, "expected the price of a request beside cost"),
        ({"budget": {"querys": 5}}, "budget.querys is not a key; did you mean budget.queries"),
        ({"request": {"hosts": ["https://cdn.example.com"]}}, r"request\.hosts"),
        ({"request": {"url": "https://example.com:99999/"}}, "request.*[Pp]ort"),
        ({"pace": {"concurrency": 0}}, r"pace\.concurrency.*found 0"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(tables, message):
    with pytest.raises(InvalidError, match=message):
        document(tables.get("request", {}).get("url", URL), **tables)


def test_hosts_that_are_not_named_are_not_allowed():
    table = RequestTable(url=URL, hosts=("cdn.example.com", "other.example.com:8443"))
    for allowed in (
        URL,
        "https://cdn.example.com/x",
        "https://other.example.com:8443/",
        "https://vision.example.com:443/",
    ):
        table.require_allowed(allowed)
    for refused in (
        "https://evil.example.com/",
        "https://vision.example.com.evil.net/",
        "https://vision.example.com:8443/",
        "https://vision.example.com@evil.net/",
        "https://other.example.com/",
        "http://vision.example.com/label",
        "file:///etc/passwd",
    ):
        with pytest.raises(ValueError, match="expected"):
            table.require_allowed(refused)


def test_this_machine_and_who_insists_may_do_without_https():
    for url in ("http://localhost:8000/", "http://127.0.0.1/", "http://[::1]:80/"):
        RequestTable(url=url)
    RequestTable(url="http://10.0.0.7/", insecure=True)


def test_a_spec_opens_without_a_word_to_the_server(tmp_path, server):
    spec = write_spec(tmp_path / "vision.toml", server.url)
    classifier = classifiers.load(spec)
    assert classifier.labels == LABELS
    assert classifier.spec.output == "scores"
    assert not classifier.differentiable
    assert server.asked == []
    assert (tmp_path / "vision.answers").is_file()


def test_the_fingerprint_is_of_what_is_asked_not_of_how_fast_or_for_how_much(tmp_path, server):
    """A larger budget must not make a run that was stopped by it impossible to resume."""
    prints = [
        classifiers.load(write_spec(tmp_path / "vision.toml", server.url, **tables)).fingerprint
        for tables in ({}, {"budget": {"queries": 7}}, {"pace": {"per_second": 3.0}}, {"label_map": {"a": "cat"}},
                       {"request": {"headers": {"X-Model": "2"}}}, {"response": {"full": 100.0}})
    ]  # fmt: skip
    assert prints[0] == prints[1] == prints[2]
    assert len(set(prints)) == 4


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('output = "logits"', 'expected output = "scores" or "probabilities"'),
        ("preprocessing = { scale = 255.0 }", r"expected no \[preprocessing\]"),
        (
            'label_map = { kitty = "catt" }',
            "label_map: expected labels of the spec, found 'catt'; did you mean cat",
        ),
        ('labels = ["a", "a"]', "expected labels that differ"),
        ('labels = "labels.txt"', "labels.txt: expected a file of labels"),
    ],
)
def test_what_does_not_fit_together_is_named(tmp_path, server, line, message):
    spec = write_spec(tmp_path / "vision.toml", server.url)
    path = tmp_path / "vision.toml"
    text = path.read_text()
    if line.startswith("labels"):
        text = "\n".join(part for part in text.splitlines() if not part.startswith("labels ="))
    path.write_text(f"{line}\n{text}")
    with pytest.raises((InvalidError, NotFoundError), match=message):
        classifiers.load(spec)


def test_a_server_is_nothing_to_compile(tmp_path, server):
    spec = write_spec(tmp_path / "vision.toml", server.url)
    with pytest.raises(InvalidError, match=r"expected run\.compile = false"):
        classifiers.load(spec, numerics=Numerics(compiled=True))


def test_without_the_extra_one_line_says_how_to_get_it(tmp_path, server, monkeypatch):
    spec = write_spec(tmp_path / "vision.toml", server.url)
    monkeypatch.setitem(sys.modules, "urllib3", None)
    with pytest.raises(
        InvalidError, match=r"http:.*expected the package urllib3.*pip install 'fooling\[http\]'"
    ):
        classifiers.load(spec)


def test_a_missing_spec_is_told(tmp_path):
    with pytest.raises(NotFoundError, match=r"nowhere\.toml"):
        classifiers.load(f"http:{tmp_path / 'nowhere.toml'}")


def test_confidences_are_what_the_server_says_of_the_8_bits(tmp_path, server):
    """Floats between two levels are rounded to the nearest, as the PNG that is sent."""
    classifier = classifiers.load(write_spec(tmp_path / "vision.toml", server.url))
    pixels = np.full((2, SIZE, SIZE, 1), 51, np.uint8)
    pixels[1, :, :2] = 255
    found = classifier.classify(pixels)
    assert found[0].tolist() == [np.float32(0.2)] * 3 + [0.0]  # the top three of four equal ones
    assert found[1].tolist() == [1.0, np.float32(0.2), np.float32(0.2), 0.0]
    floats = torch.full((1, 1, SIZE, SIZE), 51.3 / 255)
    assert np.array_equal(classifier.confidences(floats).numpy(), found[:1])
    assert len(server.asked) == 3  # these two, and the black one that pads the batch
