"""`fooling retrain`: does it help to train on fooling images?"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from fooling.cli.named import ConfigName
from fooling.cli.options import Share, json_option, quiet_option
from fooling.terminal import draw, say, say_json, tell


class Amount(click.ParamType):
    """A number of images, or like 7x: times the size of a class."""

    name = "amount"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int | str:
        return int(value) if str(value).isdecimal() else str(value)


@click.command()
@click.argument("data", metavar="DATA", required=False, type=click.Path(path_type=Path))
@click.option("--architecture", default="lenet", show_default=True, help="The network to train.")
@click.option(
    "--epochs", type=click.IntRange(min=1), help="Of each training (default: the architecture's own)."
)
@click.option(
    "--schedule",
    type=click.Choice(["inverse", "cosine"]),
    help="Of the learning rate: Caffe's, or half a cosine down to zero (default: the architecture's own).",
)
@click.option(
    "--augmentation",
    type=click.Choice(["none", "shift", "crop-flip"]),
    help="Of the training images: shifts by 2 pixels, or by 4 and mirror images (default: the architecture's own).",
)
@click.option(
    "--config",
    type=ConfigName(),
    default="mnist-cppn",
    show_default=True,
    help="The runs: a config's name or path.",
)
@click.option("--set", "assignments", multiple=True, metavar="KEY=VALUE", help="A setting of the runs; may be "
              "repeated.")  # fmt: skip
@click.option("--rounds", type=click.IntRange(min=1), default=5, show_default=True, help="Retrainings.")
@click.option("--first", type=Amount(), default="6000", show_default=True, help="Fooling images of the first "
              "retraining: a number, or like 7x: as many as 7 classes have.")  # fmt: skip
@click.option("--more", type=Amount(), default="1000", show_default=True, help="Fooling images that each later "
              "one adds; likewise.")  # fmt: skip
@click.option("--per-run", type=click.IntRange(min=1), default=100, show_default=True, help="Images that a run "
              "gives at most.")  # fmt: skip
@click.option("--runs", type=click.IntRange(min=1), default=10, show_default=True, help="Runs against each "
              "network at least.")  # fmt: skip
@click.option("--size", type=Share(min_open=True), default=1.0, show_default=True, help="Share of "
              "the training images, and of numbers of fooling images, that is used.")  # fmt: skip
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), default=0, show_default=True)
@click.option("--out", metavar="DIR", type=click.Path(path_type=Path), default=Path("retrain"), show_default=True,
              help="The experiment's folder; one that was begun goes on.")  # fmt: skip
@click.option("--trainer", metavar="MODULE:CALLABLE", help="A training of your own, in place of --architecture "
              "(docs/retrain.md; needs --trust).")  # fmt: skip
@click.option("--trust", is_flag=True, help="Let the trainer's code run.")
@quiet_option
@json_option
def retrain(
    data: Path | None, out: Path, trainer: str | None, trust: bool, quiet: bool, as_json: bool, **plan: Any
) -> int:
    """Train on DATA, evolve fooling images, retrain with them.

    The images become a class of their own; then more are evolved, and so on. DATA is a folder with the four files of MNIST, an .npz with train_x, train_y, test_x and test_y, or folders train
    and test with a folder of images per class. An experiment that was interrupted goes on with the same command.

    \b
    Examples:
      fooling retrain mnist/ --rounds 3 --out retrained
      fooling retrain mnist/ --config mnist-direct --size 0.1
    """
    from fooling.api import beside
    from fooling.classifiers.spec import parse
    from fooling.present.retrain.figures import figure
    from fooling.present.retrain.table import table
    from fooling.studies.retrain.data import WHAT_TO_GIVE
    from fooling.studies.retrain.folder import DATA, FIGURE
    from fooling.studies.retrain.plan import Plan
    from fooling.studies.retrain.rounds import retrain as perform
    from fooling.studies.retrain.trainers import open_trainer

    if data is None:
        raise click.UsageError(f"expected training images: {WHAT_TO_GIVE}")

    def report(line: str) -> None:
        if not quiet:
            tell(line)

    rounds = perform(
        data,
        out,
        parse(Plan, plan, "the plan"),
        trainer=open_trainer(trainer, trust) if trainer else None,
        trainer_name=trainer,
        report=report,
        draw=figure,
        pages=beside,
    )
    if as_json:
        say_json(json.loads((out / DATA).read_bytes()))
    elif not quiet:
        draw(table(rounds), "The right half: the share that the network calls fooling.")
        for name in (DATA, FIGURE):
            say(out / name)
    return 0
