"""What a run directory may not decide by itself, since it may come from a stranger: what this machine connects to.

Code in a model is refused where it is opened (`classifiers.load` without trust). A Ray cluster and a server get
further: the one sends this process code, the other gets the secrets that its spec names.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from pathlib import Path

from fooling.classifiers.sources.documents import read_description
from fooling.config import Settings
from fooling.errors import InvalidError
from fooling.runs.executors import is_distributed


def refuse_cluster(directory: Path, settings: Settings, address: str | None) -> None:
    """
    Args:
        directory: of the run.
        settings: that it would go on with.
        address: of the cluster, where the user gave it.

    Raises:
        InvalidError: it would be computed on a cluster on another machine that only the manifest names.
    """
    cluster = settings.run.address
    if is_distributed(settings.run) and address is None and cluster is not None and not _is_here(cluster):
        raise InvalidError(
            f"{directory} was computed on the Ray cluster at {cluster}, which would send this process code to "
            f"run; if it is yours, say --address {cluster} or --trust (from Python: address=, trust=True); "
            "--workers 0 computes here"
        )


def refuse_server(directory: Path, settings: Settings) -> None:
    """
    Raises:
        InvalidError: the model is a server whose spec lies in the run directory, or an ensemble there with such a
            member.
        NotFoundError: the ensemble is not there.
    """
    within = directory.resolve()
    for source, path in _files(*settings.model.partition(":")[::2], within):
        if source == "http":
            raise InvalidError(
                f"{source}:{path} lies in the run directory that it is asked for: its server would be sent images and "
                "the secrets that the spec names; if you trust it, say --trust (from Python: trust=True)"
            )


def _files(source: str, name: str, within: Path, seen: tuple[Path, ...] = ()) -> Iterator[tuple[str, Path]]:
    """The source and the path of a model, and of the members of an ensemble, that are described in a directory."""
    path = Path(name).resolve()
    if source not in ("http", "file") or not path.is_relative_to(within) or path in seen:
        return
    yield source, path
    if source == "file":
        ensemble = read_description(path)[0].get("ensemble")
        members = ensemble.get("members") if isinstance(ensemble, dict) else None
        for member in members if isinstance(members, list) else []:
            kind, _, place = str(member).partition(":")
            beside = str(path.parent / place) if kind == "file" else place  # as the source reads them
            yield from _files(kind, beside, within, (*seen, path))


def _is_here(cluster: str) -> bool:
    """Whether the address is one of this machine's own, which nobody else can be listening on."""
    host = cluster.removeprefix("ray://").rpartition(":")[0].strip("[]")
    if cluster == "auto" or host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
