"""What a line begins with: an elite of a run, or random images."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import fooling.classifiers
from fooling.model_specs import known
from fooling.service.jobs import Jobs
from fooling.service.permitted import ALLOWED, check_model
from fooling.service.problems import ProblemError
from fooling.sizes import Size

if TYPE_CHECKING:
    from cppn.population import Population
    from fooling.encodings.cppn import CppnEncoding
    from fooling.encodings.settings import CppnSettings, ResolvedCppn
    from fooling.service.reading import Reader, Reading

_UNKNOWN: tuple[Size, str] = (224, "rgb")  # of a classifier that nobody here has asked yet


@dataclass(frozen=True)
class Origin:
    """What a line begins with.

    Attributes:
        address: the parts of a query that tell it, in full: they stay true when the run goes on.
        encoding: of its images.
        seed: of all randomness.
        model: the SPEC of the classifier that is asked about the images.
        views: how that is shown them; see `fooling.config.ClassifierSettings`.
        start: the genotype; None of random images.
        settings: of a run that repeats the line, by dotted key, without the line itself.
        run, number, label: the run and the class; None of random images.
    """

    address: dict[str, str]
    encoding: CppnEncoding
    seed: int
    model: str
    views: str | None
    start: Population | None
    settings: dict[str, Any]
    run: str | None = None
    number: int | None = None
    label: str | None = None

    @property
    def query(self) -> str:
        """The address as text."""
        return urlencode(self.address, safe="/:,")


def from_run(
    reader: Reader,
    models: Sequence[str],
    run: str,
    number: int,
    identity: str | None,
    seed: int,
    model: str | None,
) -> Origin:
    """A line that begins with an elite.

    Args:
        models: the SPECs that requests may name.
        run: an id.
        number: the class.
        identity: which image that was, as generation-stream-child; None: the one of now.
        model: a SPEC (default: the run's).

    Raises:
        ProblemError: 404: there is no such elite; 409: it is another one by now; 422: it is none of a CPPN, or too large.
    """
    from fooling.search.line import start

    job = reader.job(run, "run")
    reading = reader.reading(run)
    row = int(reading.view.stored_rows[number]) if reading and 0 <= number < len(reading.view.labels) else -1
    if reading is None or row < 0:
        raise ProblemError(404, "this run has no elite of that class (yet)")
    settings = reading.view.spec.config.encoding
    if settings.name != "cppn":
        raise ProblemError(422, f"from: expected a run of CPPN images, found one of {settings.name} ones")
    now = "-".join(map(str, reading.view.ids[number].tolist()))
    if identity not in (None, now):
        raise ProblemError(
            409, f"the run has found another image of that class since; begin with from={run}/{number}"
        )
    genotype = reading.view.archive.genotypes.take([row])
    with reader.explained():
        text = start.to_text(genotype)
    address = {"from": f"{run}/{number}/{now}", **({"seed": str(seed)} if seed else {})}
    if model is not None and model != job.model:
        check_model(model, models)
        address["model"] = model
    own = _settings(reading, settings, model in (None, job.model))
    return Origin(
        address, _encoding(reading, settings), seed, model or job.model, reading.view.spec.config.classifier.views,
        genotype, {**own, "search.genotype": text}, run, number, reading.view.labels[number],
    )  # fmt: skip


def from_seed(
    reader: Reader, jobs: Jobs, models: Sequence[str], seed: int, model: str | None, colour: str | None
) -> Origin:
    """A line that begins with random images.

    Args:
        models: the SPECs that requests may name.
        model: one of them (default: the first).
        colour: of the encoding (default: what suits the classifier, where that is known).

    Raises:
        ProblemError: 403: a request may not name the model; 422: there is no such colour.
    """
    from fooling import encodings
    from fooling.encodings.cppn import CppnEncoding
    from fooling.encodings.settings import CppnSettings, ResolvedCppn
    from fooling.sizes import channels_of

    if model is None:
        model = next(iter(models), "builtin:lenet")
    check_model(model, models)
    size, sees = _sees(reader, jobs, model)
    settings: CppnSettings = (
        CppnSettings() if colour is None else CppnSettings.model_validate({"colour": colour})
    )
    resolved = encodings.resolve(settings, size, "rgb" if colour not in (None, "grey") else sees)
    assert isinstance(resolved, ResolvedCppn)
    channels = 3 if resolved.colour != "grey" else channels_of(sees)
    address = {"seed": str(seed), "model": model, "colour": resolved.colour}
    return Origin(
        address,
        CppnEncoding(resolved, channels),
        seed,
        model,
        None,
        None,
        {"encoding.colour": resolved.colour},
    )


def _encoding(reading: Reading, settings: ResolvedCppn) -> CppnEncoding:
    from fooling.encodings.cppn import CppnEncoding
    from fooling.sizes import channels_of

    return CppnEncoding(settings, channels_of(reading.view.spec.classifier.spec.colour))


def _settings(reading: Reading, settings: ResolvedCppn, at_home: bool) -> dict[str, Any]:
    """The settings of a run that has such images, where they are not the defaults."""
    from fooling.encodings.settings import CppnSettings

    usual = CppnSettings(profile=settings.profile).model_dump(mode="json")
    found = {
        f"encoding.{key}": value
        for key, value in settings.model_dump(mode="json").items()
        if value != usual[key] and (key != "size" or at_home)
    }
    found["encoding.profile"] = settings.profile
    if at_home and (views := reading.view.spec.config.classifier.views) is not None:
        found["classifier.views"] = views
    return {key: value for key, value in found.items() if key in ALLOWED}


def _sees(reader: Reader, jobs: Jobs, model: str) -> tuple[Size, str]:
    """Size and colour of the images that a classifier takes, as far as that is known without loading it."""
    if model in known():
        return _builtin(model)
    for job in jobs.list(kind="run", model=model, limit=5).items:
        try:
            reading = reader.reading(job.id)
        except ProblemError:
            continue
        if reading is not None:
            spec = reading.view.spec.classifier.spec
            return spec.size, spec.colour
    return _UNKNOWN


@lru_cache(maxsize=32)
def _builtin(model: str) -> tuple[Size, str]:
    path = Path(fooling.classifiers.__file__).parent / "weights" / f"{model.partition(':')[2]}.json"
    told = json.loads(path.read_text(encoding="utf-8"))
    return told["size"], told["colour"]
