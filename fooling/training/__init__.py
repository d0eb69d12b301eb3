"""Training small classifiers of one's own: the IDX reader, the recipe, and what it writes."""

from fooling.training.recipe import Progress, Recipe, Trained, fit, train
from fooling.training.saving import save

__all__ = ["Progress", "Recipe", "Trained", "fit", "save", "train"]
