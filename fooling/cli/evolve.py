"""`fooling run` and `fooling resume`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from fooling.cli.named import ConfigName, ModelSpec
from fooling.cli.options import WithConfigs, cluster_options, json_option, quiet_option, trust_option
from fooling.errors import INTERRUPTED, PARTLY
from fooling.terminal import say_json, tell

if TYPE_CHECKING:
    from fooling.store.snapshot import Snapshot


@click.command(cls=WithConfigs)
@click.argument("config", required=False, type=ConfigName())
@click.option("--model", type=ModelSpec(), help="The classifier, as source:name (default: builtin:lenet).")
@click.option(
    "--set",
    "assignments",
    multiple=True,
    metavar="KEY=VALUE",
    help="A setting, like search.generations=60; may be repeated.",
)
@click.option("--seed", type=click.IntRange(min=0), help="The seed of all randomness (default: 0).")
@click.option("--out", metavar="DIR", type=click.Path(path_type=Path), help="The run directory to make.")
@click.option("--server", metavar="URL", help="Launch it on a server (`fooling serve`), and follow it here.")
@click.option(
    "--token-file",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="The server's token (default: the variable FOOLING_TOKEN).",
)
@cluster_options
@trust_option
@quiet_option
@json_option
def run(
    config: str | None,
    model: str | None,
    assignments: tuple[str, ...],
    seed: int | None,
    out: Path | None,
    server: str | None,
    token_file: Path | None,
    workers: int | None,
    address: str | None,
    no_wait: bool,
    trust: bool,
    quiet: bool,
    as_json: bool,
) -> int:
    """Evolve fooling images.

    CONFIG is the name of a ready-made config (listed below) or the path of a TOML file.
    Without it, CPPN images are evolved against the LeNet that ships with the package.

    \b
    Examples:
      fooling run
      fooling run mnist-direct --seed 3 --set search.generations=60
      fooling run --model file:mine.json --out runs/mine
      fooling run --server http://127.0.0.1:8000 --token-file runs/.fooling/token
    """
    if server is not None:
        from fooling.cli.remote import client_of, launch

        local = {
            "--out": out,
            "--workers": workers,
            "--address": address,
            "--trust": trust,
            "--no-wait": no_wait,
        }
        if said := [name for name, value in local.items() if value not in (None, False)]:
            raise click.UsageError(
                f"{said[0]} is about this machine: with --server, the server's owner says it"
            )
        return launch(client_of(server, token_file), config, model, seed, assignments, quiet, as_json)
    from fooling.config import resolve
    from fooling.model_specs import split
    from fooling.ready_made import DEFAULT_CONFIG

    given = {"model": model, "seed": seed, "run.workers": workers, "run.address": address}
    flags = {key: value for key, value in given.items() if value is not None}
    split(
        resolve(config or DEFAULT_CONFIG, assignments, flags).model
    )  # typos are told before seconds of imports

    from cppn.jit import on_compile
    from fooling import api
    from fooling.cli.progress import Progress
    from fooling.runs.executors import ClusterOptions

    with Progress(quiet) as progress, on_compile(progress.compiling):
        view = api.run(
            config,
            out=out,
            assignments=assignments,
            flags=flags,
            trust=trust,
            report=progress.update,
            warn=progress.warn,
            cluster=ClusterOptions(not no_wait, progress.tell),
        )
    return _finish(view, quiet, as_json)


@click.command()
@click.argument("directory", metavar="RUN", type=click.Path(path_type=Path))
@cluster_options
@trust_option
@quiet_option
@json_option
def resume(
    directory: Path,
    workers: int | None,
    address: str | None,
    no_wait: bool,
    trust: bool,
    quiet: bool,
    as_json: bool,
) -> int:
    """Continue an interrupted run.

    It comes to the same end as if it had never been interrupted. Without --workers and --address it is computed
    where it was before. A model that brings code needs --trust again: the directory's own word does not count.

    \b
    Examples:
      fooling resume runs/mine
      fooling resume runs/mine --workers 4
    """
    from cppn.jit import on_compile
    from fooling import api
    from fooling.cli.progress import Progress
    from fooling.runs.executors import ClusterOptions

    with Progress(quiet) as progress, on_compile(progress.compiling):
        view = api.resume(
            directory,
            trust=trust,
            report=progress.update,
            warn=progress.warn,
            workers=workers,
            address=address,
            cluster=ClusterOptions(not no_wait, progress.tell),
        )
    return _finish(view, quiet, as_json)


def _finish(view: Snapshot, quiet: bool, as_json: bool) -> int:
    from fooling.store.summary import summary

    if as_json:
        say_json(summary(view).document())
    elif not quiet:
        from fooling.cli.look import print_table

        print_table(view)
    if view.status == "interrupted":
        kept = "continue" if view.counters.generation >= 0 else "nothing was kept yet; begin again"
        told = f"warning: {view.reason}" if view.reason else "interrupted"
        tell(f"{told}; {kept} with: fooling resume {_short(view.directory)}")
        return PARTLY if view.reason else INTERRUPTED
    return 0


def _short(path: Path) -> str:
    """A path as a user would type it."""
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)
