"""What each profile sets before the user's own keys, for each encoding.

`normalised`, the default, is the paper's method without the quirks of its code; `released` is what the
authors' code does; `paper` is what the paper's text says where the code differs (Nguyen 2015, sections 1
and 2; "DIFF" in the facts of this project).
"""

from __future__ import annotations

from typing import Any

PROFILES: dict[str, dict[str, dict[str, Any]]] = {
    "direct": {
        "normalised": {},
        "released": {
            # sferes2 before its pull request 77: genes that both parents share become 0.5 in the child.
            "crossover": "sbx-released",
            # value * 255 truncated, not rounded; hue 0..255 where OpenCV's 8 bits mean 2 degrees each, so
            # that it turns 1.42 times and wraps.
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
            # x and y are pixel indices, only the distance is normalised: pre-activations reach +-2550 at
            # 256 pixels, sines alias, and a genotype means something else at every size.
            "coordinates": "raw",
            # As for direct images.
            "quantisation": "released",
        },
        "paper": {},
    },
}

# The colour of images for an RGB classifier: the release writes HLS, the text says HSV.
COLOURS = {"normalised": "hls", "released": "hls", "paper": "hsv"}
