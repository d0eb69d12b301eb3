"""What a cluster lacks for the workers that are asked for, in words that a user reads while waiting for it."""

from __future__ import annotations

from workers.cluster import Cluster, Resources


def lacking(cluster: Cluster, need: Resources, count: int) -> str | None:
    """What a cluster is too small in for so many workers, like "4 GPUs, the cluster has 2"; None where it is not."""
    whole, total = need * count, cluster.total
    if not whole <= total:
        return _short(whole, total, "")
    if (room := cluster.room(need)) < count:
        return f"nodes for {count} workers of {need} each, the cluster has room for {room}"
    return None


def taken(cluster: Cluster, need: Resources, waiting: int) -> str | None:
    """What others hold of what so many workers that wait for a place need; a cluster of our own has no others."""
    if cluster.is_ours or not waiting:
        return None
    whole, free = need * waiting, cluster.free
    return None if whole <= free else _short(whole, free, " free")


def refusal(cluster: Cluster, shortage: str) -> str:
    """What to do about it, where it is not to be waited for."""
    if cluster.is_ours:
        here = shortage.replace("the cluster", "this machine")
        return f"expected {here}; take fewer --workers or less for each"
    return f"expected {shortage}; take fewer --workers, or leave out --no-wait to wait for more"


def _short(whole: Resources, total: Resources, how: str) -> str:
    if whole.gpus > total.gpus:
        return f"{Resources(0, whole.gpus)}, the cluster has {total.gpus:g}{how}"
    return f"{Resources(whole.cpus, 0)}, the cluster has {total.cpus:g}{how}"
