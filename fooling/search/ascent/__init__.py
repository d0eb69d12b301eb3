"""Gradient ascent: the third way to a fooling image (Nguyen, Yosinski & Clune 2015, section 3.9).

`search` keeps the climbs, `task` takes their steps on some worker; `objective`, `rules`, `regularisers` and
`starts` are what a step and its beginning are made of, `records` what is known of each climb, `fitting` what
the search asks of encoding and classifier.
"""
