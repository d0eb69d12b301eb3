"""`fooling reproduce`: the paper's experiments, each with its numbers beside the paper's."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fooling.cli.evolve import json_option, quiet_option
from fooling.errors import INTERRUPTED, PARTLY

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
@click.option("--model", metavar="SPEC", help="An ImageNet classifier, for the experiments that need one.")
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
    """Do the paper's experiments again: its numbers beside ours, a test, a verdict.

    Without names: those on digits, at the full scale those on CIFAR-10 too, those on ImageNet with --model.
    Interrupted and started again it goes on where it was.
    """
    from fooling.reproduce.catalogue import EXPERIMENTS, chosen

    if listing:
        _list(EXPERIMENTS)
        return 0
    wanted = chosen(experiments, model, quick)
    from fooling.reproduce import page
    from fooling.reproduce.laboratory import Laboratory, Scale, Stopped
    from fooling.reproduce.session import kept, perform

    say = (lambda _: None) if quiet else (lambda line: click.echo(line, err=True))
    folder = out or Path("reproduction-quick" if quick else "reproduction")
    laboratory = Laboratory(
        folder, Scale.of(quick, seeds), data=data, model=model, trust=trust, say=say
    )  # fmt: skip
    try:
        done = perform(laboratory, wanted, lambda one: None if quiet else _tell(one))
    except (Stopped, KeyboardInterrupt):
        click.echo(f"interrupted; go on with the same command, or with --out {folder}", err=True)
        return INTERRUPTED
    others = [one for one in EXPERIMENTS if one not in wanted]
    everything = sorted([*done, *kept(folder, others)], key=lambda one: EXPERIMENTS.index(one.experiment))
    command = _command(quick, seeds, model, trust, everything)
    files = page.write(laboratory, everything, command)
    if as_json:
        click.echo(json.dumps(page.document(laboratory, done, command), ensure_ascii=False, allow_nan=False))
    elif not quiet:
        _print(done, files)
    for one in done:
        if one.result.verdict == "open":
            click.echo(f"warning: {one.experiment.name} is open: {one.result.why}", err=True)
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
    from rich.console import Console
    from rich.padding import Padding
    from rich.text import Text

    console = Console()
    for experiment in experiments:
        lack = "" if experiment.needs == "nothing" else f"  (needs {_NEEDS[experiment.needs]})"
        console.print(Text.assemble((experiment.name, "bold"), lack))
        console.print(Padding(Text(experiment.claim), (0, 0, 0, 4)))


_NEEDS = {"mnist": "--data with MNIST", "cifar10": "--data with CIFAR-10", "model": "--model"}


def _tell(one: Done) -> None:
    click.echo(f"{one.experiment.name}: {one.result.verdict}", err=True)


def _print(done: list[Done], files: list[Path]) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(width=None if sys.stdout.isatty() else 120)
    listing = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("experiment", "", "the paper", "here"):
        listing.add_column(heading, overflow="fold")
    for one in done:
        name: str = one.experiment.name
        for row in one.result.rows:
            listing.add_row(Text(name, style="bold"), *map(Text, (row.quantity, row.paper, row.ours)))
            name = ""
        listing.add_row(Text(name, style="bold"), Text("verdict"), "", Text(one.result.verdict, style="bold"))
        listing.add_section()
    console.print(listing, highlight=False)
    for file in files:
        console.print(str(file), soft_wrap=True, highlight=False, markup=False)
