"""Files of labels as they lie about: read for what they are, or refused. What is taken as it is becomes part of a
label, and a class that is called `{0: 'cat',` is matched with no other network's."""

from __future__ import annotations

import json

import pytest

from fooling.datasets.label_files import read_labels
from fooling.errors import InvalidError, NotFoundError

FOUR = ("red fox", "dog's bed", "ship, boat", "tree")
IDS = ("n02119022", "n09999999", "n04194289", "n13104059")


def held(tmp_path, text, name="labels.txt"):
    (tmp_path / name).write_bytes(text.encode())
    return read_labels(tmp_path / name)


def joined(form, names=FOUR, ids=IDS):
    return "\n".join(
        form.format(i=i, name=name, id=id) for i, (name, id) in enumerate(zip(names, ids, strict=True))
    )


@pytest.mark.parametrize(
    "text, form",
    [
        ("\n".join(FOUR), None),
        ("\ufeff" + "  \r\n".join(FOUR) + "\r\n\r\n", None),
        (json.dumps(FOUR), "a JSON list"),
        (json.dumps(FOUR, indent=1), "a JSON list"),
        (json.dumps({str(i): FOUR[i] for i in (2, 0, 3, 1)}), "a JSON map of index and label"),
        (json.dumps({name: i for i, name in enumerate(FOUR)}), "a JSON map of label and index"),
        (json.dumps({name: str(i) for i, name in enumerate(FOUR)}), "a JSON map of label and index"),
        (f"CLASSES = {FOUR!r}", "a Python list"),
        (f"const names: string[] = {json.dumps(FOUR)};", "a JSON list"),
        (joined("* {name}"), "a list with asterisks"),
        (json.dumps({"a": 1, "id2label": dict(enumerate(FOUR))}), "a JSON map of index and label under 'id2label'"),
        (json.dumps([{"id": i, "name": FOUR[i]} for i in (3, 1, 0, 2)]), "a JSON list of objects"),
        (str(dict(enumerate(FOUR))), "a Python map of index and label"),
        (str(dict(enumerate(FOUR))).replace(", 1", ",\n 1"), "a Python map of index and label"),
        (str(list(FOUR)), "a Python list"),
        (joined("{i}\t{name}"), "lines of index and label"),
        (joined("{i}: {name}"), "lines of index and label"),
        (joined("{i}: '{name}'").replace("'dog's bed'", '"dog\'s bed"'), "lines of index and label"),
        ("names:\n" + joined("  {i}: {name}"), "YAML, lines of index and label"),
        ("\n".join(reversed(joined("{i},{name}").split("\n"))), "lines of index and label"),
        (joined("- {name}"), "a list of YAML"),
        (joined('"{name}",'), "lines that end in commas, quoted lines"),
        (joined("{name} {i}"), "lines of label and index"),
        (joined("{name}\t{i}"), "lines of label and index"),
        ("index;label\n" + joined("{i};{name}"), "a table"),
        ('Label,ID\n' + joined('"{name}",{i}'), "a table"),
    ],
)  # fmt: skip
def test_the_names_are_read_in_the_order_of_the_outputs(tmp_path, text, form):
    found = held(tmp_path, text)
    assert found.labels == FOUR
    assert (found.wordnet, found.form) == (None, form)
    assert found.notes("f") == ((f"f: read as {form}, 4 labels",) if form else ())


@pytest.mark.parametrize(
    "text",
    [
        joined("{id} {name}"),
        joined("{id}\t{name}"),
        joined("{i}: {id} {name}"),
        json.dumps({str(i): [IDS[i], FOUR[i]] for i in (1, 0, 3, 2)}),
        json.dumps(list(zip(IDS, FOUR, strict=True))),
        "index,wnid,label\n" + joined('{i},{id},"{name}"'),
    ],
)
def test_wordnet_ids_beside_names_are_kept(tmp_path, text):
    """Keras' JSON and lists of synsets: ids tell the classes of other zoos for sure."""
    found = held(tmp_path, text)
    assert (found.labels, found.wordnet) == (FOUR, IDS)
    assert found.form is not None


def test_other_lists_of_wordnet_ids(tmp_path):
    assert held(tmp_path, "\n".join(IDS)).wordnet == IDS
    clsloc = held(
        tmp_path, joined("{id} {i} {name}", ("kit_fox", "setter", "husky", "mink")).replace(" 0 ", " 4 ")
    )
    assert clsloc.labels == ("setter", "husky", "mink", "kit_fox"), "the index decides, here from 1"


@pytest.mark.parametrize(
    "lines",
    [
        tuple("0123456789"),
        ("class 0", "class 1", "class 2"),
        ("Boeing 737", "Boeing 747"),
        ("Audi A4 2012", "BMW M3 2010"),
        ("tench, Tinca tinca", "goldfish, Carassius auratus"),
        ("2012 Audi A4", "2011 BMW M3", "2012 VW Golf"),
        ("1 euro", "2 euro"),
        ("5 of clubs", "6 of clubs", "7 of clubs", "ace of clubs"),
        ("20 km/h", "30 km/h", "50 mph", "stop"),
        ("3d printer", "2-door car", "1.5 tonner"),
        ("fake",),
        ("(unknown)", "caf\u00e9"),
    ],
)
def test_numbers_and_commas_that_belong_to_names_stay(tmp_path, lines):
    found = held(tmp_path, "\n".join(lines))
    assert (found.labels, found.form) == (lines, None)


@pytest.mark.parametrize(
    "text, message",
    [
        ("a\n\nb\n", "expected a label on every line, found line 2 empty"),
        ("", "expected a label on every line, found line 1 empty"),
        ('["cat",\n"dog",', "found what is none of these: Expecting value"),
        ("{0: 'cat', 1: open('x')}", "found what is none of these"),
        ("{0: cat, 1: dog}", "found what is none of these"),
        ("[cat, dog]", r"found '\[cat, dog\]': a form that is not known here"),
        ("{0: 'cat', 2: 'dog'}", "expected every class index from 0 to 1 once, found 2 out of turn"),
        ("1: person\n2: bicycle\n4: car", "expected every class index from 0 to 2 once, found 4 out of turn"),
        ("0 cat\n0 dog", "expected every class index from 0 to 1 once"),
        ("0 cat\n1 dog\nship", "most begin with an index and line 3 does not: 'ship'"),
        ("n02119022 fox\nn04194289 ship\ncat", "most begin with a WordNet id and line 3 does not: 'cat'"),
        ("label\ncat\ndog", "found 'label' in the first: leave out the header"),
        ("[1, 2]", "expected a name for every class, found 1"),
        ('{"0": "cat", "1": null}', "expected a name for every class, found None"),
        ('{"a": {"b": 1}}', "expected a map of index and label, found the keys 'a'"),
        ("| 0 | cat |\n| 1 | dog |", "a form that is not known here"),
        ("A = ['cat', 'dog']\nB = ['ship']", "found what is none of these"),
        ("item {\n  id: 1\n  name: 'cat'\n}", "a form that is not known here"),
        ("<!doctype html><title>404</title>", "found a web page"),
        ("version https://git-lfs.github.com/spec/v1\noid", "found a Git LFS pointer"),
        ("index,label\nx,cat", "line 2: expected a class index, found 'x'"),
        ('"cat","animal"\n"dog","animal"', "a form that is not known here"),
        ("cat\t5\ndog\t9", "a form that is not known here"),
    ],
)  # fmt: skip
def test_what_is_not_understood_is_refused_in_one_line(tmp_path, text, message):
    with pytest.raises(InvalidError, match=message) as caught:
        held(tmp_path, text)
    assert "\n" not in str(caught.value)


def test_other_files_are_refused_by_what_they_are(tmp_path):
    (tmp_path / "wide.txt").write_text("cat\ndog\n", encoding="utf-16")
    with pytest.raises(InvalidError, match="as UTF-8 text, found UTF-16"):
        read_labels(tmp_path / "wide.txt")
    with pytest.raises(InvalidError, match="a form that is not known here"):
        held(tmp_path, "nc: 2\nnames: cat dog", "data.yaml")
    with pytest.raises(NotFoundError, match=r"no\.txt"):
        read_labels(tmp_path / "no.txt")
    for depth in ("[" * 100_000, "{0: " * 100_000):
        with pytest.raises(InvalidError, match="found what is none of these"):
            held(tmp_path, depth)


def test_the_thousand_synsets_are_read(assets):
    found = read_labels(assets / "imagenet" / "synset_words.txt")
    assert found.wordnet is not None
    assert (found.labels[0], found.wordnet[0], len(found.labels)) == ("tench, Tinca tinca", "n01440764", 1000)
