"""Files with the names of classes, in the forms that lie about: a name per line, in output order; JSON; Python's
dictionaries and lists; lines with an index or a WordNet id; tables; YAML's lists and maps.

What is not plain lines is recognised by its content, and said; what looks like another form but is damaged is refused.
Nothing that only holds names (brackets, quotes, numbers) becomes part of them.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from fooling.datasets.names import WORDNET_ID
from fooling.datasets.tables import read_rows
from fooling.errors import InvalidError
from fooling.files import read_text

_KEYS = ("id2label", "labels", "label_names", "classes", "class_names", "names", "categories")
_COLUMNS = ("label", "labels", "name", "names", "class", "classes", "class_name", "label_name", "category")
_INDICES = ("index", "id", "class_id", "class_index", "idx", "label_id", "target")
_IDS = ("wnid", "wordnet", "wordnet_id", "synset", "synset_id")
_BRACKET = re.compile(r"[\[{(]\s*[\"'\d\[{(\]}]")
_INDEX_FIRST = re.compile(r"(\d+)(?:\s*[,;:=|)\t]\s*|\.\s+|\s+-\s+|\s+)(.+)")
_INDEX_LAST = re.compile(r"(.+?)(?:\s*[,;:=|\t]\s*|\s+)(\d+)")
_ID_FIRST = re.compile(r"(n\d{8})[\s,;:|]+(.+)")
_ASSIGNED = re.compile(r"(?:(?:const|let|var)\s+)?[A-Za-z_]\w*\s*(?::[^=\n]*)?=\s*(?=[\[{(])")
_QUOTED = re.compile(r"""(["'])((?:(?!\1).)*)\1,?""")
_CODE = re.compile(r"""[{}]|.*[{\[]|[\]}],?|[\[{].*[\]}],?|<.*>|\|.*\||---|(["']).*\1,?|.*\t.*""")


@dataclass(frozen=True)
class LabelFile:
    """What a file of labels holds.

    Attributes:
        labels: a name per class, in output order.
        wordnet: a WordNet id per class, where the file has them.
        form: what it was read as, None for plain lines.
    """

    labels: tuple[str, ...]
    wordnet: tuple[str, ...] | None = None
    form: str | None = None

    def notes(self, name: str) -> tuple[str, ...]:
        """What should be said about a file of that name: nothing of plain lines."""
        return (f"{name}: read as {self.form}, {len(self.labels)} labels",) if self.form else ()


def read_labels(path: Path) -> LabelFile:
    """The labels in a file, of whatever form.

    Raises:
        NotFoundError: no such file.
        InvalidError: a form that is not known, or is damaged; an empty line between labels; indices that are not
            0 to K - 1.
    """
    text = read_text(path, "a file of labels").rstrip()
    written = _ASSIGNED.sub("", text.lstrip(), count=1)  # as in a program: CLASSES = ["cat", "dog"]
    if _BRACKET.match(written):
        data, kind = _parsed(path, written.rstrip("; "))
        return _structured(data, path, kind)
    lines = [line.strip() for line in text.split("\n")]
    if "" in lines:
        raise InvalidError(f"{path}: expected a label on every line, found line {lines.index('') + 1} empty")
    if (table := _table(path, text)) is not None:
        return table
    return _from_lines(path, lines)


def _parsed(path: Path, text: str) -> tuple[Any, str]:
    """What JSON or Python has written down, and which of them."""
    try:
        return json.loads(text), "JSON"
    except (ValueError, RecursionError) as error:
        reason = str(error)
    try:
        return ast.literal_eval(text), "Python"
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        raise InvalidError(
            f"{path}: expected labels, one per line, or as JSON, or as a dictionary or list of Python, found what is "
            f"none of these: {reason}"
        ) from None


def _structured(data: Any, path: Path, kind: str, within: str = "") -> LabelFile:
    """Labels from a list or a dictionary."""
    if isinstance(data, Mapping):
        keys = [str(key) for key in data]
        if all(key.isascii() and key.isdecimal() for key in keys):
            ordered = _in_order(path, [int(key) for key in keys], list(data.values()))
            return _named(path, ordered, f"a {kind} map of index and label{within}")
        if data and all(map(_is_index, data.values())):
            ordered = _in_order(path, [int(value) for value in data.values()], keys)
            return _named(path, ordered, f"a {kind} map of label and index{within}")
        known = [key for key in _KEYS if isinstance(data.get(key), Mapping | list)]
        if len(known) == 1 and not within:
            return _structured(data[known[0]], path, kind, f" under {known[0]!r}")
        raise InvalidError(f"{path}: expected a map of index and label, found the keys {_some(keys)}{within}")
    if not isinstance(data, list | tuple):
        raise InvalidError(f"{path}: expected a list or a map of labels, found {type(data).__name__}")
    if data and all(isinstance(item, Mapping) for item in data):
        return _of_records(path, data, kind)
    return _named(path, data, f"a {kind} list{within}")


def _is_index(value: Any) -> bool:
    """Whether a value is a class index, as a number or as text."""
    return type(value) is int or (isinstance(value, str) and value.isascii() and value.isdecimal())


def _of_records(path: Path, records: Sequence[Mapping[Any, Any]], kind: str) -> LabelFile:
    """Labels from a list of objects: [{"id": 0, "name": "cat"}, ...]."""

    def column(names: tuple[str, ...]) -> list[Any] | None:
        key = next((name for name in names if all(name in record for record in records)), None)
        return None if key is None else [record[key] for record in records]

    names, indices, ids = column(_COLUMNS), column(_INDICES), column(_IDS)
    if names is None:
        raise InvalidError(f"{path}: expected objects with a name, found {_some([*map(str, records[0])])}")
    pairs = names if ids is None else list(zip(ids, names, strict=True))
    if indices is not None and all(type(index) is int for index in indices):
        pairs = _in_order(path, indices, pairs)
    return _named(path, pairs, f"a {kind} list of objects")


def _named(path: Path, values: Sequence[Any], form: str) -> LabelFile:
    """Labels from texts, or from pairs of a WordNet id and a text, as Keras has them."""
    if all(isinstance(value, str) for value in values) and values:
        return replace(_without_ids(path, list(values)), form=form)
    pairs = [value for value in values if isinstance(value, list | tuple) and len(value) == 2]
    if pairs and len(pairs) == len(values) and all(isinstance(text, str) for pair in pairs for text in pair):
        ids, labels = zip(*pairs, strict=True)
        if all(WORDNET_ID.fullmatch(identity) for identity in ids):
            return LabelFile(labels, ids, f"{form}, each with a WordNet id")
    odd = next((value for value in values if not isinstance(value, str)), None)
    raise InvalidError(f"{path}: expected a name for every class, found {odd!r}")


def _in_order(path: Path, indices: Sequence[int], values: Sequence[Any]) -> list[Any]:
    """Values in the order of their indices.

    Raises:
        InvalidError: the indices are not 0 to K - 1, nor 1 to K.
    """
    order = sorted(range(len(indices)), key=indices.__getitem__)
    first = indices[order[0]] if order else 0
    if first not in (0, 1) or [indices[place] for place in order] != list(range(first, first + len(order))):
        odd = next(
            (index for wanted, index in enumerate(sorted(indices), start=min(first, 1)) if index != wanted),
            first,
        )
        raise InvalidError(
            f"{path}: expected every class index from 0 to {len(indices) - 1} once, found {odd} out of turn"
        )
    return [values[place] for place in order]


def _table(path: Path, text: str) -> LabelFile | None:
    """Labels from a table whose first line names its columns; None where it is no such table."""
    first = re.split(r"[,;\t]", text.partition("\n")[0].casefold())
    header = [name.strip().strip("\"'") for name in first]
    if not any(name in _COLUMNS for name in header) or len(header) < 2:
        if len(header) == 1 and header[0] in _COLUMNS and "\n" in text:
            raise InvalidError(
                f"{path}: expected a label on every line, found {header[0]!r} in the first: leave out the header"
            )
        return None
    known = (*_COLUMNS, *_INDICES, *_IDS, "")
    columns = {len(re.split(r"[,;\t]", line)) for line in text.split("\n")}
    if len(columns) > 1 and not all(
        name in known for name in header
    ):  # perhaps names of which one is "class"
        return None
    _, rows = read_rows(text, path)
    if not rows:
        raise InvalidError(f"{path}: expected a line per label, found column names only")
    records: list[dict[str, Any]] = []
    for place, row in rows:
        record: dict[str, Any] = dict(row)
        for name in _INDICES:
            if name in row:
                if not row[name].isdecimal():
                    raise InvalidError(f"{place}: expected a class index, found {row[name]!r}")
                record[name] = int(row[name])
        records.append(record)
    return replace(_of_records(path, records, "CSV"), form="a table")


def _from_lines(path: Path, lines: list[str]) -> LabelFile:
    """Labels from lines: what stands around every name is taken off."""
    form: list[str] = []
    if len(lines) > 1 and lines[0].rstrip(":") in _KEYS and lines[0].endswith(":"):
        lines = lines[1:]
        form.append("YAML")
    for bullet, name in (("- ", "a list of YAML"), ("* ", "a list with asterisks")):
        if all(line.startswith(bullet) for line in lines):
            lines = [line[2:].strip() for line in lines]
            form.append(name)
    if len(lines) > 1 and all(line.endswith(",") for line in lines[:-1]):
        lines = [line.removesuffix(",").rstrip() for line in lines]
        form.append("lines that end in commas")
    if all(map(_QUOTED.fullmatch, lines)):
        lines = [_unquoted(line) for line in lines]
        form.append("quoted lines")
    indexed = [_INDEX_FIRST.fullmatch(line) for line in lines]
    matches = [match for match in indexed if match]
    if _are_of_names(matches, len(lines)):
        indexed = [None] * len(lines)
    if all(indexed):
        names = [_unquoted(match[2]) for match in matches]
        lines = _in_order(path, [int(match[1]) for match in matches], names)
        form.append("lines of index and label")
    elif 2 * sum(map(bool, indexed)) > len(lines) > 2:
        _refuse(path, lines, indexed, "begins with an index")
    found = _without_ids(path, lines)
    lines, wordnet = list(found.labels), found.wordnet
    if wordnet and all(_INDEX_FIRST.fullmatch(line) for line in lines):  # ImageNet's map_clsloc.txt
        matches = [match for line in lines if (match := _INDEX_FIRST.fullmatch(line))]
        pairs = _in_order(
            path, [int(m[1]) for m in matches], [(i, m[2]) for i, m in zip(wordnet, matches, strict=True)]
        )
        wordnet, lines = tuple(pair[0] for pair in pairs), [pair[1] for pair in pairs]
        form.append("lines of index and label")
    elif not form and (ordered := _index_last(lines)) is not None:
        lines = ordered
        form.append("lines of label and index")
    if found.form:
        form.append(found.form)
    if (odd := next((line for line in lines if _CODE.fullmatch(line)), None)) is not None or (
        not form and path.suffix.lower() in (".json", ".yaml", ".yml", ".py", ".xml", ".pbtxt", ".toml")
    ):
        raise InvalidError(
            f"{path}: expected labels, one per line, or as a JSON list, found {odd or lines[0]!r}: a form that is not "
            "known here"
        )
    return LabelFile(tuple(lines), wordnet, ", ".join(form) or None)


def _unquoted(line: str) -> str:
    match = _QUOTED.fullmatch(line)
    return match[2] if match else line


def _without_ids(path: Path, labels: list[str]) -> LabelFile:
    """Labels without the WordNet ids that all of them begin with; ids alone stay, as labels too."""
    if all(WORDNET_ID.fullmatch(label) for label in labels):
        return LabelFile(tuple(labels), tuple(labels), "WordNet ids")
    matches = [_ID_FIRST.fullmatch(label) for label in labels]
    if all(matches):
        ids, names = zip(*((match[1], match[2]) for match in matches if match), strict=True)
        return LabelFile(names, ids, "lines of WordNet id and label")
    if 2 * sum(map(bool, matches)) > len(labels):
        _refuse(path, labels, matches, "begins with a WordNet id")
    return LabelFile(tuple(labels))


def _index_last(lines: list[str]) -> list[str] | None:
    """Names in the order of the indices that follow them; None where the numbers are part of the names, as in
    "Boeing 737" and "class 0"."""
    matches = [match for line in lines if (match := _INDEX_LAST.fullmatch(line))]
    names, indices = [match[1] for match in matches], [int(match[2]) for match in matches]
    if len(matches) < len(lines) or len(lines) < 2 or 2 * len(set(names)) <= len(names):
        return None
    if sorted(indices) not in [list(range(first, first + len(lines))) for first in (0, 1)]:
        return None
    return [name for _, name in sorted(zip(indices, names, strict=True))]


def _are_of_names(matches: Sequence[re.Match[str]], classes: int) -> bool:
    """Whether the numbers that names begin with are parts of them, as in "2012 Audi A4" and "5 euro": most are no
    indices of so many classes, or what follows them is the same."""
    blanks = all(set(match.string[match.end(1) : match.start(2)]) <= {" "} for match in matches)
    indices = sum(int(match[1]) <= classes for match in matches)
    different = len({match[2] for match in matches})
    return blanks and (2 * indices < len(matches) or 2 * different <= len(matches) > 1)


def _refuse(path: Path, lines: Sequence[str], matches: Sequence[Any], what: str) -> None:
    place = next(number for number, match in enumerate(matches) if not match)
    raise InvalidError(
        f"{path}: expected lines of one form, but most {what.replace('begins', 'begin')} and line {place + 1} does "
        f"not: {lines[place]!r}"
    )


def _some(names: Sequence[str]) -> str:
    return ", ".join(map(repr, names[:3])) + (", ..." if len(names) > 3 else "")
