"""The profiles of each encoding: settings that apply where the user gives no value.

`normalised`, the default, is the paper's method without the quirks of its code. `released` is what the
authors' code does. `paper` is what the paper's text says where the code differs (Nguyen 2015, sections 1 and
2).
"""

from __future__ import annotations

from typing import Any

PROFILES: dict[str, dict[str, dict[str, Any]]] = {
    "direct": {
        "normalised": {},
        "released": {
            # sferes2 before its pull request 77: genes that are equal in both parents become 0.5 in the
            # child.
            "crossover": "sbx-released",
            # value * 255 is truncated, not rounded. Hues are 0 to 255, of which each is 2 degrees to OpenCV,
            # so that the hue turns 1.42 times.
            "quantisation": "released",
            # The release declares a mutable mutation rate and never changes it.
            "mutation_halving": 0,
        },
        "paper": {
            # "a mutation rate that starts at 0.1 and drops by half every 1,000 generations".
            "mutation_halving": 1000,
            # The text mentions mutation only.
            "crossover": "none",
        },
    },
    "cppn": {
        "normalised": {},
        "released": {
            # x and y are pixel indices; only the distance is normalised. So pre-activations reach +-2550 at
            # 256 pixels, sines alias, and a genotype gives a different picture at every size.
            "coordinates": "raw",
            "quantisation": "released",  # as for direct images
        },
        "paper": {},
    },
}

# The colour space of images for an RGB classifier: the released code uses HLS, the text says HSV.
COLOURS = {"normalised": "hls", "released": "hls", "paper": "hsv"}
