"""An audit that is asked for over the network reads the real images that the server was started with, and no others."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from fooling.service.problems import ProblemError
from fooling.service.questions import AuditRequest
from fooling.service.routes.studies import _samples


def server(*samples: str) -> Any:
    return SimpleNamespace(settings=SimpleNamespace(samples=tuple(map(Path, samples))))


@pytest.mark.parametrize(
    ("asked", "given", "found"),
    [
        (None, (), {}),
        (None, ("/data/mnist", "/data/photos"), {"samples": "/data/mnist"}),
        ("photos", ("/data/mnist", "/data/photos"), {"samples": "/data/photos"}),
        ("mnist", ("/first/mnist", "/second/mnist"), {"samples": "/first/mnist"}),
    ],
)
def test_the_images_are_of_those_that_the_server_was_started_with(asked, given, found):
    assert _samples(AuditRequest(kind="audit", model="builtin:lenet", samples=asked), server(*given)) == found


@pytest.mark.parametrize("asked", ["/etc", "/data/mnist", "..", "mnist/../..", ""])
def test_a_request_names_no_path_of_its_own(asked):
    """A failure lets whoever reaches the server read its images through a report."""
    with pytest.raises(ProblemError, match="not started with"):
        _samples(AuditRequest(kind="audit", model="builtin:lenet", samples=asked), server("/data/mnist"))
