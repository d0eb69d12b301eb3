"""`fooling audit`: how easily is a classifier fooled, and would anything notice?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from fooling.cli.named import ModelSpec
from fooling.cli.options import cluster_options, json_option, quiet_option, trust_option
from fooling.cli.results import usage
from fooling.errors import PARTLY
from fooling.terminal import draw, say, say_json, tell

_PATH = click.Path(path_type=Path)


@click.command()
@click.argument("model", metavar="SPEC", type=ModelSpec())
@click.option("--samples", metavar="DIR", type=_PATH, help="Labelled real images: class folders, a CSV, IDX files, an "
              ".npz. Without them, detectors and costs can't be measured.")  # fmt: skip
@click.option("--ood", metavar="DIR", type=_PATH, help="Natural images that show none of the classes.")
@click.option("--run", "runs", metavar="RUN", multiple=True, type=_PATH, help="Use the elites of this run in place of "
              "runs that the audit would begin.")  # fmt: skip
@click.option("--other", "others", metavar="SPEC", multiple=True, type=ModelSpec(), help="Another classifier of the "
              "same classes: for transfer, and to ask what it sees in the images.")  # fmt: skip
@click.option("--quick", "depth", flag_value="quick", help="A first look: smaller searches, in minutes.")
@click.option(
    "--deep", "depth", flag_value="deep", help="Large searches, for hours; says first what they will take."
)
@click.option("--part", "parts", metavar="PART", multiple=True, help="Measure only this part (default: all).")
@click.option("--layer", metavar="NAME", help="The layer whose output detectors read (default: what the last linear "
              "layer is given).")  # fmt: skip
@click.option("--seed", type=click.IntRange(0, 2**63 - 1), default=0, show_default=True)
@click.option("--fail-on", "rules", metavar="RULE", multiple=True, help="What must not be, like "
              '"detector.energy.adaptive_success>=0.1", or "fail" for any check that fails: exit code 6.')  # fmt: skip
@click.option("--baseline", metavar="FILE", type=_PATH, help="An earlier report.json: only what fails now and did not "
              "then counts.")  # fmt: skip
@click.option("--out", metavar="DIR", type=_PATH, help="The folder for the report and what it rests on; an audit that "
              "was begun there goes on (default: in audits/, by model, depth and seed).")  # fmt: skip
@cluster_options
@trust_option
@quiet_option
@json_option
def audit(
    model: str,
    depth: str | None,
    rules: tuple[str, ...],
    baseline: Path | None,
    out: Path | None,
    workers: int | None,
    address: str | None,
    no_wait: bool,
    trust: bool,
    quiet: bool,
    as_json: bool,
    **asked: Any,
) -> int:
    """Audit a classifier before you trust it.

    How easily is it fooled, would anything notice, and what should be done? Evolves fooling images against it, and against each detector and filter that might stop them, and writes one page to
    decide by and one file to gate by. Everything that can't be measured is named, with the reason.

    \b
    Examples:
      fooling audit builtin:lenet --samples mnist/ --quick
      fooling audit file:mine.toml --samples photos/ --other torchvision:resnet50
      fooling audit file:mine.toml --samples photos/ --fail-on "detector.knn.adaptive_success>=0.1"
    """
    from fooling.present.audit import folder, table
    from fooling.studies.audit.request import Request
    from fooling.studies.audit.study import study
    from fooling.studies.protocol import Progress, Resources

    place = out or folder.default(model, depth or "normal", asked["seed"])
    with usage():
        request = Request(
            model=model,
            depth=depth or "normal",  # type: ignore[arg-type]  # Request says which there are
            fail_on=rules,
            baseline=baseline,
            out=place,
            **asked,
        )
    resources = Resources(trust, workers, address, not no_wait, tell)

    def progress(step: Progress) -> None:
        if not quiet:
            tell(f"part {min(step.done + 1, step.total)} of {step.total}: {step.text}")

    if depth == "deep" and not quiet:
        from fooling.studies.audit.foretelling import foretold

        tell(foretold(request, resources))
    found = study(request, report=progress, resources=resources)
    files = folder.write(found, place)
    if as_json:
        say_json(found.document())
    else:
        draw(*table.pages(found))
        for file in files:
            say(file)
    tell(found.gate.text)
    return found.gate.exit_code or (PARTLY if found.failures else 0)
