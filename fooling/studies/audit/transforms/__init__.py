"""Transforms in front of the classifier: `filters` has them, `through` puts one before a classifier, `measure` asks what
it does to elites, to real images, and to a search that knows of it; `result` is the answer."""
