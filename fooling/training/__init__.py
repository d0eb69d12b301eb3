"""Training small classifiers of one's own: the readers of data, the recipes, and what training writes."""

from fooling.training.recipe import TrainingRecipe, recipe_for
from fooling.training.saving import save
from fooling.training.train import Progress, Trained, fit, train

__all__ = ["Progress", "Trained", "TrainingRecipe", "fit", "recipe_for", "save", "train"]
