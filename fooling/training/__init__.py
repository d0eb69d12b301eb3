"""Training small classifiers of one's own: the readers of data, the recipes, and what training writes."""

from fooling.training.recipe import Progress, Recipe, Trained, fit, recipe_for, train
from fooling.training.saving import save

__all__ = ["Progress", "Recipe", "Trained", "fit", "recipe_for", "save", "train"]
