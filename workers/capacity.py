"""What a cluster lacks for the workers that are asked for, in words for a user who waits for it."""

from __future__ import annotations

from workers.cluster import Cluster, Resources


def total_shortage(cluster: Cluster, need: Resources, count: int) -> str | None:
    """What a cluster, even if idle, lacks for `count` workers, like "4 GPUs, the cluster has 2"; None if
    nothing."""
    whole, total = need * count, cluster.total
    if not whole <= total:
        return _shortage(whole, total, "")
    if (room := cluster.room(need)) < count:
        return f"nodes for {count} workers of {need} each, the cluster has room for {room}"
    return None


def free_shortage(cluster: Cluster, need: Resources, waiting: int) -> str | None:
    """What is not free for `waiting` workers that have no place yet, because others use the cluster; None if
    nothing. Nobody else uses a cluster of our own."""
    if cluster.is_ours or not waiting:
        return None
    whole, free = need * waiting, cluster.free
    return None if whole <= free else _shortage(whole, free, " free")


def refusal(cluster: Cluster, shortage: str) -> str:
    """The error for a user who does not want to wait: what was expected and what to do."""
    if cluster.is_ours:
        here = shortage.replace("the cluster", "this machine")
        return f"expected {here}; take fewer --workers or less for each"
    return f"expected {shortage}; take fewer --workers, or leave out --no-wait to wait for more"


def _shortage(whole: Resources, there: Resources, how: str) -> str:
    if whole.gpus > there.gpus:
        return f"{Resources(0, whole.gpus)}, the cluster has {there.gpus:g}{how}"
    return f"{Resources(whole.cpus, 0)}, the cluster has {there.cpus:g}{how}"
