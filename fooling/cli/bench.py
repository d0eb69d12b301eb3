"""`fooling bench`: measure this machine."""

from __future__ import annotations

from typing import Any

import click

from fooling.cli.models import trust_option
from fooling.cli.named import ModelSpec
from fooling.cli.options import json_option
from fooling.terminal import say, say_json

model_option = click.option("--model", type=ModelSpec(), help="The classifier, as source:name.")
set_option = click.option("--set", "assignments", multiple=True, metavar="KEY=VALUE", help="A setting.")


@click.group()
def bench() -> None:
    """Measure this machine's speed, and which settings suit it.

    \b
    Examples:
      fooling bench throughput
      fooling bench tune --model file:mine.toml
    """


@bench.command()
@model_option
@click.option("--encoding", type=click.Choice(["cppn", "direct"]), default="cppn", show_default=True)
@click.option(
    "--generations",
    type=click.IntRange(0),
    default=200,
    show_default=True,
    help="Bred before measuring, for at most two minutes.",
)
@click.option("--rounds", type=click.IntRange(1), default=5, show_default=True, help="Turns; medians count.")
@set_option
@trust_option
@json_option
def throughput(
    model: str | None,
    encoding: str,
    generations: int,
    rounds: int,
    assignments: tuple[str, ...],
    trust: bool,
    as_json: bool,
) -> int:
    """Compare whole generations with bare forward passes.

    They are measured in turns.

    \b
    Examples:
      fooling bench throughput --model builtin:mlp --encoding direct --json
    """
    from fooling.bench import throughput as measure
    from fooling.config import resolve

    flags: dict[str, Any] = {"encoding.name": encoding, **({"model": model} if model else {})}
    result = measure(resolve(None, assignments, flags), generations, rounds, trust)
    if as_json:
        say_json(result)
        return 0
    say(f"{result['model']}, {encoding}, {result['device_model']}, {result['evaluators']} evaluators")
    say(f"bare forward pass   {result['forward_images_per_second']:10,.0f} images/s "
               f"({result['forward_form'].removeprefix('forward, ')})")  # fmt: skip
    say(f"whole generations   {result['evaluations_per_second']:10,.0f} evaluations/s")
    say(f"ratio               {result['ratio']:10.2f}")
    for name, microseconds in result["stages"].items():
        say(f"  {name:18}{microseconds:10.1f} us an image, one thread")
    return 0


@bench.command()
@model_option
@set_option
@trust_option
@json_option
def tune(model: str | None, assignments: tuple[str, ...], trust: bool, as_json: bool) -> int:
    """Try numerics for a classifier and print the fastest.

    They are printed as settings; nothing is changed.

    \b
    Examples:
      fooling bench tune --model file:mine.toml
    """
    from fooling.bench import tune as measure
    from fooling.config import resolve

    rows = measure(resolve(None, assignments, {"model": model} if model else {}), trust)
    if as_json:
        say_json(rows)
        return 0
    for row in rows[:6]:
        say(f"{row['images_per_second']:10,.0f} images/s   layout {row['layout']}, "
                   f"batch {row['batch']}, threads {row['threads']}")  # fmt: skip
    best = rows[0]
    settings = (f'layout = "{best["layout"]}"', f"batch = {best['batch']}", f"chunk = {best['batch']}",
                f"threads = {best['threads']}")  # fmt: skip
    for line in ("", "[run]", *settings):
        say(line)
    return 0
