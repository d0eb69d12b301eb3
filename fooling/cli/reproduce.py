"""`fooling reproduce`: the paper's experiments, each with its numbers beside the paper's."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fooling.cli.named import ModelSpec
from fooling.cli.options import json_option, quiet_option
from fooling.errors import INTERRUPTED, PARTLY, Interrupted
from fooling.terminal import draw, say, say_json, tell

if TYPE_CHECKING:
    from fooling.reproduce.catalogue import Experiment
    from fooling.reproduce.session import Done


@click.command()
@click.argument("experiments", metavar="[EXPERIMENT ...]", nargs=-1)
@click.option("--quick", is_flag=True, help="3 seeds, 100 generations, smaller sizes: under 20 minutes.")
@click.option(
    "--seeds", type=click.IntRange(min=3), help="Seeds of each kind of run (default: 5; --quick: 3)."
)
@click.option(
    "--data",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="A folder with mnist/ (IDX files) and cifar10/cifar10.npz, for retraining (default: $FOOLING_ASSETS).",
)
@click.option("--model", type=ModelSpec(), help="An ImageNet classifier, for the experiments that need one.")
@click.option("--trust", is_flag=True, help="Let the model bring code of its own.")
@click.option(
    "--out",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Where runs, results and the page go (default: reproduction, or reproduction-quick).",
)
@click.option("--list", "listing", is_flag=True, help="List the experiments and what the paper found.")
@quiet_option
@json_option
def reproduce(
    experiments: tuple[str, ...],
    quick: bool,
    seeds: int | None,
    data: Path | None,
    model: str | None,
    trust: bool,
    out: Path | None,
    listing: bool,
    quiet: bool,
    as_json: bool,
) -> int:
    """Do the paper's experiments again.

    Each has the paper's numbers beside ours, a test, and a verdict. Without names: those on digits, at the full scale those on CIFAR-10 too, those on ImageNet with --model.
    Interrupted and started again it goes on where it was.

    \b
    Examples:
      fooling reproduce --list
      fooling reproduce --quick mnist-cppn mnist-direct
    """
    from fooling.reproduce.catalogue import EXPERIMENTS, chosen

    if listing:
        _list(EXPERIMENTS)
        return 0
    wanted = chosen(experiments, model, quick)
    from fooling.reproduce import page
    from fooling.reproduce.session import kept, perform
    from fooling.reproduce.workspace import Scale, open_workspace

    folder = out or Path("reproduction-quick" if quick else "reproduction")
    options: dict[str, Any] = {"data": data, "model": model, "trust": trust}
    if not quiet:
        options["say"] = tell
    with open_workspace(folder, Scale.of(quick, seeds), **options) as workspace:
        try:
            done = perform(workspace, wanted, lambda one: None if quiet else _tell(one))
        except (Interrupted, KeyboardInterrupt):
            tell(f"interrupted; go on with the same command, or with --out {folder}")
            return INTERRUPTED
        others = [one for one in EXPERIMENTS if one not in wanted]
        everything = sorted([*done, *kept(folder, others)], key=lambda one: EXPERIMENTS.index(one.experiment))
        command = _command(quick, seeds, model, trust, everything)
        files = page.write(workspace, everything, command)
        document = page.document(workspace, done, command)
    if as_json:
        say_json(document)
    elif not quiet:
        _print(done, files)
    for one in done:
        if one.result.verdict == "open":
            tell(f"warning: {one.experiment.name} is open: {one.result.why}")
    return PARTLY if any(one.result.verdict == "open" for one in done) else 0


def _command(quick: bool, seeds: int | None, model: str | None, trust: bool, done: list[Done]) -> str:
    """What makes this page anew: nothing in it depends on where."""
    from fooling.reproduce.catalogue import chosen

    words = ["fooling", "reproduce"]
    names = [one.experiment.name for one in done]
    if names != [experiment.name for experiment in chosen((), model, quick)]:
        words += names
    words += ["--quick"] * quick + (["--seeds", str(seeds)] if seeds else [])
    words += ["--model", model] if model else []
    return shlex.join(words + ["--trust"] * trust)


def _list(experiments: tuple[Experiment, ...]) -> None:
    from rich.padding import Padding

    from fooling.present.listing import words

    for experiment in experiments:
        lack = "" if experiment.needs == "nothing" else f"  (needs {_NEEDS[experiment.needs]})"
        draw(words("").append(experiment.name, "bold").append(lack))
        draw(Padding(experiment.claim, (0, 0, 0, 4)))


_NEEDS = {"mnist": "--data with MNIST", "cifar10": "--data with CIFAR-10", "model": "--model"}


def _tell(one: Done) -> None:
    tell(f"{one.experiment.name}: {one.result.verdict}")


def _print(done: list[Done], files: list[Path]) -> None:
    from fooling.present.listing import listing, words
    from fooling.reproduce.catalogue import UNVERIFIED

    table = listing()
    for heading in ("experiment", "", "the paper (unverified)", "here"):
        table.add_column(heading, overflow="fold")
    for one in done:
        name: str = one.experiment.name
        for row in one.result.rows:
            table.add_row(words(name, style="bold"), row.quantity, row.paper, row.ours)
            name = ""
        table.add_row(words(name, style="bold"), "verdict", "", words(one.result.verdict, style="bold"))
        table.add_section()
    draw(table, piped=120)
    draw(words(UNVERIFIED))
    for file in files:
        say(file)
