"""A report: what an audit found, what follows from it, and what it was made with. docs/audit.schema.json is its schema."""

from __future__ import annotations

import hashlib
import json
import platform
import shlex
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from fooling.errors import InvalidError, NotFoundError
from fooling.files import json_bytes
from fooling.studies.audit.gating import Gate, Rule, expect_possible, gate
from fooling.studies.audit.request import Request
from fooling.studies.audit.result import KIND, Result
from fooling.untrusted import parse_json, read_plain
from fooling.validation import Data
from fooling.version import __version__

LARGEST = 256 * 2**20  # bytes of a report that is read
_LIBRARIES = ("torch", "numpy", "scipy", "pillow")


class Made(Data):
    """When and with what a report was made.

    Attributes:
        date: in UTC, ISO 8601.
        version: of this software.
        python, platform: of the machine.
        libraries: versions that numbers depend on.
        command: what makes the report again.
    """

    date: str
    version: str
    python: str
    platform: str
    libraries: dict[str, str]
    command: str


class Report(Result):
    """What an audit found, what follows from it, and what it was made with.

    Attributes:
        made: when and with what.
        gate: verdict and exit code by the rules that were asked for, and against an earlier report.
    """

    made: Made
    gate: Gate


def rules_of(texts: Sequence[str]) -> list[Rule]:
    """Rules, as they are written on a command line, that some report can satisfy.

    Raises:
        InvalidError: what is no rule, or names what no report has.
    """
    rules = [Rule.parse(text) for text in texts]
    expect_possible(rules, Report, names())
    return rules


def read_earlier(path: Path) -> tuple[dict[str, Any], str]:
    """An earlier report's document, and the SHA-256 of its file.

    Raises:
        NotFoundError: no such file.
        InvalidError: it is no report.
    """
    try:
        data = read_plain(path, LARGEST)
    except OSError as error:
        raise NotFoundError(f"{path}: expected an earlier report: {error.strerror}") from None
    found = parse_json(data, str(path))
    if not isinstance(found, dict) or found.get("kind") != KIND or not isinstance(found.get("checks"), list):
        raise InvalidError(f"{path}: expected a report of an audit (report.json), found something else")
    return found, hashlib.sha256(data).hexdigest()


def report_of(
    result: Result,
    request: Request,
    rules: Sequence[Rule] = (),
    earlier: tuple[dict[str, Any], str] | None = None,
) -> Report:
    """The report of a result.

    Args:
        rules: what must not be.
        earlier: an earlier report's document and digest.

    Raises:
        InvalidError: a rule names what the report does not have.
    """
    found = result.document()
    held = gate(found, rules, *(earlier or (None, None)))
    return Report.model_validate(
        {**found, "made": made(request).document(), "gate": held.document()}, strict=False
    )


def made(request: Request) -> Made:
    """When and with what a report of a request is made: here and now."""
    return Made(
        date=datetime.now(UTC).isoformat(timespec="seconds"),
        version=__version__,
        python=platform.python_version(),
        platform=f"{platform.system()} {platform.machine()}",
        libraries={name: metadata.version(name) for name in _LIBRARIES},
        command=command_of(request),
    )


def command_of(request: Request, *besides: str) -> str:
    """The command line that makes a report of a request.

    Args:
        besides: further options.
    """
    words = ["fooling", "audit", request.model]
    for option, values in (
        ("--samples", [request.samples]),
        ("--ood", [request.ood]),
        ("--run", request.runs),
        ("--other", request.others),
        ("--layer", [request.layer]),
        ("--part", request.parts),
        ("--fail-on", request.fail_on),
        ("--baseline", [request.baseline]),
    ):
        for value in values:
            if value is not None:
                words += [option, str(value)]
    if request.depth != "normal":
        words.append(f"--{request.depth}")
    if request.seed:
        words += ["--seed", str(request.seed)]
    return shlex.join([*words, *besides])


def digest_of(report: Report) -> str:
    """SHA-256 of a report's JSON, as it is written: what a signature outside of this software covers."""
    return hashlib.sha256(json_bytes(report.document())).hexdigest()


def schema() -> str:
    """The JSON Schema of `document()` of a report."""
    found = Report.model_json_schema(by_alias=True, mode="serialization")
    return json.dumps(found, indent=1, ensure_ascii=False) + "\n"


def names() -> dict[str, list[str]]:
    """Names of the members of lists that are fixed, by the list's key."""
    from fooling.studies.audit.detectors.catalogue import DETECTORS
    from fooling.studies.audit.transforms.filters import TRANSFORMS

    return {
        "detectors": [detector.name for detector in DETECTORS],
        "transforms": [transform.name for transform in TRANSFORMS],
    }
