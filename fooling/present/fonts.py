"""Fonts for labels in any script: DejaVu, which comes with matplotlib and has the letters of most alphabets, and where
it lacks one, a font of this machine that has it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from matplotlib import get_data_path
from matplotlib.font_manager import findSystemFonts
from matplotlib.ft2font import FT2Font
from PIL import ImageFont, features

if TYPE_CHECKING:
    from PIL.ImageDraw import ImageDraw
    from PIL.ImageFont import FreeTypeFont

DEJAVU = Path(get_data_path(), "fonts", "ttf", "DejaVuSans.ttf")
_SLANTED = re.compile(r"bold|black|light|thin|heavy|medium|italic|oblique|condensed|narrow", re.IGNORECASE)
_UNLIKE = re.compile(r"mono|serif|math|emoji", re.IGNORECASE)
_NAMED = 8  # letters that a warning names


def font(size: float, text: str = "") -> FreeTypeFont:
    """The font of that size, in pixels, for a line of text: one for the whole line, so that letters join."""
    return _open(_fitting(_letters_of(text)), size)


def write(
    draw: ImageDraw, place: tuple[float, float], text: str, fill: int | tuple[int, int, int], size: float
) -> None:
    """Draw a line of text, its upper edge there as if it were DejaVu: all fonts stand on one line."""
    x, y = place
    draw.text((x, y + font(size).getmetrics()[0]), text, fill, font(size, text), anchor="ls")


def lacking(texts: Iterable[str]) -> list[str]:
    """What is wrong with the texts as `font` has them drawn: letters that no font here has, or that are not joined."""
    lines = [_letters_of(text) for text in texts]
    missing = sorted({chr(code) for letters in lines for code in letters - _codes(_fitting(letters))})
    told = []
    if missing:
        more = f" and {len(missing) - _NAMED} more" if len(missing) > _NAMED else ""
        told.append(
            f"the sheet's font lacks {' '.join(missing[:_NAMED])}{more}, so boxes stand for them: install a font that "
            "has them (Noto, for one)"
        )
    joined = any(unicodedata.bidirectional(chr(code)) in ("R", "AL") for letters in lines for code in letters)
    if joined and not features.check("raqm"):
        told.append(
            "the sheet's letters are written from left to right and not joined: this Pillow lacks Raqm"
        )
    return told


def _letters_of(text: str) -> frozenset[int]:
    """What has to be in a font: not blanks, nor what joins letters or chooses their form."""
    return frozenset(
        ord(sign)
        for sign in text
        if unicodedata.category(sign)[0] not in "ZC" and not "\ufe00" <= sign <= "\ufe0f"
    )


@cache
def _open(path: Path, size: float) -> FreeTypeFont:
    return ImageFont.truetype(path, size)


@cache
def _fitting(letters: frozenset[int]) -> Path:
    """The first font that has them all, or the one that lacks the fewest."""
    best, fewest = DEJAVU, len(letters - _codes(DEJAVU))
    if not fewest:
        return DEJAVU
    for path in _others():
        lacks = len(letters - _codes(path))
        if lacks < fewest:
            best, fewest = path, lacks
        if not fewest:
            break
    return best


@cache
def _others() -> tuple[Path, ...]:
    """The fonts of this machine, upright ones of usual weight, those like DejaVu first."""
    upright = [Path(path) for path in findSystemFonts() if not _SLANTED.search(Path(path).stem)]
    return tuple(sorted(upright, key=lambda path: (bool(_UNLIKE.search(path.stem)), path.name)))


@cache
def _codes(path: Path) -> frozenset[int]:
    """The code points that a font has; none where it can't be drawn with, as those of bitmaps."""
    try:
        codes = frozenset(FT2Font(str(path)).get_charmap())
        _open(path, 20.0)
    except (OSError, RuntimeError):
        return frozenset()
    return codes
