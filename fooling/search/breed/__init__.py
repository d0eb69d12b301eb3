"""The search named `breed`: a line of CPPN images that a person bred, by picking and rejecting.

`brood` makes the images of a line (`fooling.search.line`) and of nothing else; `search` lets a classifier judge them.
"""
