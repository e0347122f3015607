"""What a request looks like, when it is repeated, and what its response means. Does no input or output."""

from __future__ import annotations

import asyncio
import json
import os
import random
from typing import Any, Dict, Iterable, Iterator, List, Mapping, Optional, Sequence, Union
from urllib.parse import quote, urlsplit
from uuid import uuid4

from ._errors import InternalError, ManagerError
from ._version import __version__

Param = Union[str, int, float, bool, Sequence[str], Mapping[str, str], None]

#: Timeout of a request in seconds, with its retries.
DEFAULT_TIMEOUT = 30.0
#: With the pauses between them, 7 retries take about 7 seconds: a restart of the manager on a busy machine.
DEFAULT_RETRIES = 7
#: How long a stream that was open tries to reconnect before it fails.
RECONNECT_SECONDS = 60.0
#: Interval of the comments that the manager sends in a stream.
HEARTBEAT_SECONDS = 15.0
#: A stream without any byte for this long is dead.
SILENCE_SECONDS = 45.0
#: How long a request may take that reads a whole workspace.
SAVE_SECONDS = 3600.0
#: Bytes of a bulk submission; the manager accepts 1 MiB.
BULK_BYTES = 512 * 1024
#: How long one request waits at the manager. A proxy closes connections that are silent for a minute.
LONGEST_WAIT = 30.0

_LONGEST_PAUSE = 2.0
#: Not 504: the manager waited as long as it was asked to.
_TEMPORARY = (0, 429, 502, 503)


def check_keys(value: Any, path: str) -> None:
    """Raise a ValueError for keys that are one in JSON, such as 1 and "1": one of the two values would be lost."""
    left = [(value, path)]
    while left:
        item, place = left.pop()
        if isinstance(item, Mapping):
            names = {key: key if isinstance(key, str) else json.dumps(key) for key in item}
            if len(set(names.values())) < len(item):
                raise ValueError(f"{place} has two keys that are one in JSON: {list(item)[:10]!r}")
            left.extend((inner, f"{place}.{names[key]}") for key, inner in item.items())
        elif isinstance(item, (list, tuple)):
            left.extend((inner, f"{place}.{at}") for at, inner in enumerate(item))


def owner() -> object:
    """The process, which cannot share connections with others."""
    return os.getpid()


def async_owner() -> object:
    """The process and its event loop."""
    try:
        return os.getpid(), asyncio.get_running_loop()
    except RuntimeError:
        # Trio.
        return os.getpid(), None


def path_of(*parts: str) -> str:
    """A path below ``/v1``, with IDs and names escaped. Refuses what is none, and what a URL would drop."""
    for part in parts:
        if not isinstance(part, str):
            raise TypeError(f"an ID or a name must be text, not {part!r}")
        if part in (".", ".."):
            raise ValueError(f"{part!r} is not an ID or a name")
    return "/v1/" + "/".join(quote(part, safe="") for part in parts)


#: What identifies a worker, was only for it, or is set by its pool.
_OWN = ("name", "prompt", "exit_after_prompt", "pool", "pool_revision", "warm", "from_checkpoint")


def fork_fields(checkpoint_id: str, spec: Mapping[str, Any]) -> Dict[str, Any]:
    """The fields of a worker that starts from a checkpoint of a worker with this spec."""
    fields = {name: value for name, value in spec.items() if name not in _OWN}
    return {**fields, "from_checkpoint": checkpoint_id}


def headers_for(token: Optional[str]) -> Dict[str, str]:
    headers = {"user-agent": f"worker-manager-python/{__version__}", "accept": "application/json"}
    if token:
        headers["authorization"] = f"Bearer {token}"
    return headers


def change_headers(key: Optional[str] = None, traceparent: Optional[str] = None) -> Dict[str, str]:
    """The headers of a change: with the same key, it is made once; its trace is part of the caller's."""
    headers = {"idempotency-key": key or str(uuid4())}
    if traceparent is not None:
        headers["traceparent"] = traceparent
    return headers


def query(params: Mapping[str, Param]) -> Dict[str, Union[str, Sequence[str]]]:
    """Query parameters; those that are None are left out, and a mapping becomes ``name=key=value``."""
    made: Dict[str, Union[str, Sequence[str]]] = {}
    for name, value in params.items():
        if value is None:
            continue
        if isinstance(value, bool):
            made[name] = "true" if value else "false"
        elif isinstance(value, Mapping):
            made[name] = [f"{key}={text}" for key, text in value.items()]
        elif isinstance(value, (str, int, float)):
            made[name] = str(value)
        else:
            made[name] = list(value)
    return made


def is_loopback(url: str) -> bool:
    """Whether the URL leads to this machine, so that a proxy of the environment cannot reach it."""
    host = urlsplit(url).hostname or ""
    return host in ("localhost", "::1") or host.startswith("127.")


def is_temporary(error: ManagerError) -> bool:
    """Whether the same request may succeed soon."""
    return error.status in _TEMPORARY


def pause_before(attempt: int, error: ManagerError) -> float:
    """Seconds before a retry: doubled each time, with jitter, and not before the manager allows it."""
    pause = min(0.1 * 2.0**attempt, _LONGEST_PAUSE) * random.uniform(0.75, 1.25)
    return max(pause, error.retry_after_seconds or 0.0)


def batches(lines: Iterable[bytes], most: int) -> Iterator[bytes]:
    """The lines in bodies of at most ``most`` bytes; a longer line is a body of its own."""
    batch: List[bytes] = []
    size = 0
    for line in lines:
        if batch and size + len(line) >= most:
            yield b"".join(batch)
            batch, size = [], 0
        batch.append(line + b"\n")
        size += len(line) + 1
    if batch:
        yield b"".join(batch)


def parse_lines(content: bytes, url: str) -> List[Any]:
    """The JSON of each line of a successful response."""
    return [parse(line, 200, url) for line in content.split(b"\n") if line.strip()]


def parse(content: Union[bytes, bytearray], status: int, url: str) -> Any:
    """The JSON of a response; a successful response must be JSON."""
    if not content:
        return None
    try:
        return json.loads(content)
    except ValueError:
        if status >= 300:
            return None
        raise InternalError(
            f"{url} responded with something else than JSON. Is it the URL of a manager?", status=status
        ) from None
