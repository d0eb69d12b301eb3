"""An audit of a service over HTTP: its own access, its own budget. A query too many is the user's money."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from fooling.studies.audit.attacks import measure as attacks
from fooling.studies.audit.black_box import measure as black_box
from fooling.studies.audit.transforms import measure as transforms
from fooling.studies.audit.transforms.filters import named
from tests.fooling.classifiers.sources.http.serving import SPEC, QuietServer, Server, handler_of
from tests.fooling.studies.audit.subjects import tiny


@pytest.fixture
def server() -> Iterator[Server]:
    served = Server(pause=0.0)
    listening = QuietServer(("127.0.0.1", 0), handler_of(served))
    threading.Thread(target=listening.serve_forever, args=(0.02,), daemon=True).start()
    served.url = f"http://127.0.0.1:{listening.server_port}/label"
    yield served
    listening.shutdown()
    listening.server_close()


def test_what_a_service_does_not_allow_is_said_and_its_budget_is_kept(
    tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    budget = 90
    monkeypatch.setattr(transforms, "TRANSFORMS", (named("bits-3"),))
    spec = tmp_path / "vision.toml"
    spec.write_text(
        SPEC
        + f'[request]\nurl = "{server.url}"\n[response]\nitems = "predictions"\n[budget]\nqueries = {budget}\n'
    )
    with tiny(tmp_path / "audit", model=f"http:{spec}") as subject:
        assert subject.access.level == "scores"
        parts = [part.measure(subject) for part in (transforms, attacks, black_box)]
    assert len(server.asked) <= budget
    checks = {check.id: check for part in parts for check in part.checks}
    assert "remote" in checks["transform.bits-3.adaptive_success"].why
    assert "gradients" in checks["attack.masking"].why
    cost = parts[0].transforms[0].cost
    assert cost is not None
    found = parts[2].black_box
    assert found is not None
    (scenario,) = found.scenarios
    assert scenario.access == "full"
    assert scenario.success is not None
    assert scenario.success.count == 4
    assert scenario.queries <= budget
