"""What a user names on the command line, models and configs: typos are told while the line is read, and a shell can
complete the names."""

from __future__ import annotations

from collections.abc import Iterable

import click
from click.shell_completion import CompletionItem


class ModelSpec(click.ParamType):
    """A model SPEC of a source that there is; whatever it names is opened later."""

    name = "SPEC"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        from fooling.model_specs import split

        split(value)
        return value

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        from fooling.model_specs import SOURCES, known

        return _beginning([*known(), *(f"{source}:" for source in SOURCES[1:])], incomplete)


class ConfigName(click.ParamType):
    """The name of a ready-made config, or the path of a TOML file."""

    name = "CONFIG"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        from fooling.ready_made import find

        find(value)
        return value

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        from fooling.ready_made import names

        return _beginning(names(), incomplete) or [CompletionItem(incomplete, type="file")]


def _beginning(names: Iterable[str], incomplete: str) -> list[CompletionItem]:
    return [CompletionItem(name) for name in names if name.startswith(incomplete)]
