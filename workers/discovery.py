"""Whether there is a Ray cluster at an address that can be joined. Ray itself would try for two minutes
before it says why it can't join, so this is found out first."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time

from fooling.errors import InvalidError, first_line

PROBE_SECONDS = 30.0  # the longest that `probe` waits for Ray


def resolve_address(address: str) -> str:
    """HOST:PORT of a cluster, after a look whether something answers there.

    Args:
        address: HOST:PORT, or "auto" for the one cluster on this machine.

    Raises:
        InvalidError: nothing answers, or this is not an address.
    """
    if address == "auto":
        import ray._private.services as services

        addresses = services.find_gcs_addresses()
        if len(addresses) != 1:
            found = ", ".join(sorted(addresses)) or "none"
            raise InvalidError(
                f"--address auto: expected one Ray cluster on this machine, found {found}; give HOST:PORT"
            )
        return next(iter(addresses))
    host, _, port = address.rpartition(":")
    if not re.fullmatch("[0-9]{1,5}", port) or not 0 < int(port) < 2**16 or not host or "/" in host:
        raise InvalidError(f"--address {address}: expected HOST:PORT of a Ray head node, like 10.0.0.1:6379")
    try:
        socket.create_connection((host, int(port)), 5).close()
    except (OSError, UnicodeError) as error:  # UnicodeError: the name of the host can't be looked up
        reason = getattr(error, "strerror", None) or first_line(error)
        raise InvalidError(
            f"no Ray cluster at {address}: {reason}; start one with: ray start --head"
        ) from None
    return address


# Signs in what Ray prints, and what they mean.
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
    """Join a cluster and leave it again in another process: if Ray can't join, it tries for up to two
    minutes, says why on stderr only, and then ends its process.

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
                if reason := failure_reason(said):
                    raise InvalidError(f"can't join the Ray cluster at {address}: {reason}")
                if process.poll() is not None:
                    break
                time.sleep(0.05)
        finally:
            process.kill()
    raise InvalidError(f"can't join the Ray cluster at {address}: no answer within {PROBE_SECONDS:.0f} s")


def failure_reason(said: str) -> str | None:
    """Why Ray could not join, from what it printed so far; None while it still tries."""
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
