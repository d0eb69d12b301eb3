"""Every task of every search, registered by this import (`workers.tasks`): for processes that compute them."""

from fooling.search import breeding, evaluation
from fooling.search.ascent import task as ascent
from fooling.search.single import task as single

__all__ = ["ascent", "breeding", "evaluation", "single"]
