"""Against a real server that limits rates, fails, stalls and lies: every image is asked about once, nothing is
sent beyond the budget, and what was paid is kept."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fooling.classifiers.sources.http import rate
from fooling.classifiers.sources.http.client import Client, RefusedError
from fooling.classifiers.sources.http.ledger import Ledger
from fooling.classifiers.sources.http.rate import RateLimiter, back_off
from fooling.classifiers.sources.http.spec import PaceTable
from fooling.errors import InvalidError, OutOfAnswers
from tests.fooling.classifiers.sources.http.serving import document, images, said


def test_each_image_is_asked_about_once(server, connect):
    """Whether it comes twice in a batch, again later, from several threads, or after a restart."""
    client, ledger = connect()
    pixels = images(6)
    twice = np.concatenate([pixels, pixels])
    with ThreadPoolExecutor(3) as pool:
        for answers in pool.map(client.answers, [twice, twice, pixels]):
            assert answers[:6] == said(pixels)
    again, _ = connect()
    assert again.answers(twice) == said(twice)
    assert len(server.asked) == len(set(server.answered)) == ledger.usage.queries == 6


def test_requests_are_under_way_at_once_but_never_too_many(server, connect):
    client, _ = connect(pace={"concurrency": 3})
    server.pause = 0.15
    client.answers(images(9))
    assert 2 <= server.most <= 3


@pytest.mark.parametrize(
    "trouble",
    ["500", "503", "408", "429", ("429", 0), "garbage", "list", "slow", "drip", "huge", "closed", ("json", {"predictions": None})],
    ids=str,
)  # fmt: skip
def test_what_may_pass_is_tried_again(server, connect, trouble):
    """And every try is counted: it may be billed."""
    patience = 1.5 if trouble in ("slow", "drip") else 10.0
    client, ledger = connect(pace={"concurrency": 1, "timeout": patience})
    client.answers(images(1, seed=9))  # from here on, an answer that can't be read is not the spec's fault
    server.script = [trouble, trouble]
    pixels = images(2)
    assert client.answers(pixels) == said(pixels)
    assert ledger.usage.queries == len(server.asked) == 5


def test_a_server_that_is_gone_is_told_and_what_was_answered_is_kept(server, connect, caplog):
    client, ledger = connect(pace={"concurrency": 1, "retries": 2})
    server.script, server.always = ["ok", "ok"], "500"
    pixels = images(40)
    with pytest.raises(
        OutOfAnswers, match=r'^http:test.toml: no answer in 3 tries: .* 500: {"error": "not now"}$'
    ):
        client.answers(pixels)
    assert ledger.usage.queries == len(server.asked) == 5, "the other images must not be tried each in turn"
    tries = [record.getMessage() for record in caplog.records if "attempt" in record.message]
    assert len(tries) == 3, "whoever debugs a slow run must see what it waits for"
    assert tries[0].startswith("http:test.toml: the server answered 500")
    server.always = "ok"
    assert client.answers(pixels) == said(pixels)
    assert len(server.answered) == len(set(server.answered)) == 40


def test_nobody_listens(connect, tmp_path):
    client = Client(
        "http:test.toml", document("http://127.0.0.1:9/", pace={"retries": 1}), Ledger(tmp_path / "b")
    )
    with pytest.raises(OutOfAnswers, match=r"no answer in 2 tries: NewConnectionError: .*Connection refused"):
        client.answers(images(2))


def test_a_server_that_asks_to_wait_is_obeyed_by_all_threads(server, connect):
    client, _ = connect(pace={"concurrency": 4})
    client.answers(images(1, seed=9))
    server.script, server.pause = [("429", 1)], 0.1
    client.answers(images(24))  # 0.8 s of work for the three threads that were not told to wait
    refused = next(asked.at for asked in server.asked if asked.reply == ("429", 1))
    after = [asked for asked in server.asked if asked.at - refused >= 0.99]
    assert len(after) >= 2, "more must wait than the one that was refused"


def test_no_request_is_sent_while_the_server_asks_to_wait(monkeypatch):
    """Nor two in less than their interval. By a clock that only sleeping moves: to the last digit."""
    now = [0.0]
    clock = SimpleNamespace(monotonic=lambda: now[0], sleep=lambda seconds: now.append(now.pop() + seconds))
    monkeypatch.setattr(rate, "time", clock)
    limiter, began = RateLimiter(4.0), []
    for number in range(6):
        if number == 2:
            limiter.pause(2.0)
        limiter.acquire()
        began.append(now[0])
    assert began == [0.0, 0.25, 2.25, 2.5, 2.75, 3.0]


def test_a_date_to_wait_until_is_understood(server, connect):
    client, _ = connect(pace={"concurrency": 1})
    server.script = [("429", "Wed, 21 Oct 2015 07:28:00 GMT"), ("503", "soon")]
    assert client.answers(images(1)) == said(images(1))


def test_a_server_that_asks_to_wait_too_long_ends_it(server, connect):
    client, _ = connect()
    server.always = ("429", 3600)
    with pytest.raises(OutOfAnswers, match=r"asks to wait 3600 s, longer than pace.longest = 5"):
        client.answers(images(1))


def test_no_more_requests_begin_in_a_second_than_allowed(server, connect):
    """From before the first to after the last: when each arrives depends on how busy a machine is."""
    client, _ = connect(pace={"concurrency": 8, "per_second": 40.0})
    began = time.monotonic()
    client.answers(images(13))
    assert time.monotonic() - began >= 12 / 40
    assert len(server.asked) == 13


@pytest.mark.parametrize("status", ["400", "401", "404", "422"])
def test_a_refusal_is_not_repeated(server, connect, status):
    client, ledger = connect(pace={"concurrency": 1})
    server.always = status
    with pytest.raises(RefusedError, match=f'the server refuses: {status}: {{"error": "not now"}}'):
        client.answers(images(9))
    assert len(server.asked) == ledger.usage.queries == 1


def test_a_spec_that_reads_answers_wrongly_costs_one_query(server, connect):
    client, _ = connect(pace={"concurrency": 1}, response={"items": "results"})
    with pytest.raises(
        RefusedError, match=r"expected 'results' .* in the answer: {\"predictions\": .*see \[response\]"
    ):
        client.answers(images(9))
    assert len(server.asked) == 1


def test_redirects_elsewhere_are_refused(servers, server, connect):
    """The other host would get the images and the key."""
    other = servers()
    server.always = ("307", other.url)
    client, _ = connect(pace={"concurrency": 1})
    with pytest.raises(
        RefusedError, match=r"a redirect was refused: expected one of the hosts .* \(request.hosts\)"
    ):
        client.answers(images(1))
    assert other.asked == []


def test_redirects_to_hosts_that_are_allowed_are_followed_and_counted(servers, server, connect):
    other = servers()
    server.always = ("308", other.url)
    host = other.url.split("/")[2]
    client, ledger = connect(request={"hosts": (host,), "headers": {"X-Model": "2"}})
    assert client.answers(images(3)) == said(images(3))
    assert len(server.asked) == len(other.asked) == 3
    assert {asked.headers["x-model"] for asked in other.asked} == {"2"}
    assert ledger.usage.queries == 6


def test_a_redirect_takes_no_secret_along(servers, server, connect, monkeypatch):
    """What looks like a variable in the address that a server sends back is only text."""
    monkeypatch.setenv("FOOLING_HTTP_KEY", "s3cret-of-mine")
    monkeypatch.setenv("PRIVATE", "diary")
    server.script = [("307", "/label?a=${FOOLING_HTTP_KEY}&b=${PRIVATE}")]
    connect(pace={"concurrency": 1})[0].answers(images(1))
    assert [part in server.asked[1].path for part in ("s3cret", "diary", "PRIVATE")] == [False, False, True]


@pytest.mark.parametrize("status", ["301", "302", "303"])
def test_redirects_that_would_turn_into_another_method_are_refused(server, connect, status):
    server.always = (status, server.url)
    with pytest.raises(RefusedError, match=rf"found a redirect \({status}\)"):
        connect()[0].answers(images(1))


def test_redirects_in_a_circle_end(server, connect):
    server.always = ("307", "/again")
    client, ledger = connect(pace={"concurrency": 1})
    with pytest.raises(RefusedError, match="found 4 redirects in a row"):
        client.answers(images(1))
    assert len(server.asked) == ledger.usage.queries == 4


def test_secrets_are_sent_and_never_told(server, connect, monkeypatch, tmp_path):
    monkeypatch.setenv("FOOLING_HTTP_KEY", "s3cret-of-mine")
    client, ledger = connect(
        request={"headers": {"Authorization": "Bearer ${FOOLING_HTTP_KEY}"}}, pace={"concurrency": 1}
    )
    client.answers(images(1))
    assert server.asked[0].headers["authorization"] == "Bearer s3cret-of-mine"
    server.always = "echo"
    with pytest.raises(RefusedError) as caught:
        client.answers(images(2))
    assert "s3cret" not in str(caught.value)
    assert "Bearer ${FOOLING_HTTP_KEY}" in str(caught.value)
    ledger.close()
    assert b"s3cret" not in (tmp_path / "test.answers").read_bytes()


@pytest.mark.parametrize("value", [None, "", "two\nlines"])
def test_a_secret_that_is_not_there_or_no_header_is_told_by_name(server, connect, monkeypatch, value):
    monkeypatch.delenv("FOOLING_HTTP_KEY", raising=False)
    if value is not None:
        monkeypatch.setenv("FOOLING_HTTP_KEY", value)
    client, _ = connect(request={"headers": {"Authorization": "${FOOLING_HTTP_KEY}"}})
    with pytest.raises(InvalidError, match="environment variable FOOLING_HTTP_KEY") as caught:
        client.answers(images(1))
    assert "two" not in str(caught.value)
    assert server.asked == []


def test_proxies_of_the_environment_get_nothing(servers, server, connect, monkeypatch):
    proxy = servers()
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, proxy.url)
    monkeypatch.setenv("no_proxy", "")
    connect()[0].answers(images(1))
    assert (len(server.asked), len(proxy.asked)) == (1, 0)


def test_money_is_a_limit_too(server, connect):
    client, ledger = connect(budget={"queries": None, "price": 0.25, "cost": 1.0})
    with pytest.raises(
        OutOfAnswers, match=r"the budget is spent \(4 queries, 1 of at most 1\); to go on, raise it"
    ):
        client.answers(images(9))
    assert len(server.asked) == 4
    assert (ledger.usage.queries, ledger.usage.cost) == (4, 1.0)


TROUBLES = st.sampled_from(["ok", "ok", "500", ("429", 0), "garbage", "closed", "404", "list"])


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    script=st.lists(TROUBLES, max_size=12),
    budget=st.integers(0, 14),
    concurrency=st.integers(1, 5),
    batches=st.lists(st.integers(1, 6), min_size=1, max_size=3),
)
def test_never_more_is_sent_than_the_budget_and_nothing_is_paid_twice(
    server, tmp_path_factory, script, budget, concurrency, batches
):
    """Whatever fails and in whatever order threads ask, and again with a larger budget after a restart."""
    path = tmp_path_factory.mktemp("ledger") / "test.answers"
    pixels = images(12)
    for allowed in (budget, 200):
        server.asked.clear() if allowed == budget else None
        server.script = list(script)
        ledger = Ledger(path)
        table = document(
            server.url,
            budget={"queries": allowed},
            pace={"concurrency": concurrency, "backoff": 0.0, "retries": 1},
        )
        client = Client("http:test.toml", table, ledger)
        with ThreadPoolExecutor(len(batches)) as pool:
            asked = [pool.submit(client.answers, pixels[size : size + 6]) for size in batches]
        for size, future in zip(batches, asked, strict=True):
            if future.exception() is None:
                assert future.result() == said(pixels[size : size + 6])
            else:
                assert isinstance(future.exception(), OutOfAnswers)
        assert len(server.asked) == ledger.usage.queries <= allowed
        assert len(server.answered) == len(set(server.answered))
        ledger.close()


def test_waiting_doubles_and_differs_from_image_to_image_the_same_each_time():
    """Clients that fail together must not come back together; and a run must repeat."""
    table = PaceTable(backoff=1.0, longest=10.0)
    waits = [[back_off(table, attempt, bytes([image])) for attempt in range(40)] for image in range(50)]
    assert waits == [
        [back_off(table, attempt, bytes([image])) for attempt in range(40)] for image in range(50)
    ]
    for row in waits:
        for attempt, seconds in enumerate(row):
            whole = min(10.0, 2.0**attempt)
            assert whole / 2 <= seconds <= whole
    assert len({row[0] for row in waits}) == 50


def test_an_answer_is_kept_as_it_was_read(server, connect):
    """To mend label_map costs nothing: what is kept are the server's own labels."""
    client, ledger = connect()
    client.answers(images(1))
    row = ledger._database.execute("SELECT answer FROM answers").fetchone()
    assert json.loads(row[0]) == [list(pair) for pair in said(images(1))[0]]


def test_a_batch_is_not_held_up_by_one_that_gave_up(server, connect):
    """A thread that waits for another batch's request learns at once that it will not be sent."""
    client, _ = connect(pace={"concurrency": 1, "retries": 0})
    server.always = "500"
    pixels = images(20)
    with ThreadPoolExecutor(4) as pool:
        for future in [pool.submit(client.answers, pixels) for _ in range(4)]:
            error = future.exception(timeout=60)
            assert isinstance(error, OutOfAnswers)
            assert "no answer in 1 tries: the server answered 500" in str(error), "the cause, to each"
    assert len(server.asked) <= 4
