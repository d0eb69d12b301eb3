"""Where in a checkpoint the network lies. Trainings nest weights in dictionaries ("state_dict", "model", "ema"),
wrap networks in others ("module." of DataParallel, "_orig_mod." of torch.compile, "model." of Lightning), and
keep a loss, an optimizer or a second network beside.

All of that is a prefix once the names are flat. The network lies at the prefix under which most of the names
that it wants are found. Where there are two such prefixes, and one says that it is a moving average ("ema"),
that one is taken, as timm's and torchvision's own evaluation do; else the user has to say which.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping

from torch import Tensor

from fooling.classifiers.weights_files import COUNTER
from fooling.errors import InvalidError

_WRAPPERS = ("module", "_orig_mod", "_fsdp_wrapped_module", "_checkpoint_wrapped_module")
_AVERAGED = re.compile(r"(?:^|[._])ema(?:[._]|$)")


def network_in(
    state: dict[str, Tensor], wanted: Collection[str], origin: str, key: str | None = None
) -> tuple[dict[str, Tensor], tuple[str, ...]]:
    """The tensors of the network, by the names that it has for them, and a note where those are not the file's.

    Args:
        state: the tensors of a file.
        wanted: the names that the network has.
        origin: the file, for notes and errors.
        key: the prefix that is meant; None: the only one, or that of a moving average.

    Raises:
        InvalidError: several networks, and none is named; or none under the key.
    """
    wanted = {name for name in wanted if not name.endswith(COUNTER)}
    left_off = [wrapper for wrapper in _WRAPPERS if not any(wrapper in name.split(".") for name in wanted)]
    plain = {_without(name, left_off): tensor for name, tensor in state.items()}
    if len(plain) < len(state):
        plain, left_off = state, []
    places = Counter(prefix for name in plain for prefix, rest in _splits(name) if rest in wanted)
    if key is not None:
        meant = _without(key.rstrip("."), left_off) + "."
        places = Counter({prefix: count for prefix, count in places.items() if prefix.startswith(meant)})
        if not places:
            raise InvalidError(f"{origin}: expected weights under key = {key!r}, found {_beginnings(state)}")
    best = max(places.values(), default=0)
    if best < len(wanted) / 2 and key is None:
        return state, ()
    prefix, others = _chosen([place for place, count in places.items() if count == best], origin)
    inside = {name.removeprefix(prefix): value for name, value in plain.items() if name.startswith(prefix)}
    return inside, tuple(_notes(origin, state, plain, inside, prefix, others))


def compare_classes(
    state: Mapping[str, Tensor], wanted: Mapping[str, Tensor], classes: int, origin: str, labelled: bool
) -> None:
    """Refuse weights of another number of classes with a word about labels, not about shapes.

    Args:
        wanted: the network's own tensors, as many classes as `classes`.
        labelled: whether the user gave the labels.

    Raises:
        InvalidError: the tensors differ from the network's in the number of classes.
    """
    for name, tensor in wanted.items():
        if name not in state or state[name].ndim == 0 or state[name].ndim != tensor.ndim:
            continue
        found = state[name].shape
        if tensor.shape[0] == classes != found[0] and tensor.shape[1:] == found[1:]:
            advice = f"the file of labels has {classes}" if labelled else "say labels=FILE, a label per line"
            raise InvalidError(
                f"{origin}: expected weights of {classes} classes, found {found[0]} ({name!r}): {advice}"
            )


def _without(name: str, wrappers: Collection[str]) -> str:
    return ".".join(part for part in name.split(".") if part not in wrappers)


def _splits(name: str) -> Iterator[tuple[str, str]]:
    """A name cut in two behind each of its dots, and before its first character."""
    yield "", name
    for dot in re.finditer(r"\.", name):
        yield name[: dot.end()], name[dot.end() :]


def _chosen(places: list[str], origin: str) -> tuple[str, list[str]]:
    """The prefix that is taken, and those that are not.

    Raises:
        InvalidError: none says that it is the one.
    """
    if "" in places:
        return "", []
    averaged = [place for place in places if _AVERAGED.search(place)]
    if len(places) > 1 and len(averaged) != 1:
        shown = " or ".join(f"key = {place[:-1]!r}" for place in places[:4])
        raise InvalidError(
            f"{origin}: expected one network, found {len(places)}: say which is meant by {shown}"
        )
    prefix = (averaged if len(places) > 1 else places)[0]
    return prefix, [place for place in places if place != prefix]


def _notes(
    origin: str,
    state: dict[str, Tensor],
    plain: dict[str, Tensor],
    inside: dict[str, Tensor],
    prefix: str,
    others: list[str],
) -> Iterator[str]:
    parts = [f"under {prefix[:-1]!r}"] if prefix else []
    dropped = sorted({part for name in state for part in name.split(".")} & set(_WRAPPERS))
    if dropped and plain is not state:
        parts.append(f"{' and '.join(repr(part + '.') for part in dropped)} left off their names")
    if aside := [name for name in plain if not name.startswith(prefix)]:
        parts.append(f"{len(aside)} other tensors left out, like {aside[0]!r}")
    if others:
        parts.append(f"not those of key = {others[0][:-1]!r}")
    if parts:
        yield f"{origin}: {len(inside)} tensors taken {', '.join(parts)}"


def _beginnings(names: Iterable[str]) -> str:
    """What the names of a file begin with."""
    found = list(dict.fromkeys(name.partition(".")[0] for name in names))
    return ", ".join(map(repr, found[:4])) + (", ..." if found[4:] else "")
