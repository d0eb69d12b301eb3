"""`fooling serve`: an API beside a folder of runs."""

from __future__ import annotations

from pathlib import Path

import click

from fooling.cli.named import ModelSpec
from fooling.cli.options import json_option, quiet_option, trust_option
from fooling.terminal import say, say_json, tell

_PORT = 8000


@click.command()
@click.option(
    "--root", metavar="DIR", type=click.Path(path_type=Path), default="runs", help="The folder of runs."
)
@click.option(
    "--host", metavar="H", default="127.0.0.1", help="The address to listen on (default: 127.0.0.1)."
)
@click.option(
    "--port",
    metavar="N",
    type=click.IntRange(0, 65535),
    default=_PORT,
    help="The port; 0: any (default: 8000).",
)
@click.option(
    "--public", metavar="URL", default="", help="Where a proxy shows it, like https://fooling.example.org."
)
@click.option("--open", "opens", is_flag=True, help="Log a browser in.")
@click.option(
    "--model", "models", type=ModelSpec(), multiple=True,
    help="A classifier that requests may name, besides those that come along; may be repeated.",
)  # fmt: skip
@click.option(
    "--samples", metavar="PATH", type=click.Path(path_type=Path), multiple=True,
    help="Labelled images that people are shown among elites; may be repeated.",
)  # fmt: skip
@click.option(
    "--address", metavar="RAY", help="The Ray cluster that jobs compute on (default: this machine)."
)
@click.option(
    "--running",
    metavar="N",
    type=click.IntRange(0, 1024),
    default=1,
    help="Jobs at once; 0: none (default: 1).",
)
@click.option("--read-only", is_flag=True, help="Only show; reading takes no token on this machine.")
@trust_option
@quiet_option
@json_option
def serve(
    root: Path,
    host: str,
    port: int,
    public: str,
    opens: bool,
    models: tuple[str, ...],
    samples: tuple[Path, ...],
    address: str | None,
    running: int,
    read_only: bool,
    trust: bool,
    quiet: bool,
    as_json: bool,
) -> int:
    """Launch, watch and browse runs in a browser.

    Programs send the token of the file that is named at the start; a browser opens the login link. Ctrl-C ends the
    server, and jobs that run go on without it (docs/service.md).

    \b
    Examples:
      fooling serve --open
      fooling serve --root runs --port 8080 --model file:mine.toml
      fooling serve --root runs --read-only --public https://fooling.example.org
    """
    from fooling.datasets.parts import parts_of
    from fooling.model_specs import known
    from fooling.service.app import create_app
    from fooling.service.auth import read_or_make_token
    from fooling.service.jobs import Jobs
    from fooling.service.server import listen, log_to_stderr, preload
    from fooling.service.server import serve as answer
    from fooling.service.settings import ServiceSettings, is_loopback

    root = root.absolute()
    for path in samples:
        parts_of(path)  # a typo is told now, not when the first person is asked
    jobs = Jobs(root, 0 if read_only else running, trust=trust, address=address)
    token_file = root / ".fooling" / "token"
    token = read_or_make_token(token_file)
    listening = listen(host, port)
    if not quiet:
        log_to_stderr(tell)
    settings = ServiceSettings(
        root=root,
        token=token,
        models=tuple(dict.fromkeys((*known(), *models))),
        trust=trust,
        host=host,
        port=listening.getsockname()[1],
        public=public,
        read_only=read_only,
        samples=tuple(path.absolute() for path in samples),
    )
    app = create_app(jobs, settings)

    def ready() -> None:
        login = app.state.context.login_url()
        preload()
        if as_json:
            say_json({"url": settings.url, "token_file": str(token_file), "login": login})
        else:
            say(f"{settings.url} serves {root}; the token is in {token_file}")
            say(f"Log a browser in, once, within the hour: {login}")
        if opens:
            import webbrowser

            webbrowser.open(login)

    if not is_loopback(host):
        tell(
            f"warning: {host} can be reached from other machines; whoever has the token can launch runs here"
        )
    try:
        with jobs.supervise():
            answer(app, listening, ready)
    finally:
        jobs.close()
    return 0
