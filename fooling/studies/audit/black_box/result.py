"""What works through a service that says little, as data."""

from __future__ import annotations

from fooling.studies.audit.checks import Check
from fooling.studies.audit.shares import Share
from fooling.validation import Data, Many


class Alarm(Data):
    """What a service would notice that looks for one thing.

    Attributes:
        name: "near-copies" (Blacklight) or "low-margins".
        first: of each run, the number of the first query that raises an alarm, from 1 on; None: none does.
        share: of all queries, those that raise one.
        real: of real test images, one after the other, those that raise one: false alarms; None where there are none.
    """

    name: str
    first: Many[int | None]
    share: float
    real: float | None


class Scenario(Data):
    """A search through a service, within a budget of queries.

    Attributes:
        access, text: what the service says, as a name and in words.
        copies: queries for each image: more than one where labels are all that is said.
        stand_in: whether elites of a stand-in network were sent first.
        budget: queries that a run may spend.
        runs: how many.
        queries: the most that a run spent.
        sent: the most requests of a run, those that failed among them.
        success: the share of classes with an image that the classifier in truth gives at least 0.99, as its first.
        first: the share of classes with an image that the classifier in truth calls so first.
        believed: the share of classes that the search believes to have reached: listed with at least 0.99; or called
            so in every copy.
        median: of the true confidences of the best images of all classes.
        queries_50, queries_90: after how many queries half, and nine tenths, of the classes were reached, as the search
            sees it; None: not within the budget.
        alarms: what a service would notice.
        why: why it was not measured; None where it was.
    """

    access: str
    text: str
    copies: int = 1
    stand_in: bool = False
    budget: int
    runs: int = 0
    queries: int = 0
    sent: int = 0
    success: Share | None = None
    first: Share | None = None
    believed: Share | None = None
    median: float | None = None
    queries_50: float | None = None
    queries_90: float | None = None
    alarms: Many[Alarm] = ()
    why: str | None = None


class StandIn(Data):
    """Elites of another network, shown to this one: one query each.

    Attributes:
        model: the network.
        images: how many.
        first: the share that this classifier calls its class first.
        at_99: the share that it calls so with at least 0.99.
        why: why there is none; None where there is one.
    """

    model: str | None = None
    images: int = 0
    first: Share | None = None
    at_99: Share | None = None
    why: str | None = None


class BlackBox(Data):
    """What works through a service that says little.

    Attributes:
        failures: the share of requests that the simulated service fails to answer.
        doubtful_below: the margin below which a query counts as doubtful; None without real images.
        stand_in: whose elites are sent first.
        scenarios: what the service says, and how many queries it answers.
    """

    failures: float
    doubtful_below: float | None
    stand_in: StandIn
    scenarios: Many[Scenario]


class Part(Data):
    """This part of an audit."""

    black_box: BlackBox | None = None
    checks: Many[Check]
