"""What of all this works through a service that says little and counts every query.

`restriction` says what the service says, `fitness` what a search makes of that, `book` what was asked so far, `service`
plays both sides; `watch` is what the service might notice; `scenario` is a search within a budget, `stand_in` another
network whose elites are sent first; `measure` asks for all of it, `result` is the answer.
"""
