"""`/metrics`: the figures of this installation for Prometheus.

Read from this machine, or with the token of the settings.

With several web processes set PROMETHEUS_MULTIPROC_DIR to a folder that is empty when they start: each process counts
there, and any of them returns the sum.
"""

from __future__ import annotations

import hmac
import os
import time
from collections.abc import Iterator
from functools import lru_cache

from flask import Blueprint, Flask, Response, abort, g, request
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from engine.store.ops.status import Status, read_status
from engine.store.session import Store, now_utc
from web.site import proxies
from web.site.request_context import deployment
from web.site.security import public

MULTIPLE = "PROMETHEUS_MULTIPROC_DIR"
METHODS = frozenset({"GET", "HEAD", "POST", "OPTIONS"})
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)  # seconds

pages = Blueprint("metrics", __name__)

_own = CollectorRegistry()
REQUESTS = Counter("ralop_requests", "Requests answered", ["method", "route", "status"], registry=_own)
SECONDS = Histogram("ralop_request_seconds", "Time to answer", ["route"], buckets=BUCKETS, registry=_own)


class DatabaseFigures(Collector):
    """The figures that come from the database."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yields the gauges, all from one look at the database."""
        status = read_status(self.store)
        yield GaugeMetricFamily("ralop_healthy", "1 if nothing is wrong", value=float(status.healthy))
        yield GaugeMetricFamily("ralop_due_cases", "Cases that wait for a sweep", value=status.due_now)
        yield _by("ralop_open_cases", "Open cases", "state", status.open_cases)
        yield _by("ralop_queue_jobs", "Jobs in the queue", "status", status.queue)
        yield _by("ralop_deliveries", "Messages not sent yet, or given up", "state", status.deliveries)
        yield _seen(status)


def _by(name: str, words: str, label: str, counts: dict[str, int]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, words, labels=[label])
    for value, count in sorted(counts.items()):
        family.add_metric([value], count)
    return family


def _seen(status: Status) -> GaugeMetricFamily:
    family = GaugeMetricFamily("ralop_worker_silent_seconds", "Since a worker was last seen", labels=["worker"])
    for holder, seen in sorted(status.workers.items()):
        family.add_metric([holder], (now_utc() - seen).total_seconds())
    return family


def init_app(app: Flask) -> None:
    """Counts each request by its route, never by its address."""
    app.before_request(_begin)
    app.after_request(_count)


def _begin() -> None:
    g.counted_from = time.perf_counter()


def _count(response: Response) -> Response:
    route = request.url_rule.rule if request.url_rule else "-"
    method = request.method if request.method in METHODS else "other"
    count, took = _counts(method, route, response.status_code)
    count.inc()
    took.observe(time.perf_counter() - g.get("counted_from", time.perf_counter()))
    return response


@lru_cache(maxsize=4096)
def _counts(method: str, route: str, status: int) -> tuple[Counter, Histogram]:
    return REQUESTS.labels(method, route, str(status)), SECONDS.labels(route)


@pages.get("/metrics")
@public
def metrics() -> Response:
    """Returns all counts in Prometheus's format; 404 without access."""
    if not _may():
        abort(404)
    counts = _own
    if os.environ.get(MULTIPLE):
        counts = CollectorRegistry()
        MultiProcessCollector(counts)  # type: ignore[no-untyped-call]
    context = CollectorRegistry()
    context.register(DatabaseFigures(deployment().context.store))
    return Response(generate_latest(counts) + generate_latest(context), content_type=CONTENT_TYPE_LATEST)


def _may() -> bool:
    token = deployment().settings.metrics_token
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    if token and scheme.lower() == "bearer" and hmac.compare_digest(given.encode(), token.encode()):
        return True
    return _from_here()


def _from_here() -> bool:
    return not proxies.is_passed_on() and proxies.is_this_machine()
