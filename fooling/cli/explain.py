"""`fooling explain`: why do elites fool?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from fooling.cli.look import run_argument
from fooling.cli.options import cluster_options, json_option, trust_option
from fooling.cli.results import finish, usage
from fooling.terminal import tell

if TYPE_CHECKING:
    from fooling.studies.explain.result import Origin


@click.command()
@run_argument
@click.option(
    "--class",
    "classes",
    metavar="K",
    type=int,
    multiple=True,
    help="The number of a class whose elite is explained; may be repeated (default: the ten of the highest confidence).",
)
@click.option(
    "--origin",
    type=click.Choice(["mean", "blank", "ancestor"]),
    default="mean",
    show_default=True,
    help="What is shown where a part is taken away: the image's mean colour, black, or its ancestor in generation 0.",
)
@click.option(
    "--samples",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Labelled real images, probed beside the elites.",
)
@click.option(
    "--out",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="The folder for data and page (default: explain, in the run).",
)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Of all randomness.")
@cluster_options
@trust_option
@json_option
def explain(
    directory: Path,
    classes: tuple[int, ...],
    origin: Origin,
    samples: Path | None,
    out: Path | None,
    seed: int,
    workers: int | None,
    address: str | None,
    no_wait: bool,
    trust: bool,
    as_json: bool,
) -> int:
    """Say what of an image makes the classifier sure.

    Which cells are enough, texture or layout, which frequencies, which parts of the CPPN. What was interrupted goes on
    where it was.

    \b
    Examples:
      fooling explain runs/mine
      fooling explain runs/mine --class 3 --class 7 --samples photos/
    """
    from fooling.present.explain import folder, words
    from fooling.studies.explain.result import Request
    from fooling.studies.explain.study import study
    from fooling.studies.protocol import Progress, Resources

    def report(progress: Progress) -> None:
        tell(f"{progress.done} of {progress.total}: {progress.text}")

    with usage():
        request = Request(run=directory, classes=classes, origin=origin, samples=samples, out=out, seed=seed)
    resources = Resources(trust, workers, address, not no_wait, tell)
    result = study(request, report=report, resources=resources)
    return finish(result, folder.write(result, out or directory / "explain"), words.pages, as_json)
