"""Is there a Ray cluster at an address, and may we join it? Asked before Ray is, which takes two minutes to give up."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time

from fooling.errors import InvalidError

PROBE_SECONDS = 30.0


def found(address: str) -> str:
    """HOST:PORT of an address, where something answers.

    Raises:
        InvalidError: nothing does, or it is no such address.
    """
    if address == "auto":
        import ray._private.services as services

        addresses = services.find_gcs_addresses()
        if len(addresses) != 1:
            found = ", ".join(sorted(addresses)) or "none"
            raise InvalidError(
                f"--address auto: expected one Ray cluster on this machine, found {found}; give HOST:PORT"
            )
        return addresses.pop()
    host, _, port = address.rpartition(":")
    if not re.fullmatch("[0-9]{1,5}", port) or not 0 < int(port) < 2**16 or not host or "/" in host:
        raise InvalidError(f"--address {address}: expected HOST:PORT of a Ray head node, like 10.0.0.1:6379")
    try:
        socket.create_connection((host, int(port)), 5).close()
    except (OSError, UnicodeError) as error:  # the latter: no such name can be looked up
        reason = getattr(error, "strerror", None) or first_line(error)
        raise InvalidError(
            f"no Ray cluster at {address}: {reason}; start one with: ray start --head"
        ) from None
    return address


# What Ray says in its own words, and what it means.
_MEANINGS = (
    (
        ("InvalidAuthToken", "Unauthenticated", "no authentication token was found"),
        "the token does not match; give the cluster's (RAY_AUTH_MODE=token and RAY_AUTH_TOKEN, "
        "RAY_AUTH_TOKEN_PATH or ~/.ray/auth_token; docs/cluster.md)",
    ),
    (("TimedOut", "Failed to connect to GCS"), "what answers there is no Ray head node"),
)
_PROBE = """
import sys, ray
try:
    ray.init(address=sys.argv[1], log_to_driver=False)
except BaseException as error:
    print("PROBE", " ".join(str(error).split()), file=sys.stderr, flush=True)
else:
    print("PROBE ok", file=sys.stderr, flush=True)
"""


def probe(address: str) -> None:
    """Join and leave a cluster in a process of its own: where it can't be joined, Ray tries for up to two
    minutes, says why only on its stderr, and then ends the process.

    Raises:
        InvalidError: it can't be joined; the message says why.
    """
    command = [sys.executable, "-c", _PROBE, address]
    deadline = time.monotonic() + PROBE_SECONDS
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL) as process:
        assert process.stderr is not None
        os.set_blocking(process.stderr.fileno(), False)
        said = ""
        try:
            while time.monotonic() < deadline:
                said += (process.stderr.read() or b"").decode(errors="replace")
                if "PROBE ok" in said:
                    return
                if reason := meaning(said):
                    raise InvalidError(f"can't join the Ray cluster at {address}: {reason}")
                if process.poll() is not None:
                    break
                time.sleep(0.05)
        finally:
            process.kill()
    raise InvalidError(f"can't join the Ray cluster at {address}: no answer within {PROBE_SECONDS:.0f} s")


def meaning(said: str) -> str | None:
    """Why Ray could not join, from what it printed; None where it has not given up."""
    for signs, reason in _MEANINGS:
        if any(sign in said for sign in signs):
            return reason
    _, given_up, error = said.partition("PROBE ")
    if not given_up:
        return None
    if "ersion mismatch" in error:
        return (
            "its versions of Ray or Python are not the ones here; install the same on all machines: "
            f"{error.strip()[:300]}"
        )
    return error.strip()[:300]


def first_line(error: BaseException) -> str:
    """Of an error's text, or its kind where it has none."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:300]
