"""CPPN genotypes: a packed population, its variation and its rendering.

This package knows no classifier, no archive and no cluster, and imports nothing else of the project.
"""
