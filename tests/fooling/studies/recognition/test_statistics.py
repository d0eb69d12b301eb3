"""From answers to shares: what is said of people's eyes rests on these few lines."""

from __future__ import annotations

from collections import defaultdict

from hypothesis import given
from hypothesis import strategies as some

from fooling.store.people import AnswerRecord, SessionRecord, Told, Trial
from fooling.studies.recognition.result import People
from fooling.studies.recognition.statistics import (
    Judgement,
    answers_of,
    judged,
    judgements,
    people_of,
)

LABELS = ("ant", "bee", "cat", "bee")  # two classes of one label
JUDGEMENTS = some.lists(
    some.builds(
        Judgement,
        image=some.sampled_from("abcdef"),
        real=some.booleans(),
        mode=some.sampled_from(["naming", "choice"]),
        right=some.booleans(),
        nothing=some.booleans(),
        options=some.integers(2, 1000),
    ),
    max_size=40,
)


def told(*sessions: tuple[str, list[tuple[int, int | None, bool]]]) -> Told:
    """Sessions of a person each, with the class, the answer and whether it is real, of images named by their class."""
    records, answers = {}, []
    for number, (person, trials) in enumerate(sessions):
        id = f"{number:032x}"
        records[id] = SessionRecord(
            session=id, mode="naming", person=person, seed=0, began="", options=3,
            trials=tuple(Trial(number=k, image=f"{k:032x}", sample=0 if real else None) for k, _, real in trials),
        )  # fmt: skip
        answers += [
            AnswerRecord(session=id, trial=place, answer=said, at="")
            for place, (_, said, _) in enumerate(trials)
        ]
    return Told(records, tuple(answers))


def test_a_case_counted_by_hand() -> None:
    """A failure reports another share than people's answers have."""
    people = people_of(
        told(
            ("Ann", [(0, 0, False), (1, 3, False), (2, None, True)]),  # right; right by label; nothing
            ("", [(0, 1, False), (2, 2, True)]),  # wrong; right
            ("", [(0, 0, False)]),  # right: two of three name class 0
        ),
        LABELS,
    )
    assert people is not None
    assert people.naming is not None
    assert (people.sessions, people.completed, people.names, people.repeated) == (3, 3, 1, 0)
    assert people.choice is None
    elites, real = people.naming.elites, people.naming.real
    assert (elites.images, elites.recognised, elites.answers, elites.right, elites.nothing) == (2, 2, 4, 3, 0)
    # One of two named it: no more than half.
    assert (real.images, real.recognised, real.answers, real.right, real.nothing) == (1, 0, 2, 1, 1)
    assert elites.chance == real.chance
    assert abs(elites.chance - 1 / 3) < 1e-12
    # Wilson (1927) for 3 of 4, by hand: centre (3 + z²/2) / (4 + z²), z = 1.959964.
    assert elites.right_ci95 is not None
    low, high = elites.right_ci95
    assert abs(low - 0.300642) < 1e-5
    assert abs(high - 0.954413) < 1e-5


def test_who_has_seen_the_truth_is_not_counted_again() -> None:
    """A failure lets one person who plays twice make any image a recognised one."""
    twice = told(
        ("Ann", [(0, 1, False)]), (" ann ", [(0, 0, False), (1, 1, False)]), ("Bob", [(0, 0, False)])
    )
    found, repeated = judgements(twice, LABELS)
    assert ([one.right for one in found], repeated) == ([False, True, True], 1)
    people = people_of(twice, LABELS)
    assert (people.names, people.repeated, people.naming.elites.answers) == (2, 1, 3)


def test_nobody_was_asked() -> None:
    """A failure says "0 %" of a run that nobody has looked at."""
    assert people_of(Told({}, ()), LABELS) is None
    assert people_of(Told({}, (), damaged=2), LABELS).damaged == 2
    begun = people_of(told(("Ann", [(0, 0, True)])), LABELS)
    assert begun.naming.elites.images == 0
    assert begun.naming.elites.recognised_ci95 is None
    assert begun.naming.elites.chance is None


@given(JUDGEMENTS)
def test_shares_are_shares(given: list[Judgement]) -> None:
    """A failure is a share beyond its whole, or an interval that its share is not in."""
    for asked in (found := answers_of(given)).naming, found.choice:
        for part in (asked.elites, asked.real) if asked else ():
            assert 0 <= part.recognised <= part.images <= part.answers
            assert part.right <= part.answers
            for hits, count, interval in (
                (part.recognised, part.images, part.recognised_ci95),
                (part.right, part.answers, part.right_ci95),
            ):
                assert (interval is None) == (count == 0)
                if interval is not None:
                    assert 0 <= interval[0] <= hits / count + 1e-12
                    assert hits / count - 1e-12 <= interval[1] <= 1
            assert (part.chance is None) == (part.answers == 0)
    total = sum(
        part.answers
        for asked in (found.naming, found.choice) if asked
        for part in (asked.elites, asked.real)
    )  # fmt: skip
    assert total == len(given)


@given(JUDGEMENTS, some.randoms(use_true_random=False))
def test_the_order_of_answers_is_nothing(given: list[Judgement], random) -> None:
    """A failure makes the result depend on who answered first."""
    shuffled = list(given)
    random.shuffle(shuffled)
    before, after = judged(given), judged(shuffled)
    assert before.model_copy(update={"chance": None}) == after.model_copy(update={"chance": None})


@given(JUDGEMENTS)
def test_an_image_counts_once_and_by_its_majority(given: list[Judgement]) -> None:
    """A failure lets one image that many saw stand for many images."""
    votes = defaultdict(list)
    for one in given:
        votes[one.image].append(one.right)
    found = judged(given)
    assert found.images == len(votes)
    assert found.recognised == sum(sum(right) > len(right) / 2 for right in votes.values())


def test_a_result_goes_through_json() -> None:
    """A failure costs the pages and other programs the answers."""
    people = people_of(told(("Ann", [(0, 0, False), (2, 2, True)])), LABELS)
    assert People.model_validate(people.document()) == people
