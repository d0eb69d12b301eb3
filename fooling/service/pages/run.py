"""A run: what it is and how far it is. What it has found, the page fetches from the API."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter

from fooling.confidence import BANDS, VACANT
from fooling.errors import FoolingError
from fooling.present.facts import facts_of
from fooling.service.context import Context, Shared
from fooling.service.pages.drawing import page
from fooling.service.problems import data_without_paths, without_paths
from fooling.service.schema import Answer, Id, Job
from fooling.sizes import sides

if TYPE_CHECKING:
    from fooling.store.spec import RunSpec

router = APIRouter()
Rows = list[tuple[str, str]]


class Begun(Answer):
    """What a run is, by its manifest.

    Attributes:
        facts: in words.
        config: every resolved setting, by its dotted key.
        numerics: how the classifier computes.
        versions: of the software that it began with.
        width, height: of the images in pixels.
        classes: how many the search is for.
    """

    facts: Rows
    config: Rows
    numerics: Rows
    versions: Rows
    width: int
    height: int
    classes: int


class RunPage(Answer):
    """A run.

    Attributes:
        job: how it stands.
        begun: what it is; null before it has begun.
        said: what people recognised in its elites, in sentences.
        damaged: why its directory can't be read; "" where it can.
        bands: of confidences: a name and the lowest of each.
        vacant: what is said of a class without an elite.
    """

    job: Job
    begun: Begun | None
    said: tuple[str, ...] = ()
    damaged: str
    bands: tuple[tuple[str, float], ...] = tuple((band.name, band.low) for band in BANDS)
    vacant: str = VACANT


@page(router, "/runs/{id}", "run.html.j2")
def run(id: Id, shared: Shared) -> RunPage:
    """The page of a run."""
    job = shared.reader.job(id, "run")
    try:
        return RunPage(job=job, begun=_begun(shared, id), said=tuple(shared.blind.said(id)), damaged="")
    except FoolingError as error:
        return RunPage(job=job, begun=None, damaged=without_paths(str(error), str(shared.settings.root)))


def _begun(shared: Context, id: str) -> Begun | None:
    from fooling.store import manifest

    with shared.reader.explained():
        directory = shared.jobs.directory(id)
    if not (directory / "manifest.json").is_file():
        return None
    spec = manifest.read(directory / "manifest.json", directory)
    return Begun.model_validate(data_without_paths(_told(spec), str(shared.settings.root)))


def _told(spec: RunSpec) -> dict[str, Any]:
    height, width = sides(spec.config.encoding.size)
    written = spec.model_dump(mode="json", include={"config", "numerics"})
    return {
        "facts": facts_of(spec),
        "config": list(_flat(written["config"])),
        "numerics": list(_flat(written["numerics"])),
        "versions": [
            *spec.versions.items(),
            *(("operator " + name, text) for name, text in spec.operators.items()),
        ],
        "width": width,
        "height": height,
        "classes": len(spec.config.search.target_classes(len(spec.classifier.spec.labels))),
    }


def _flat(settings: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, str]]:
    """Settings by dotted keys."""
    for name, value in settings.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{before}{name}.")
        elif value is not None:
            yield f"{before}{name}", str(value).lower() if isinstance(value, bool) else str(value)[:500]
