"""What a service is told when it starts, and how much it gives to whoever asks."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from fooling.errors import InvalidError
from fooling.model_specs import known

DEFAULT_PORT = 8000
_LOOPBACK = ("127.0.0.1", "localhost", "[::1]")


@dataclass(frozen=True)
class Limits:
    """How much of everything a client may ask for.

    Attributes:
        body: bytes of a request's body.
        body_seconds: seconds in which a body has to arrive.
        streams: event streams that are open at once.
        listed: items on one page of a list.
        side: pixels of the longer side of an image that is drawn for a request.
        drawing: images that are drawn at once.
        waiting: images that may wait to be drawn.
        writes: requests that change something, at once; they come back at `writes_per_second`.
        writes_per_second: see `writes`.
        wrong: wrong logins or tokens in a minute, from everybody together, after which clients are told to wait.
        snapshot_bytes: memory for runs that were read, kept for the next request.
        image_bytes: memory for PNGs that were made, likewise.
        warm: classifiers that are kept ready to answer small questions.
        questions: such questions that may wait or be answered at once.
        question_seconds: in which a question is answered, or refused.
        idle_seconds: without a question, after which a classifier is let go.
        warm_bytes: memory of each of these classifiers' processes.
    """

    body: int = 2**16
    body_seconds: float = 10.0
    streams: int = 64
    listed: int = 1000
    side: int = 2048
    drawing: int = 2
    waiting: int = 32
    writes: int = 1000
    writes_per_second: float = 50.0
    wrong: int = 1000
    snapshot_bytes: int = 2**29
    image_bytes: int = 2**26
    warm: int = 2
    questions: int = 16
    question_seconds: float = 60.0
    idle_seconds: float = 300.0
    warm_bytes: int = 2**33


@dataclass(frozen=True)
class ServiceSettings:
    """What a service is told when it starts; nothing of it can be changed by a request.

    Attributes:
        root: the folder of runs.
        token: what a client has to know.
        models: the SPECs that a request may name.
        trust: let them bring code of their own.
        host: the address that it listens on.
        port: the port that it listens on.
        public: where a proxy shows it, like "https://fooling.example.org"; "" where there is none.
        read_only: nothing can be changed, and whoever reaches it over a loopback address may read.
        samples: labelled images that people are shown among elites.
        limits: see there.

    Raises:
        InvalidError: `public` is no such address.
    """

    root: Path
    token: str = field(repr=False)
    models: tuple[str, ...] = field(default_factory=known)
    trust: bool = False
    host: str = "127.0.0.1"
    port: int = DEFAULT_PORT
    public: str = ""
    read_only: bool = False
    samples: tuple[Path, ...] = ()
    limits: Limits = Limits()

    def __post_init__(self) -> None:
        parts = urlsplit(self.public)
        if self.public and (
            parts.scheme not in ("http", "https") or not parts.hostname or parts.path not in ("", "/")
        ):
            raise InvalidError(
                f"--public {self.public}: expected an address without a path, like https://fooling.example.org"
            )

    @property
    def url(self) -> str:
        """Where it is reached from this machine."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{'127.0.0.1' if is_any(self.host) else host}:{self.port}"

    @property
    def hosts(self) -> frozenset[str]:
        """The values of `Host` that are answered: exactly these."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        names = _LOOPBACK if is_loopback(self.host) or is_any(self.host) else (host,)
        found = {f"{name}:{self.port}" for name in names}
        if self.port == 80:
            found |= set(names)
        if self.public:
            found.add(urlsplit(self.public).netloc.lower())
        return frozenset(found)

    @property
    def origins(self) -> frozenset[str]:
        """The values of `Origin` from which a browser may change something: exactly these."""
        here = {f"http://{host}" for host in self.hosts}
        if not self.public:
            return frozenset(here)
        parts = urlsplit(self.public)
        return frozenset(
            here - {f"http://{parts.netloc.lower()}"} | {f"{parts.scheme}://{parts.netloc.lower()}"}
        )

    @property
    def open_to_readers(self) -> bool:
        """Whether reading takes no token: only where nothing can be changed and only this machine (and the proxy on it)
        reaches the service."""
        return self.read_only and is_loopback(self.host)


def is_loopback(host: str) -> bool:
    """Whether an address, or a name, is one that only this machine reaches."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def is_any(host: str) -> bool:
    """Whether it stands for every address of this machine."""
    try:
        return ipaddress.ip_address(host).is_unspecified
    except ValueError:
        return False
