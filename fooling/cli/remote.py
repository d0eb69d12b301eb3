"""`fooling run --server`: the run is launched there, and its progress followed here."""

from __future__ import annotations

import os
import secrets
import time
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fooling.errors import FAILED, PARTLY, InvalidError, NotFoundError
from fooling.terminal import say, say_json, tell

if TYPE_CHECKING:
    from fooling.service.client import Client
    from fooling.service.schema import Run

TOKEN = "FOOLING_TOKEN"  # the environment variable that may hold the token
_LINE_SECONDS = 10.0  # between lines of progress


def client_of(server: str, token_file: Path | None) -> Client:
    """A client for a server, with the token of a file or of the environment.

    Raises:
        NotFoundError: the file can't be read. InvalidError: there is neither, or no such address.
    """
    from fooling.service.client import Client

    token = os.environ.get(TOKEN, "")
    if token_file is not None:
        try:
            token = token_file.read_text(encoding="ascii", errors="replace").strip()
        except OSError as error:
            raise NotFoundError(
                f"{token_file}: expected the server's token: {error.strerror or error}"
            ) from None
    if not token:
        raise InvalidError(
            f"--server needs the token of {server}: give --token-file FILE, or the variable {TOKEN}; "
            "`fooling serve` says where the file is"
        )
    return Client(server, token)


def launch(
    client: Client,
    config: str | None,
    model: str | None,
    seed: int | None,
    assignments: Sequence[str],
    quiet: bool,
    as_json: bool,
) -> int:
    """Launch a run on a server and follow it. A Ctrl-C ends the following alone.

    Raises:
        FoolingError: refused, or out of reach.
    """
    settings = dict(_assignment(text) for text in assignments)
    job = client.launch(config, model=model, seed=seed, set=settings, key=secrets.token_urlsafe(16))
    if not quiet:
        tell(f"run {job.id} is {job.state} on {client.url}; a Ctrl-C here does not end it")
    _follow(client, job.id, quiet)
    run = client.run(job.id)
    if as_json:
        say_json(run.model_dump(mode="json", by_alias=True))
    elif not quiet:
        _print(run, client)
    if run.state == "completed":
        return 0
    tell(f"warning: the run was {run.state}{f': {run.reason}' if run.reason else ''}")
    return FAILED if run.state == "failed" else PARTLY


def _follow(client: Client, id: str, quiet: bool) -> None:
    from fooling.confidence import format_confidence

    said = float("-inf")
    for event in client.events(id):
        if quiet:
            continue
        if event.kind == "state":
            place = event.data.get("position")
            tell(f"{event.data.get('state')}{f', number {place} in the queue' if place else ''}")
        elif event.kind == "warning":
            tell(f"warning: {event.data.get('message')}")
        elif event.kind == "generation" and time.monotonic() - said >= _LINE_SECONDS:
            said = time.monotonic()
            data = event.data
            tell(
                f"generation {data.get('generation')}  median {format_confidence(float(data.get('median', 0)))}, "
                f"{data.get('at_least_0.99', 0)} at 99 %, {data.get('evaluations', 0):,} evaluations"
            )


def _print(run: Run, client: Client) -> None:
    from fooling.confidence import format_confidence

    if run.confidence is not None:
        found = run.confidence
        say(
            f"{run.state}: generation {run.generations}, median {format_confidence(found.median)}; {found.at_least_99} of "
            f"{found.classes} classes reach 99 %"
        )
    say(f"{client.url}/api/v1/runs/{run.id}")


def _assignment(text: str) -> tuple[str, Any]:
    """The key and the value of "search.generations=60", as `--set` reads them."""
    key, equals, value = text.partition("=")
    if not equals or not key.strip():
        raise InvalidError(f"--set {text}: expected KEY=VALUE, like search.generations=60")
    try:
        return key.strip(), tomllib.loads(f"value = {value.strip()}")["value"]
    except tomllib.TOMLDecodeError:
        return key.strip(), value.strip()
