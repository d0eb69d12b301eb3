"""Does it help to train on fooling images? (Nguyen, Yosinski & Clune 2015, sections 3.7 and 3.8.)

    from fooling.studies.retrain import Plan, retrain

    rounds = retrain("mnist/", "retrain", Plan(rounds=3, first=6000, more=1000))
    rounds[3].accuracy.value, rounds[3].recognised.new.value

`plan` says what is asked for, `data` what is trained on, `trainers` how; `sampling` takes images out of runs,
`rounds` goes round and round, `measures` says what a round brought; `document` says it,
`fooling.present.retrain` shows it.
"""

from fooling.studies.retrain.measures import Recognised, Round, Share
from fooling.studies.retrain.plan import Plan
from fooling.studies.retrain.rounds import retrain
from fooling.studies.retrain.trainers import Trainer

__all__ = ["Plan", "Recognised", "Round", "Share", "Trainer", "retrain"]
