"""The page that launches a run. What it asks for comes from the settings' own models (`fooling.service.forms`)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Annotated, Any

from fastapi import APIRouter, Query

from fooling.config import ResolvedSettings, Settings, resolve
from fooling.ready_made import DEFAULT_CONFIG
from fooling.service.context import Context, Shared
from fooling.service.forms import Field, Value, Variant, fields, variants
from fooling.service.pages.drawing import page
from fooling.service.permitted import ALLOWED
from fooling.service.routes.about import ready_made
from fooling.service.schema import Answer, Id, RunRequest
from fooling.store.spec import RunSpec

router = APIRouter()
_HOUR = 3600.0
_SAFE = 2**53 - 1  # the largest integer that a browser has exactly


class Base(Answer):
    """A ready-made config that a form may begin with.

    Attributes:
        model: its classifier; "" where it leaves that to the form.
        values: of every setting that it has, by key.
    """

    config: str
    about: str
    encoding: str
    search: str
    model: str
    values: dict[str, Value]


class Preset(Answer):
    """A form that is filled in.

    Attributes:
        own: a config for a classifier that does not come along, where that is another one.
    """

    name: str
    title: str
    about: str
    config: str
    own: str
    set: dict[str, Value]


class NewPage(Answer):
    """A form.

    Attributes:
        models: classifiers that it may name.
        start: what is in it at first.
        note: where that comes from.
    """

    fields: list[Field]
    variants: list[Variant]
    models: list[str]
    bases: list[Base]
    presets: list[Preset]
    start: RunRequest
    note: str


PRESETS = (
    Preset(
        name="first-look",
        title="A first look",
        about="A hundred generations of CPPN images: enough to see patterns turn into what the classifier is sure of.",
        config="mnist-cppn",
        own="imagenet-cppn",
        set={"search.generations": 100},
    ),
    Preset(
        name="overnight",
        title="Overnight",
        about="As many generations as fit into eight hours. It may be paused, and shows what it has at any time.",
        config="mnist-cppn",
        own="imagenet-cppn",
        set={"search.generations": 1_000_000, "stop.seconds": 8 * _HOUR},
    ),
    Preset(
        name="paper",
        title="The paper",
        about="As the released code of Nguyen, Yosinski and Clune (2015) makes its images, quirks included.",
        config="mnist-cppn-released",
        own="imagenet-cppn-released",
        set={},
    ),
)


@page(router, "/new", "new.html.j2")
def new(
    shared: Shared,
    start: Annotated[Id | None, Query(alias="from", description="a run to begin with")] = None,
    preset: Annotated[str | None, Query(max_length=40)] = None,
) -> NewPage:
    """The form, empty, of a preset, or of a run that is there."""
    request, note = _first(shared.settings.models), ""
    if start is not None:
        request, note = _of_run(shared, start)
    elif (chosen := next((each for each in PRESETS if each.name == preset), None)) is not None:
        request = _of_preset(chosen, request.model or "")
    return NewPage(
        fields=list(fields()),
        variants=list(variants()),
        models=list(shared.settings.models),
        bases=list(_bases(shared.settings.models)),
        presets=list(PRESETS),
        start=request,
        note=note,
    )


def _first(models: tuple[str, ...]) -> RunRequest:
    """Whoever gave the server a classifier wants to fool that one."""
    model = next((spec for spec in models if not spec.startswith("builtin:")), models[0] if models else None)
    config = DEFAULT_CONFIG if model is None or model.startswith("builtin:") else "imagenet-cppn"
    return RunRequest(config=config, model=model, seed=0)


def _of_preset(preset: Preset, model: str) -> RunRequest:
    given = {key: value for key, value in preset.set.items() if value is not None}
    config = preset.config if model.startswith("builtin:") else preset.own
    return RunRequest(config=config, model=model, seed=0, set=given)


def _of_run(shared: Context, id: str) -> tuple[RunRequest, str]:
    """The settings of a run, with the next seed: with its own it would find the same images once more."""
    job = shared.reader.job(id, "run")
    seed = job.seed if job.seed is not None else 0
    following = seed + 1 if seed < _SAFE else 0
    note = f"The settings of {job.label or job.name}, with another seed: with {seed} it would find the same images again."
    told = {key: value for key, value in job.request.items() if key in ("config", "set")}
    if not job.ours:
        told = _of_manifest(shared, id)
    request = RunRequest.model_validate_json(json.dumps({**told, "model": job.model, "seed": following}))
    return request, note


def _of_manifest(shared: Context, id: str) -> dict[str, Any]:
    """A config and the settings that differ from it, of a run that the service was not asked for."""
    reading = shared.reader.glance(id)
    if reading is None:
        return {}
    spec: RunSpec = reading.view.spec
    encoding, search = spec.config.encoding.name, spec.config.search.name
    bases = _bases(shared.settings.models)
    base = next((each for each in bases if (each.encoding, each.search) == (encoding, search)), None)
    if base is None:
        return {}
    # A manifest has everything filled in that follows from the classifier and from other settings.
    seen, values = spec.classifier.spec, _values(spec.config)

    def filled_in(given: dict[str, Any]) -> dict[str, Value]:
        settings = resolve(base.config, flags={"model": spec.model, **given}, environment={})
        return _values(ResolvedSettings.of(settings, seen.size, seen.colour, len(seen.labels)))

    usual = filled_in({})
    changed: dict[str, Any] = {
        key: value for key, value in values.items() if value not in (None, usual.get(key))
    }
    for key in [key for key in changed if base.values.get(key) is None]:
        rest = {other: value for other, value in changed.items() if other != key}
        if filled_in(rest) == values:
            changed = rest
    return {"config": base.config, "set": changed}


@lru_cache(maxsize=4)
def _bases(models: tuple[str, ...]) -> tuple[Base, ...]:
    """The configs that requests may launch, the usual ones first."""
    wanted = {(variant.table, variant.name) for variant in variants()}
    found = []
    for name, about, model in ready_made():
        if model not in ("", *models):
            continue
        settings = resolve(name, flags={} if model else {"model": "builtin:lenet"}, environment={})
        encoding, search = settings.encoding.name, settings.search.name
        if {("encoding", encoding), ("search", search)} <= wanted:
            values = _values(settings)
            found.append(
                Base(config=name, about=about, encoding=encoding, search=search, model=model, values=values)
            )
    return tuple(
        sorted(found, key=lambda base: (base.config != DEFAULT_CONFIG, len(base.config), base.config))
    )


def _values(settings: Settings) -> dict[str, Value]:
    """The settings that a request may have, by key."""
    told: Mapping[str, Any] = settings.model_dump(mode="json")
    return {
        f"{table}.{name}": value
        for table, values in told.items()
        if isinstance(values, Mapping)
        for name, value in values.items()
        if f"{table}.{name}" in ALLOWED and name != "name"
    }
