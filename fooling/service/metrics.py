"""What `/metrics` tells a Prometheus server: of one application, so that two in a process don't mix."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector
from starlette.types import Scope

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
_METHODS = frozenset({"GET", "HEAD", "POST", "DELETE"})


class Metrics:
    """Counts requests, streams and jobs."""

    def __init__(self, states: Callable[[], Mapping[str, int]]) -> None:
        """`states` tells how many jobs are in each state; it is called when somebody asks."""
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "fooling_http_requests", "Requests.", ("method", "route", "status"), registry=self.registry
        )
        self._seconds = Histogram(
            "fooling_http_seconds",
            "Seconds until a response was sent; streams are not counted.",
            ("route",),
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.streams = Gauge("fooling_event_streams", "Event streams that are open.", registry=self.registry)
        self.registry.register(_Jobs(states))
        ProcessCollector(registry=self.registry)

    def observe(self, scope: Scope, status: int, seconds: float) -> None:
        """Count a request. What was refused before it was routed has no route: a client can't make up new series."""
        route = str(getattr(scope.get("route"), "path", "") or "none")
        method = scope["method"] if scope["method"] in _METHODS else "other"
        self._requests.labels(method, route, str(status)).inc()
        if not route.endswith("/events"):
            self._seconds.labels(route).observe(seconds)

    def text(self) -> bytes:
        """All of it, in the text format of Prometheus."""
        return generate_latest(self.registry)


class _Jobs(Collector):
    """Jobs by state, counted when somebody asks."""

    def __init__(self, states: Callable[[], Mapping[str, int]]) -> None:
        self._states = states

    def describe(self) -> Iterator[GaugeMetricFamily]:
        yield GaugeMetricFamily("fooling_jobs", "Runs and studies by state.", labels=("state",))

    def collect(self) -> Iterator[GaugeMetricFamily]:
        family = next(self.describe())
        for state, count in self._states().items():
            family.add_metric((state,), count)
        yield family
