"""The budget is hard and what was answered is kept: a mistake here costs the user money."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fooling.classifiers.sources.http.ledger import Ledger
from fooling.classifiers.sources.http.spec import BudgetTable
from fooling.errors import FoolingError, InvalidError

RESERVE = """
import sys
from pathlib import Path
from fooling.classifiers.sources.http.ledger import Ledger
from fooling.classifiers.sources.http.spec import BudgetTable
ledger, budget = Ledger(Path(sys.argv[1])), BudgetTable(queries=30)
print(sum(ledger.reserve(budget) for _ in range(20)))
"""


@pytest.fixture
def path(tmp_path) -> Path:
    return tmp_path / "test.answers"


def test_what_is_kept_is_there_for_the_next(path):
    ledger = Ledger(path)
    ledger.keep(b"key", '[["cat",0.5]]')
    assert ledger.reserve(BudgetTable(queries=5, price=0.1, cost=9.0))
    ledger.close()
    again = Ledger(path)
    assert again.answer(b"key") == '[["cat",0.5]]'
    assert again.answer(b"other") is None
    assert (again.usage.queries, again.usage.cost) == (1, 0.1)


prices = st.sampled_from([0.0, 0.0015, 0.1, 1 / 3])


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    queries=st.none() | st.integers(0, 30),
    cost=st.floats(0, 3),
    asked=st.lists(st.tuples(prices, st.integers(0, 12)), min_size=1, max_size=4),
    ledgers=st.integers(1, 2),
)
def test_never_more_than_the_budget_for_any_interleaving(tmp_path_factory, queries, cost, asked, ledgers):
    """Threads that ask for queries at several prices, over one connection or two: what was granted is what
    is written, and never more than was allowed."""
    path = tmp_path_factory.mktemp("ledger") / "test.answers"
    opened = [Ledger(path) for _ in range(ledgers)]
    barrier = threading.Barrier(len(asked))

    def spend(number: int) -> tuple[int, float]:
        price, wishes = asked[number]
        barrier.wait()
        if price == 0 and queries is None:
            return 0, 0.0
        budget = BudgetTable(queries=queries, price=price, cost=cost if price else None)
        granted = sum(opened[number % ledgers].reserve(budget) for _ in range(wishes))
        return granted, granted * price

    with ThreadPoolExecutor(len(asked)) as pool:
        granted = list(pool.map(spend, range(len(asked))))
    total, money = sum(count for count, _ in granted), sum(paid for _, paid in granted)
    assert total == opened[0].usage.queries
    assert opened[-1].usage.cost == pytest.approx(money, abs=1e-6)
    assert queries is None or total <= queries
    assert money <= cost + 1e-6
    wished = sum(wishes for price, wishes in asked if price or queries is not None)
    if queries is not None and not any(price for price, _ in asked):
        assert total == min(queries, wished), "a budget must also be there to be used"
    for ledger in opened:
        ledger.close()


def test_the_last_cent_may_be_spent(path):
    """In floats, 0.1 + 0.1 + 0.1 is more than 0.3."""
    ledger = Ledger(path)
    budget = BudgetTable(price=0.1, cost=0.3)
    assert [ledger.reserve(budget) for _ in range(5)] == [True, True, True, False, False]
    assert ledger.usage.cost == 0.3


def test_processes_share_the_budget(path):
    asking = [
        subprocess.Popen([sys.executable, "-c", RESERVE, str(path)], stdout=subprocess.PIPE) for _ in range(2)
    ]
    assert sum(int(process.communicate(timeout=200)[0]) for process in asking) == 30
    assert Ledger(path).usage.queries == 30


def test_another_file_is_not_written_over(path):
    path.write_text("my thesis\n" * 100)
    with pytest.raises(InvalidError, match="expected a query ledger"):
        Ledger(path)
    assert path.read_text().startswith("my thesis")


def test_another_database_is_not_written_in(path):
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE songs (name TEXT)")
    with pytest.raises(InvalidError, match="expected a query ledger, format 1, found another file"):
        Ledger(path)


def test_a_folder_that_is_not_there_is_told_in_one_line(tmp_path):
    with pytest.raises(FoolingError, match=r"nowhere.*the query ledger can't be used: unable to open"):
        Ledger(tmp_path / "nowhere" / "test.answers")
