"""A classifier's fingerprint: which network this is, in 64 hex digits, the same in every process.

SHA-256 over what the spec says (with its preprocessing; defaults left out) as canonical JSON and over every parameter and buffer of the
network and its preprocessing, sorted by name: name, dtype, shape, little-endian bytes. What a network holds elsewhere
(`fooling.classifiers.hidden`) is a part where there is any. Numerics are no part of it: they say how it is computed,
not what.
"""

from __future__ import annotations

import hashlib
import inspect
import json
from collections.abc import Iterator

from torch import Tensor, nn

from fooling.classifiers.hidden import tensor_bytes
from fooling.classifiers.spec import Spec


def fingerprint(
    spec: Spec, network: object, preprocess: nn.Module, identity: str = "", hidden: str = ""
) -> str:
    """64 hex digits.

    Args:
        identity: what else tells the network from others: the digest of the file that its code lies in, say.
        hidden: its `hidden_state`; "" leaves that out, as fingerprints did before there was any.
    """
    digest = hashlib.sha256()
    _add(digest, json.dumps(spec.model_dump(mode="json", exclude_defaults=True), sort_keys=True).encode())
    _add(digest, identity.encode())
    _add(digest, _kind(network).encode())
    if hidden:
        _add(digest, hidden.encode())
    for part in (network, preprocess):
        for name, tensor in _tensors(part):
            _add(digest, f"{name} {tensor.dtype} {list(tensor.shape)}".encode())
            _add(digest, tensor_bytes(tensor))
    return digest.hexdigest()


def _add(digest: hashlib._Hash, data: bytes) -> None:
    digest.update(len(data).to_bytes(8, "little"))  # so that no two sequences of parts read alike
    digest.update(data)


def _kind(network: object) -> str:
    named = network if inspect.isroutine(network) else type(network)
    return f"{named.__module__}.{named.__qualname__}"


def _tensors(part: object) -> Iterator[tuple[str, Tensor]]:
    if isinstance(part, nn.Module):
        yield from sorted([*part.named_parameters(), *part.named_buffers()], key=lambda item: item[0])
