"""Do the images fool other networks too? (Nguyen, Yosinski & Clune 2015, section 3.5 and supplement A.)

`study` answers a request with a `result`; `measure` shows the elites of runs to other classifiers; `labels` says which
of their classes is meant. `fooling.present.transfer` draws the result.
"""
