"""What a request may ask for: the settings that it may set, and the classifiers that it may name.

Both are lists of what is allowed. A setting that is new is refused until somebody has thought about it and put it in
one of the two tables here (tests/fooling/service/test_permitted.py asks for that): a setting that names a path, an
address or code would read this machine's files, or connect it somewhere, for whoever sends a request.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from fooling.config import Settings, resolve
from fooling.errors import InvalidError, did_you_mean
from fooling.ready_made import DEFAULT_CONFIG, names
from fooling.service.problems import ProblemError, without_paths
from fooling.service.schema import RunRequest
from fooling.text import plain

_CPPN = (
    "coordinates activations weight_rate weight_eta activation_rate add_edge delete_edge add_node delete_node"
)
_DIRECT = "mutation_rate mutation_eta mutation_halving crossover crossover_rate crossover_eta"
_ASCENT = (
    "classes starts steps steps_per_task objective start noise rule early late longest rate decay blur_radius "
    "blur_every small_norm small_contribution total_variation jitter"
)
ALLOWED = frozenset(
    {
        "classifier.views",
        *(f"encoding.{key}" for key in f"name profile size colour quantisation {_CPPN} {_DIRECT}".split()),
        *(
            f"search.{key}"
            for key in f"name generations population initial evaluations line genotype {_ASCENT}".split()
        ),
        *(f"stop.{key}" for key in ("confidence", "evaluations", "seconds")),
        *(
            f"run.{key}"
            for key in ("chunk", "threads", "layout", "batch", "compile", "evaluators", "checkpoint_seconds")
        ),
    }
)
_OWNER = "where runs are computed is said when the server starts"
REFUSED = {
    "model": "it has a field of its own, beside `set`",
    "seed": "it has a field of its own, beside `set`",
    "search.images": "it names files of the server",
    "run.address": "it names a machine; --address says it when the server starts",
    "run.workers": _OWNER,
    "run.gpus": _OWNER,
    "run.spread": _OWNER,
    "run.patience": _OWNER,
    "run.device": _OWNER,
}


def settings_of(request: RunRequest, models: Iterable[str]) -> Settings:
    """The settings of the run that a request asks for.

    Args:
        models: the SPECs that it may name.

    Raises:
        ProblemError: 403 for what it may not set or name, 422 for what is unknown, of the wrong type or out of range.
    """
    for key in request.set:
        _check_key(key)
    config = DEFAULT_CONFIG if request.config is None else request.config
    if config not in names():
        raise ProblemError(
            422, f"no config named {plain(config)}{did_you_mean(config, names())}; see GET /configs"
        )
    flags: dict[str, Any] = dict(request.set)
    if request.model is not None:
        check_model(request.model, models)
        flags["model"] = request.model
    if request.seed is not None:
        flags["seed"] = request.seed
    try:
        settings = resolve(config, (), flags)
    except InvalidError as error:
        raise ProblemError(422, re.sub(r"^--[\w.]+: ", "", without_paths(str(error)))) from None
    check_model(settings.model, models)
    return settings


def check_model(spec: str, models: Iterable[str]) -> None:
    """
    Raises:
        ProblemError: 403: a request may not name it.
    """
    known = tuple(models)
    if spec not in known:
        near = did_you_mean(spec, known)
        raise ProblemError(
            403, f"the model {plain(spec)} is none of those that this server was started with{near}"
        )


def _check_key(key: str) -> None:
    if key in ALLOWED:
        return
    if key in REFUSED:
        raise ProblemError(403, f"set: {key} can't be set by a request: {REFUSED[key]}")
    raise ProblemError(422, f"set: {plain(key)} is not a setting of a request{did_you_mean(key, ALLOWED)}")
