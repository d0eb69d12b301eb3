"""The search named `single-class`: one class at a time, by the libraries' own algorithms.

The baseline of "Innovation Engines" (Nguyen, Yosinski & Clune 2015b): what does it gain to evolve all classes at
once? So here an image competes for one class only: direct images under DEAP's (mu + lambda) algorithm
(`direct`), CPPNs under neat-python's NEAT (`neat_cppn`).
"""

from fooling.search.single.search import SingleClass

__all__ = ["SingleClass"]
