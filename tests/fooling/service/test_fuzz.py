"""Requests that nobody would write, made from the OpenAPI document: whatever comes, the server has an answer for it."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fooling.service.conftest import UNKNOWN, Service
from tests.fooling.service.test_attacks import check_headers

_TEXTS = st.one_of(
    st.text(max_size=30),
    st.sampled_from(
        [
            "mnist-cppn",
            "builtin:lenet",
            "transfer",
            "compare",
            "audit",
            "../..",
            "/etc/passwd",
            "file:/etc/passwd",
            "\x00",
            UNKNOWN,
        ]
    ),
)
_LEAVES = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), _TEXTS)


def _json(names: list[str]) -> st.SearchStrategy[Any]:
    """JSON whose keys are mostly those of the API and of the settings."""
    keys = st.one_of(st.sampled_from(names), st.text(max_size=10))
    return st.recursive(
        _LEAVES,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=5),
        max_leaves=12,
    )


_BODIES = _json(
    ["config", "model", "seed", "set", "label", "kind", "runs", "to", "run", "classes", "min_confidence", "rerender",
     "search.generations", "search.name", "encoding.name", "encoding.size", "search.classes", "run.batch", "stop.seconds"]
)  # fmt: skip


@given(data=st.data())
@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_request_is_a_defect(service: Service, data: st.DataObject) -> None:
    """A failure is an answer of 500, or one that tells of this machine."""
    paths = service.app.openapi()["paths"]
    path = data.draw(st.sampled_from(sorted(paths)))
    method = data.draw(st.sampled_from(sorted(paths[path])))
    operation = paths[path][method]
    url = path
    query: dict[str, str] = {}
    headers: dict[str, str] = {}
    for parameter in operation.get("parameters", []):
        name, place = parameter["name"], parameter["in"]
        if place == "path":
            known = {
                "id": [UNKNOWN] if method != "get" else [service.run, UNKNOWN],
                "class": ["3", "9", "99"],
                "place": ["0", "1", "99"],
            }.get(name, ["0"])
            url = url.replace(f"{{{name}}}", data.draw(st.sampled_from(known)))
        elif data.draw(st.booleans()):
            value = data.draw(st.one_of(_TEXTS, st.integers().map(str), st.floats().map(str)))
            if place == "query":
                query[name] = value
            elif value.isascii() and value.isprintable():
                headers[name] = value
    if path == "/api/v1/events":
        query["seconds"] = "0"  # else it never ends
    content: bytes | None = None
    if method == "post":
        found = data.draw(_BODIES)
        if isinstance(found, dict) and found.get("config", "x") is not None and "config" not in found:
            found["config"] = "nothing"  # so that nothing is launched
        content = json.dumps(found).encode("utf-8", "surrogatepass")
        headers["content-type"] = "application/json"
    response = service.client.request(method, url, params=query, content=content, headers=headers)
    assert response.status_code < 500, (method, url, response.text)
    check_headers(response)
    assert str(service.root) not in response.text
    assert "Traceback" not in response.text
