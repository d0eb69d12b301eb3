"""People's answers come before any distance. Counting the wrong ones would let two-label guesses, half of which are right
by chance, excuse noise."""

from __future__ import annotations

import json

from fooling.store import people
from fooling.studies.audit.recognition.people import shares_of


def trial(image, **other):
    return {"class": 1, "image": image * 32, "confidence": 0.99, **other}


def test_only_answers_that_name_elites_are_counted_by_image(tmp_path, monkeypatch):
    naming = {"event": "session", "mode": "naming", "seed": 0, "began": "", "options": 3}
    lines: list[dict] = []
    for number in range(4):
        session = f"{number:032x}"
        lines.append({**naming, "session": session, "trials": [trial("a"), trial("b"), trial("c", sample=0)]})
        for place, answer in enumerate([1 if number < 3 else 0, None, 1]):
            lines.append({"event": "answer", "session": session, "trial": place, "answer": answer, "at": ""})
    chosen = {**naming, "session": "f" * 32, "mode": "choice", "trials": [trial("b", offered=[1, 0])]}
    lines += [chosen, {"event": "answer", "session": "f" * 32, "trial": 0, "answer": 1, "at": ""}]
    content = "".join(json.dumps(line) + "\n" for line in lines).encode()
    monkeypatch.setattr(people, "read", lambda run, classes: people._parsed(content, classes))
    assert shares_of(tmp_path, ("x", "y", "z")) == {"a" * 32: (0.75, 4), "b" * 32: (0.0, 4)}


def test_a_run_that_nobody_judged_has_no_shares(tmp_path):
    assert shares_of(tmp_path, ("x", "y")) == {}
