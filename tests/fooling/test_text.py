"""Foreign text made plain. A failure lets a label steer the terminal, or forge a line of what is printed."""

from __future__ import annotations

import json
import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from fooling.text import all_plain, encoded, plain

TEXTS = st.text(st.characters())  # lone surrogates too


def test_what_steers_is_escaped_and_letters_stay() -> None:
    """A failure lets a label of a stranger control the terminal, or garbles a foreign one."""
    assert plain("\x1b[2Jcat\a") == r"\x1b[2Jcat\x07"
    assert plain("a\r\nb\tc\x85\x9b") == r"a\r\nb\tc\x85\x9b"
    assert plain("x\u202egnp.exe\u2069\u061c") == r"x\u202egnp.exe\u2069\u061c"
    assert plain("caf\udce9") == r"caf\udce9"
    for text in ("שלום", "مرحبا", "猫 🐈‍⬛", "naïve [b]:cat: C:\\new", "a\u200cb"):
        assert plain(text) == text


@given(TEXTS)
def test_nothing_unsafe_is_left(text: str) -> None:
    """A failure lets a label of a stranger control the terminal."""
    kinds = {unicodedata.category(letter) for letter in plain(text)}
    turns = {unicodedata.bidirectional(letter) for letter in plain(text)}
    assert not kinds & {"Cc", "Cs", "Zl", "Zp"}
    assert not turns & {"LRE", "RLE", "PDF", "LRO", "RLO", "LRI", "RLI", "FSI", "PDI"}
    assert plain(plain(text)) == plain(text)


@given(TEXTS)
def test_any_text_can_be_kept_as_json(text: str) -> None:
    """A folder's name that is no UTF-8 would else end a run at its first write."""
    assert json.loads(encoded(json.dumps(text, ensure_ascii=False))) == text


def test_data_keeps_its_shape() -> None:
    """A failure costs pages their numbers and nulls."""
    assert all_plain({"\n": ["\x1b", 1.5, None], "b": ("\a",)}) == {
        "\n": [r"\x1b", 1.5, None],
        "b": [r"\x07"],
    }
