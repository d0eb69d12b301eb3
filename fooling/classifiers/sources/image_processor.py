"""`preprocessor_config.json`, the form in which transformers keeps preprocessing, as a `Pipeline`.

The file is read, no processor is made: those of transformers 5 can't be imported without torchvision. What a
processor does by default and its file does not say is taken from `image_processing_utils` (transformers 5);
any step that is not known here is refused.
"""

from __future__ import annotations

from typing import Any

from fooling.classifiers.sources.hub import Folder, read_json
from fooling.classifiers.sources.pipelines import Pipeline, size_from
from fooling.errors import InvalidError, NotFoundError
from fooling.sizes import Size, colour_of

# PIL.Image.Resampling
_FILTERS = {0: "nearest", 1: "lanczos", 2: "bilinear", 3: "bicubic", 4: "box", 5: "hamming"}
_KNOWN = (
    "do_resize",
    "do_center_crop",
    "do_rescale",
    "do_normalize",
    "do_convert_rgb",
    "do_flip_channel_order",
)
# Processors that resize to another side than they say.
_OWN_RESIZE = ("Levit", "TextNet")
_CONVNEXT_SQUASHES = 384


def read_pipeline(folder: Folder, origin: str, channels: int = 3) -> Pipeline:
    """What the image processor of a folder does to a photograph.

    Args:
        channels: that the network sees.

    Raises:
        NotFoundError: the folder has no file of a processor.
        InvalidError: one that does something which a spec can't hold.
    """
    config = _config(folder, origin)
    unknown = [key for key, value in config.items() if key.startswith("do_") and value and key not in _KNOWN]
    if unknown:
        raise InvalidError(f"{origin}: {unknown[0]} of its image processor can't be expressed in a spec")
    resized, size = _sizes(config, origin)
    mean, std = _normalisation(config, channels, origin)
    # Rescaling is to 0..1 unless it says otherwise; our images begin there, theirs at 0..255.
    scale = 255.0 * config.get("rescale_factor", 1 / 255) if config.get("do_rescale", True) else 255.0
    return Pipeline(
        size=size,
        resized=resized,
        filter=_FILTERS.get(config.get("resample", 2), "unknown"),
        mean=mean,
        std=std,
        scale=1.0 if abs(scale - 1.0) < 1e-6 else scale,
        channels="bgr" if config.get("do_flip_channel_order") else None,
        colour=colour_of(channels),
    )


def _config(folder: Folder, origin: str) -> dict[str, Any]:
    """The keys of the processor, in a file of its own or beside the tokenizer's in one."""
    try:
        return read_json(folder, "preprocessor_config.json", origin)
    except NotFoundError as error:
        if not (folder.path / "processor_config.json").is_file():
            raise NotFoundError(
                f"{error}: it says how images become the network's input; copy it from the model that this one was "
                'made from, or write it: {"size": {"height": 224, "width": 224}, "image_mean": [0.5, 0.5, 0.5], '
                '"image_std": [0.5, 0.5, 0.5]} with the numbers of its training'
            ) from None
    found = read_json(folder, "processor_config.json", origin).get("image_processor")
    if not isinstance(found, dict):
        raise InvalidError(
            f"{origin}: expected image_processor in processor_config.json, found {found!r:.60}"
        )
    return found


def _sizes(config: dict[str, Any], origin: str) -> tuple[Size | None, Size]:
    """Sizes of the resized photograph (None: not known) and of the network's input."""
    kind = str(config.get("image_processor_type", config.get("feature_extractor_type", "")))
    resizes, crops = config.get("do_resize", True), config.get("do_center_crop", "crop_size" in config)
    size = _size(config.get("size"), "size", origin) if resizes or not crops else None
    resized = size if resizes else None
    if size is not None and "crop_pct" in config:
        if not isinstance(size, int):
            raise InvalidError(f"{origin}: expected a square beside crop_pct in size, found {config['size']}")
        if kind.startswith("ConvNext"):  # which cuts what it says as its size, or squashes to it
            share = config["crop_pct"] if size < _CONVNEXT_SQUASHES else 1.0
            return int(size / share), size
        resized = int(size / config["crop_pct"])
    if kind.startswith(_OWN_RESIZE):
        resized = None
    key = "crop_size" if crops else "size"
    seen = _size(config.get(key), key, origin)
    if isinstance(resized, int) and not isinstance(seen, int):
        resized = None  # of the shorter side, which says nothing of a photograph of another aspect ratio
    return resized, seen


def _size(size: Any, key: str, origin: str) -> Size:
    """A size: a number, {"shortest_edge": n}, {"height": n, "width": n}, or a list."""
    given = size
    if isinstance(size, dict) and set(size) == {"shortest_edge"}:
        given = size["shortest_edge"]
    elif isinstance(size, dict) and set(size) == {"height", "width"}:
        given = [size["height"], size["width"]]
    if not isinstance(given, int | list):
        raise InvalidError(f"{origin}: expected a size in {key} of its image processor, found {size}")
    return size_from(given, f"{origin}: {key} of its image processor")


def _normalisation(
    config: dict[str, Any], channels: int, origin: str
) -> tuple[tuple[float, ...] | None, tuple[float, ...] | None]:
    """Mean and std. EfficientNet's processor may subtract 1 first, and divide by std once more at the end."""
    # MobileViT's, the only one that flips channels, does not normalise unless it says so.
    normalises = config.get("do_normalize", not config.get("do_flip_channel_order"))
    divides = int(bool(normalises)) + int(bool(config.get("include_top")))
    offset = 1.0 if config.get("rescale_offset") else 0.0
    mean, std = (
        _per_channel(config.get(key), channels, key, origin) if divides else None
        for key in ("image_mean", "image_std")
    )
    centre = tuple(value + offset for value in (mean if normalises and mean else (0.0,) * channels))
    return centre if any(centre) else None, None if std is None else tuple(value**divides for value in std)


def _per_channel(values: Any, channels: int, key: str, origin: str) -> tuple[float, ...]:
    """A number for all channels, or one for each; of three that are equal one channel has one."""
    numbers = values
    if isinstance(values, int | float):
        numbers = [values] * channels
    elif channels == 1 and isinstance(values, list) and len(set(map(str, values))) == 1:
        numbers = values[:1]
    if not isinstance(numbers, list) or len(numbers) != channels:
        wanted = "three numbers" if channels == 3 else "one number"
        raise InvalidError(f"{origin}: expected {wanted} in {key} of its image processor, found {values}")
    return tuple(float(number) for number in numbers)
