"""What the TOML file of a remote classifier may say, besides the keys of every `Spec`.

Checked once, before anything is sent. `docs/http.md` lists the keys.
"""

from __future__ import annotations

import ipaddress
import json
import re
from typing import Annotated, Any, Literal
from urllib.parse import SplitResult, urlsplit

from pydantic import Field, field_validator, model_validator

from fooling.classifiers.sources.http import secrets
from fooling.validation import Record

Path = Annotated[str, Field(pattern=r"^[^.]+(\.[^.]+)*$")]
_PORTS = {"http": 80, "https": 443}


class RequestTable(Record):
    """Where images are sent, and how."""

    url: Annotated[str, Field(description="where to POST to; https, unless it is this machine")]
    form: Annotated[
        Literal["png", "multipart", "json"],
        Field(description='"png": the body is the PNG; "multipart": a form\'s file; "json": base64 in JSON'),
    ] = "png"
    image: Annotated[
        Path, Field(description="multipart: the file's field; json: the dotted path of the image")
    ] = "image"
    body: Annotated[
        dict[str, Any], Field(description="multipart: the other fields; json: the rest of the body")
    ] = {}  # noqa: RUF012 (pydantic copies it)
    prefix: Annotated[str, Field(description='json: before the base64, "data:image/png;base64," say')] = ""
    headers: Annotated[dict[str, str], Field(description="sent with every request")] = {}  # noqa: RUF012
    hosts: Annotated[
        tuple[Annotated[str, Field(pattern=r"^[^/@\s]+$")], ...],
        Field(description='other hosts ("name" or "name:port") that it may redirect to, secrets and all'),
    ] = ()
    insecure: Annotated[
        bool, Field(description="allow http to other machines: anyone between can read it")
    ] = False

    @field_validator("url")
    @classmethod
    def _addressed(cls, url: str) -> str:
        parts = urlsplit(url)
        if (
            not _is_plain(url)
            or " " in url
            or parts.scheme not in _PORTS
            or not parts.hostname
            or "$" in parts.netloc
        ):
            raise ValueError("expected an address like https://host/path")
        if parts.username is not None or parts.password is not None:
            raise ValueError("expected no password in the address: put it in a header, from the environment")
        return url

    @field_validator("headers")
    @classmethod
    def _sendable(cls, headers: dict[str, str]) -> dict[str, str]:
        for name, value in headers.items():
            if not re.fullmatch(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", name) or not _is_plain(value):
                raise ValueError(f"expected a header of printable ASCII, found {name!r}")
        return headers

    @model_validator(mode="after")
    def _consistent(self) -> RequestTable:
        self.require_allowed(self.url)
        for name in sorted(secrets.names_in(self.model_dump())):
            if not name.startswith(secrets.PREFIX):
                raise ValueError(
                    f"expected names of environment variables to begin with {secrets.PREFIX}, found ${{{name}}}"
                )
        if self.form == "png" and (self.body or self.prefix):
            raise ValueError('expected body and prefix only with form = "multipart" or "json"')
        if self.form == "multipart" and not all(isinstance(value, str) for value in self.body.values()):
            raise ValueError("expected texts in body, the other fields of the form")
        return self

    def require_allowed(self, url: str) -> None:
        """
        Raises:
            ValueError: images, and secrets with them, must not be sent there.
        """
        parts = urlsplit(url)
        allowed = {_host(urlsplit(self.url)), *(_host(urlsplit(f"https://{host}")) for host in self.hosts)}
        if _host(parts) not in allowed:
            raise ValueError(f"expected one of the hosts {', '.join(sorted(allowed))}, found {_host(parts)}")
        if parts.scheme != "https" and not (self.insecure or _is_here(parts)):
            raise ValueError(f"expected https (or insecure = true), found {parts.scheme}")


class ResponseTable(Record):
    """Where the answer's labels and scores are: in a list of objects (`items`), in parallel lists (`labels`,
    `scores`), or (`scores` alone) in an object by label, or in a list in the order of the spec's labels."""

    items: Annotated[Path | None, Field(description="dotted path of a list of objects")] = None
    label: Annotated[Path, Field(description="dotted path of the label in such an object")] = "label"
    score: Annotated[Path, Field(description="dotted path of the score in such an object")] = "score"
    labels: Annotated[Path | None, Field(description="dotted path of the list of labels")] = None
    scores: Annotated[
        Path | None, Field(description="dotted path of the list of scores, or of an object {label: score}")
    ] = None
    full: Annotated[
        float, Field(gt=0, allow_inf_nan=False, description="the score of certainty: 1.0 or 100.0")
    ] = 1.0

    @model_validator(mode="after")
    def _consistent(self) -> ResponseTable:
        if (self.items is None) == (self.scores is None):
            raise ValueError("expected items, or scores (with labels or without), one of the two")
        if self.items is not None and self.labels is not None:
            raise ValueError("expected labels only beside scores, found items")
        return self

    @property
    def place(self) -> str:
        """The dotted path of the items, or of the scores."""
        return self.items or self.scores or ""


class PaceTable(Record):
    """How fast it is asked, and how often again."""

    concurrency: Annotated[int, Field(ge=1, le=256, description="requests under way at once")] = 4
    per_second: Annotated[
        float | None, Field(gt=0, allow_inf_nan=False, description="requests begun in a second")
    ] = None
    timeout: Annotated[float, Field(gt=0, le=3600, description="seconds that a request may take")] = 30.0
    retries: Annotated[int, Field(ge=0, le=100, description="more tries after one that failed")] = 5
    backoff: Annotated[
        float, Field(ge=0, le=3600, description="seconds before the first of them; then doubled")
    ] = 1.0
    longest: Annotated[
        float, Field(ge=0, le=86400, description="seconds that it waits at most before a try")
    ] = 120.0


class BudgetTable(Record):
    """What may be spent, by all runs that share the query ledger."""

    queries: Annotated[int | None, Field(ge=0, description="requests that may be sent")] = None
    price: Annotated[float, Field(ge=0, le=1e6, description="of a request, in your currency")] = 0.0
    cost: Annotated[float | None, Field(ge=0, le=1e9, description="that all requests together may cost")] = (
        None
    )

    @model_validator(mode="after")
    def _limited(self) -> BudgetTable:
        if self.queries is None and self.cost is None:
            raise ValueError("expected a limit: queries, or cost with a price")
        if self.cost is not None and not self.price:
            raise ValueError("expected the price of a request beside cost")
        return self


class Document(Record):
    """The tables of the file that are not the spec's."""

    request: RequestTable
    response: ResponseTable
    budget: BudgetTable
    pace: PaceTable = PaceTable()
    label_map: Annotated[dict[str, str], Field(description="the server's label = yours")] = {}  # noqa: RUF012
    unknown: Annotated[
        Literal["refuse", "ignore"], Field(description="what to do with labels that are not the spec's")
    ] = "refuse"
    answers: Annotated[str | None, Field(description="file that keeps answers and budget")] = None

    @property
    def question(self) -> bytes:
        """What an answer depends on besides the pixels: what is sent, and what of the answer is read."""
        asked = [
            self.request.model_dump(exclude={"hosts", "insecure"}, exclude_defaults=True),
            self.response.model_dump(exclude_defaults=True),
        ]
        return json.dumps(asked, sort_keys=True).encode()


def _is_plain(text: str) -> bool:
    return text.isascii() and text.isprintable()


def _host(parts: SplitResult) -> str:
    """Like "example.com:443"."""
    return f"{parts.hostname}:{parts.port or _PORTS.get(parts.scheme, 0)}"


def _is_here(parts: SplitResult) -> bool:
    """Whether an address is of this machine."""
    try:
        return parts.hostname == "localhost" or ipaddress.ip_address(parts.hostname or "").is_loopback
    except ValueError:
        return False
