"""`fooling models`: which classifiers there are, what is known of one, and whether it can be trusted."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fooling.cli.named import ModelSpec
from fooling.cli.options import json_option
from fooling.errors import InvalidError
from fooling.terminal import say, say_json

if TYPE_CHECKING:
    from fooling.classifiers import Classifier

trust_option = click.option("--trust", is_flag=True, help="Let the model bring code of its own.")


@click.group()
def models() -> None:
    """List classifiers, describe one, or check one.

    \b
    Examples:
      fooling models list
      fooling models check file:mine.toml --samples photos
    """


@models.command("list")
@json_option
def list_models(as_json: bool) -> int:
    """List the classifiers that come along, and other sources.

    \b
    Examples:
      fooling models list
      fooling models list --json
    """
    from fooling import classifiers
    from fooling.model_specs import FORMS
    from fooling.sizes import to_text

    rows = [_facts(classifiers.load(spec), spec) for spec in classifiers.known()]
    if as_json:
        say_json(rows)
        return 0
    for row in rows:
        say(f"{row['model']:20} {row['classes']} classes, {to_text(row['size'])} {row['colour']}, "
                   f"accuracy {row['accuracy']:.2%}")  # fmt: skip
    say(f"others: {', '.join(FORMS)} (docs/models.md)")
    return 0


@models.command()
@click.argument("spec", type=ModelSpec(), metavar="SPEC")
@trust_option
@json_option
def info(spec: str, trust: bool, as_json: bool) -> int:
    """Say what is known of the classifier SPEC.

    \b
    Examples:
      fooling models info builtin:lenet
    """
    from fooling import classifiers

    facts = _facts(classifiers.load(spec, trust=trust), spec)
    if as_json:
        say_json(facts)
        return 0
    for key, value in facts.items():
        say(f"{key:15} {_brief(value)}")
    return 0


@models.command()
@click.argument("spec", type=ModelSpec(), metavar="SPEC")
@click.option(
    "--samples",
    metavar="PATH",
    type=click.Path(path_type=Path),
    help="Labelled images, for the accuracy: class folders, a CSV, an .npz, or MNIST's files (docs/models.md).",
)
@trust_option
@json_option
def check(spec: str, samples: Path | None, trust: bool, as_json: bool) -> int:
    """Look for what is wrong with the classifier SPEC.

    Every run does so before it begins. Exits with 3 where something failed.

    \b
    Examples:
      fooling models check file:mine.toml --samples photos
      fooling models check python:mine:build --trust
    """
    from dataclasses import asdict

    from fooling import classifiers
    from fooling.classifiers.check import check as examine
    from fooling.classifiers.samples import read

    classifier = classifiers.load(spec, trust=trust)
    report = examine(classifier, None if samples is None else read(samples, classifier.spec))
    verdict = "failed" if report.failures else "passed"
    if as_json:
        findings = [asdict(finding) for finding in report.findings]
        say_json({"model": spec, "verdict": verdict, "notes": classifier.notes, "findings": findings})
    else:
        for note in classifier.notes:
            say(f"note: {note}")
        for finding in report.findings:
            say(f"{finding.status:8} {finding.name:11} {finding.message}")
        say(f"{spec} {verdict}")
    return InvalidError.exit_code if report.failures else 0


def _facts(classifier: Classifier, spec: str) -> dict[str, Any]:
    data = classifier.spec.model_dump(mode="json")
    return {
        "model": spec,
        "name": data["name"],
        "classes": len(classifier.labels),
        **{
            key: data[key]
            for key in (
                "size",
                "colour",
                "output",
                "confidence",
                "preprocessing",
                "accuracy",
                "source",
                "licence",
            )
        },
        "differentiable": classifier.differentiable,
        "fingerprint": classifier.fingerprint,
        "notes": list(classifier.notes),
        "labels": data["labels"],
        "groups": {name: len(members) for name, members in data["groups"].items()},
    }


def _brief(value: Any) -> str:
    """A value in one line."""
    if isinstance(value, dict):
        return ", ".join(f"{k} {_brief(v)}" for k, v in value.items() if v is not None) or "-"
    if isinstance(value, list):
        shown = ", ".join(map(str, value[:10]))
        return shown + (f", ... ({len(value)} in all)" if len(value) > 10 else "")
    return "-" if value is None else str(value)
