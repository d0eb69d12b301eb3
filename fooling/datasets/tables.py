"""Tables of labelled images, as people and spreadsheets write them: CSV with commas, semicolons or tabs.

The first line names the columns: `file` (relative to the table), and the class as `index`, `wnid` (WordNet id) or
`label`; `split` may part training from test images. Case, and blanks around names and values, do not count; quotes
do as CSV has them; columns of other names are left alone.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from fooling.datasets.entries import Entry
from fooling.errors import InvalidError
from fooling.files import read_text

SUFFIXES = (".csv", ".tsv")
_DELIMITERS = (",", ";", "\t")
_CLASS = ("index", "wnid", "label")


def read_table(table: Path) -> list[tuple[Entry, str]]:
    """The images of a table, each with the split that it is in ("" where the table has no such column).

    Raises:
        NotFoundError: no such file.
        InvalidError: no such table; the line shows what was found as Python writes it, blanks and all.
    """
    names, rows = read_rows(read_text(table, "a CSV"), table)
    columns = [name for name in _CLASS if name in names]
    if "file" not in names or not columns:
        raise InvalidError(
            f"{table}: expected a first line that names a column file and one of index, wnid, label, "
            f"found {', '.join(map(repr, names))}"
        )
    entries = []
    for place, row in rows:
        said = {name: row[name] for name in columns}
        entries.append((Entry(_file(table.parent, row["file"]), said, place), row.get("split", "")))
    if not entries:
        raise InvalidError(f"{table}: expected a line per image, found none")
    return entries


def read_rows(text: str, path: Path) -> tuple[list[str], list[tuple[str, Mapping[str, str]]]]:
    """The names of a table's columns, in lower case, and its rows: where each stands, and its values by name.

    Raises:
        InvalidError: no first line, two columns of one name, or a row of another length.
    """
    lines = text.split("\n")
    first = 0
    delimiter = ""
    if lines[0].lower().startswith("sep="):  # as Excel writes and reads it
        delimiter, first = lines[0][4:5], 1
    delimiter = delimiter or max(_DELIMITERS, key=lambda one: lines[first].count(one))
    found = _split(lines[first:], delimiter, path, first)
    _, header = next(found, (0, []))
    names = [name.casefold() for name in header]
    while names and not names[-1]:  # spreadsheets end lines with empty columns
        names.pop()
    if not names:
        raise InvalidError(f"{path}: expected a line of column names and a line per row, found none")
    if twice := next((name for name in names if name and names.count(name) > 1), None):
        raise InvalidError(f"{path}: expected columns of different names, found {twice!r} twice")
    rows: list[tuple[str, Mapping[str, str]]] = []
    for number, values in found:
        place = f"{path}, line {number}"
        if len(values) < len(names) or any(values[len(names) :]):
            raise InvalidError(f"{place}: expected {len(names)} columns, found {len(values)}")
        rows.append((place, dict(zip(names, values, strict=False))))
    return names, rows


def _split(lines: Sequence[str], delimiter: str, path: Path, before: int) -> Iterator[tuple[int, list[str]]]:
    """Rows of values without blanks around them, each with the number of its last line; empty ones are left out."""
    reader = csv.reader(
        (f"{line}\n" for line in lines), delimiter=delimiter, skipinitialspace=delimiter != "\t"
    )
    try:
        for values in reader:
            stripped = [value.strip() for value in values]
            if any(stripped):
                yield before + reader.line_num, stripped
    except csv.Error as error:
        raise InvalidError(f"{path}, line {before + reader.line_num}: expected a CSV: {error}") from None


def _file(folder: Path, name: str) -> Path:
    """A file that a table names; backslashes part folders where no file has that very name."""
    file = folder / name
    if "\\" in name and not file.exists():
        return folder / name.replace("\\", "/")
    return file
