"""What a run directory may not decide by itself, since it may come from a stranger: what this machine connects to.

Code in a model is refused where it is opened (`classifiers.load` without trust). A Ray cluster and a server get
further: the one sends this process code, the other gets the secrets that its spec names.
"""

from __future__ import annotations

import ipaddress
from pathlib import Path

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
    if is_distributed(settings) and address is None and cluster is not None and not _is_here(cluster):
        raise InvalidError(
            f"{directory} was computed on the Ray cluster at {cluster}, which would send this process code to "
            f"run; if it is yours, say --address {cluster} or --trust (from Python: address=, trust=True); "
            "--workers 0 computes here"
        )


def refuse_server(directory: Path, settings: Settings) -> None:
    """
    Raises:
        InvalidError: the model is a server whose spec lies in the run directory.
    """
    source, _, name = settings.model.partition(":")
    if source == "http" and Path(name).resolve().is_relative_to(directory.resolve()):
        raise InvalidError(
            f"{settings.model} lies in the run directory that it is asked for: its server would be sent images and "
            "the secrets that the spec names; if you trust it, say --trust (from Python: trust=True)"
        )


def _is_here(cluster: str) -> bool:
    """Whether the address is one of this machine's own, which nobody else can be listening on."""
    host = cluster.removeprefix("ray://").rpartition(":")[0].strip("[]")
    if cluster == "auto" or host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
