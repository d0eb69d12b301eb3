"""The images that a report keeps, found by what they are."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any

_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def picture(document: Mapping[str, Any], sha256: str) -> bytes | None:
    """The PNG of an image in a report that is kept as JSON.

    Args:
        sha256: of its pixels.

    Returns:
        None where the report does not show it.
    """
    looks = (document.get("recognition") or {}).get("looks") or ()
    for look in looks:
        if look.get("sha256") == sha256 and look.get("png"):
            try:
                png = base64.b64decode(look["png"], validate=True)
            except (binascii.Error, TypeError):
                return None
            return png if png.startswith(_SIGNATURE) else None
    return None
