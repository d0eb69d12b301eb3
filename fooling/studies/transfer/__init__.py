"""Do the images fool other networks too? (Nguyen, Yosinski & Clune 2015, section 3.5 and supplement A.)

`measure` shows the elites of runs to other classifiers, `labels` says which of their classes is meant,
`fooling.studies.intervals` how sure the shares are, `document` says it; `fooling.present.transfer` shows it.
"""
