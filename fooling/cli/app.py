"""The `fooling` program: its commands, and what happens to errors.

Exit codes: 0 done, 1 failed, 2 usage, 3 invalid config, model or run directory, 4 not found, 5 partly done,
6 done and a threshold missed, 130 interrupted after a checkpoint. Data goes to stdout; progress, logs and errors to stderr.
"""

from __future__ import annotations

import difflib
import functools
import signal
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

import click

from fooling.cli import (
    audit,
    bench,
    compare,
    doctor,
    evolve,
    explain,
    lineage,
    look,
    models,
    recognition,
    reproduce,
    retrain,
    serve,
    train,
    transfer,
)
from fooling.errors import FAILED, INTERRUPTED, USAGE, FoolingError
from fooling.shadows import refuse_shadows, shadows
from fooling.terminal import data_apart, prepare, show_log, tell
from fooling.version import __version__


class Group(click.Group):
    """A group that suggests the command that was meant."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and not args[0].startswith("-") and self.get_command(ctx, args[0]) is None:
            near = difflib.get_close_matches(args[0], self.list_commands(ctx), n=1)
            hint = f"did you mean {near[0]}?" if near else f"see {ctx.command_path} --help"
            raise click.UsageError(f"no command named {args[0]}; {hint}", ctx)
        return super().resolve_command(ctx, args)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order of a user's day, not of the alphabet."""
        return list(self.commands)


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="fooling")
@click.option("--debug", is_flag=True, help="Show the package's log, and the traceback of an error.")
def cli(debug: bool) -> None:
    """Evolve images that a classifier is sure of, though they were not made to look like anything.

    Start with:  fooling run
    """


COMMANDS: tuple[Callable[..., Any], ...] = (
    evolve.run,
    evolve.resume,
    look.show,
    look.gallery,
    compare.compare,
    look.export,
    lineage.lineage,
    explain.explain,
    transfer.transfer,
    audit.audit,
    recognition.recognition,
    models.models,
    train.train,
    retrain.retrain,
    reproduce.reproduce,
    serve.serve,
    bench.bench,
    doctor.doctor,
)


def _keep_data_apart(command: click.Command) -> None:
    """What a command's work prints by itself does not reach stdout; help and version do. Its libraries get caches
    that can be written, and what would hide our packages is told."""
    if isinstance(command, click.Group):
        for part in command.commands.values():
            _keep_data_apart(part)
    elif (work := command.callback) is not None:

        @functools.wraps(work)
        def apart(*arguments: Any, **options: Any) -> Any:
            from fooling.caches import set_folders

            set_folders()
            for line in shadows(Path.cwd()):
                tell(f"warning: {line} from models in Python and from Ray workers: rename it")
            with data_apart():
                return work(*arguments, **options)

        command.callback = apart


def add(command: Callable[..., Any]) -> None:
    """Make a command one of the program's."""
    assert isinstance(command, click.Command)
    _keep_data_apart(command)
    cli.add_command(command)


for command in COMMANDS:
    add(command)


def main() -> NoReturn:
    """Run the program and exit with its code."""
    prepare()
    arguments = sys.argv[1:]
    debug = "--debug" in arguments
    if debug:  # anywhere on the line
        arguments.remove("--debug")
        show_log()
    try:
        refuse_shadows()
    except FoolingError as error:
        _fail(str(error), error.exit_code)
    _hear_signals()
    try:
        code = cli.main(arguments, prog_name="fooling", standalone_mode=False)
    except click.UsageError as error:
        where = f" (see {error.ctx.command_path} --help)" if error.ctx else ""
        _fail(f"{error.format_message()}{where}", USAGE)
    except (click.Abort, KeyboardInterrupt):
        _fail("interrupted", INTERRUPTED)
    except click.ClickException as error:
        _fail(error.format_message(), FAILED)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(FAILED)
    except Exception as error:
        if debug:
            _trace(error)
        if isinstance(error, FoolingError):
            _fail(str(error), error.exit_code)
        _fail(f"{type(error).__name__}: {error} (this is a defect; --debug shows where)", FAILED)
    sys.exit(code if isinstance(code, int) else 0)


def _hear_signals() -> None:
    """A SIGTERM or SIGHUP is a Ctrl-C, also while nothing runs yet: what was begun is undone, and the exit code says
    so. A second one ends the process at once."""
    from workers.processes import interrupting_signals

    def interrupt(number: int, frame: FrameType | None) -> NoReturn:
        for each in interrupting_signals():
            signal.signal(each, signal.SIG_DFL)
        raise KeyboardInterrupt

    for each in interrupting_signals():
        signal.signal(each, interrupt)


def _trace(error: Exception) -> None:
    """Print a traceback, which holds foreign text."""
    for line in "".join(traceback.format_exception(error)).splitlines():
        tell(line)


def _fail(message: str, code: int) -> NoReturn:
    tell("error: " + " ".join(message.split()))
    sys.exit(code)
