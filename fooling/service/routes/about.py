"""What there is to ask for, and how the server is."""

from __future__ import annotations

import tomllib
from functools import lru_cache

from fastapi import APIRouter, Response

from fooling.ready_made import config_directory, names
from fooling.service.context import Shared
from fooling.service.problems import ProblemError
from fooling.service.schema import Config, Configs, Health, Login, Model, Models

router = APIRouter(tags=["about"])


@router.get("/models")
def models(shared: Shared) -> Models:
    """The classifiers that requests may name: those that the server was started with."""
    return Models(items=[Model(spec=spec) for spec in shared.settings.models])


@router.get("/configs")
def configs(shared: Shared) -> Configs:
    """The ready-made configs."""
    allowed = ("", *shared.settings.models)
    return Configs(
        items=[
            Config(name=name, description=description, model=model, launchable=model in allowed)
            for name, description, model in ready_made()
        ]
    )


@router.get("/healthz")
def healthz() -> Health:
    """That the server answers; it takes no token and tells nothing else."""
    return Health()


@router.get("/readyz", responses={503: {"description": "the folder can't be read"}})
def readyz(shared: Shared) -> Health:
    """That the server can read its folder; it takes no token and tells nothing else."""
    try:
        shared.jobs.list(limit=1)
    except Exception:
        raise ProblemError(503, "the folder can't be read") from None
    return Health()


@router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
def metrics(shared: Shared) -> Response:
    """For a Prometheus server."""
    return Response(shared.metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8")


@router.post("/logins", status_code=201)
def login(shared: Shared) -> Login:
    """A link that logs a browser in, once, within the hour."""
    return Login(login=shared.login_url())


@lru_cache(maxsize=1)
def ready_made() -> tuple[tuple[str, str, str], ...]:
    """Name, description and classifier of each."""
    found = []
    for name in names():
        text = (config_directory() / f"{name}.toml").read_text(encoding="utf-8")
        lines = [line.removeprefix("#").strip() for line in text.splitlines()]
        head = lines[: next((n for n, line in enumerate(text.splitlines()) if not line.startswith("#")), 0)]
        found.append((name, " ".join(head), str(tomllib.loads(text).get("model", "builtin:lenet"))))
    return tuple(found)
