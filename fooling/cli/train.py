"""`fooling train`: train a small classifier of one's own, the way the shipped ones were."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fooling.cli.options import json_option, quiet_option
from fooling.terminal import say, say_json, tell

if TYPE_CHECKING:
    from fooling.training.train import Progress


@click.command()
@click.argument("data", type=click.Path(path_type=Path))
@click.option("--architecture", default="lenet", show_default=True, help="The network to train: lenet, mlp, "
              "resnet-mini or vit-mini for 28 x 28 grey, resnet-cifar for 32 x 32 in colour.")  # fmt: skip
@click.option("--name", help="The name of the files that are written (default: the architecture).")
@click.option("--out", metavar="DIR", type=click.Path(path_type=Path), default=Path(), help="Where to write.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True)
@click.option("--epochs", type=click.IntRange(min=1), help="Default: as the architecture's recipe says.")
@click.option("--threads", type=click.IntRange(min=1), default=1, show_default=True, help="Part of the recipe: "
              "another number may give other last bits.")  # fmt: skip
@quiet_option
@json_option
def train(
    data: Path,
    architecture: str,
    name: str | None,
    out: Path,
    seed: int,
    epochs: int | None,
    threads: int,
    quiet: bool,
    as_json: bool,
) -> int:
    """Train a classifier on DATA.

    DATA is a folder of MNIST files (IDX, plain or .gz), an .npz with the arrays train_x, train_y, test_x, test_y
    and, for their names, classes; or folders train and test with a folder of images per class.

    Writes NAME.safetensors and NAME.json; evolve against it with --model file:NAME.json.

    \b
    Examples:
      fooling train mnist/
      fooling train cifar10.npz --architecture resnet-cifar --epochs 30 --name mine
    """
    from dataclasses import asdict

    from fooling.classifiers.numerics import resolve
    from fooling.training.recipe import recipe_for
    from fooling.training.saving import refuse_taken, save
    from fooling.training.train import train as fit

    name = name or architecture
    refuse_taken(out, name)
    began = time.monotonic()

    def report(progress: Progress) -> None:
        if not quiet:
            tell(
                f"epoch {progress.epoch}/{progress.epochs}  loss {progress.loss:.4f}  "
                f"test accuracy {progress.accuracy:.2%}  {time.monotonic() - began:.0f} s"
            )

    changes = {} if epochs is None else {"epochs": epochs}
    recipe = recipe_for(architecture, seed=seed, **changes)
    trained = fit(data, recipe, name=name, numerics=resolve(device="cpu", threads=threads), progress=report)
    path = save(trained, out)
    measures = asdict(trained.measures)
    if as_json:
        say_json({"file": str(path), "recipe": asdict(recipe), "test": measures})
    elif not quiet:
        say(f"test accuracy {trained.measures.accuracy:.2%}; try it: fooling run --model file:{path}")
    return 0
