"""Every task of every search, registered by this import (`workers.tasks`): for processes that compute them."""

from importlib import import_module
from typing import get_args

from fooling.search import breeding, evaluation
from fooling.search.settings import SearchSettings

__all__ = ["breeding", "evaluation"]

for _settings in get_args(get_args(SearchSettings)[0]):
    import_module(_settings.searcher.partition(":")[0])
