"""What the terminals of both clients share."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Callable, Dict, Mapping, Optional, Tuple
from urllib.parse import urlencode

from ._errors import ManagerError, UnavailableError, error_from
from ._policy import is_loopback

OnData = Callable[[bytes], object]
#: Called with columns and rows.
OnResize = Callable[[int, int], object]


@dataclass(frozen=True)
class TerminalEnd:
    """How the program of a terminal ended."""

    #: As a shell reports it: 128 and the signal.
    exit_code: int
    #: The signal that ended it, such as ``SIGKILL``.
    signal: Optional[str]


def websocket_url(url: str, pty_id: str, size: Optional[Tuple[int, int]]) -> str:
    """The address of the WebSocket of a terminal; ``size`` is that of the viewer's window, in columns and rows."""
    window = {} if size is None else {"cols": size[0], "rows": size[1]}
    return f"ws{url[len('http'):]}?{urlencode({'id': pty_id, **window})}"


def connect_options(url: str, headers: Mapping[str, str]) -> Dict[str, Any]:
    """The arguments of a connection: without compression, which delays keys, and without a proxy on this machine."""
    token = {name: value for name, value in headers.items() if name.lower() == "authorization"}
    options: Dict[str, Any] = {"additional_headers": token, "compression": None, "max_size": None}
    if is_loopback(f"http{url[len('ws'):]}"):
        options["proxy"] = None
    return options


def refusal_of(cause: Exception, url: str) -> ManagerError:
    """The error for a connection that was refused, from the manager's answer if there is one."""
    response = getattr(cause, "response", None)
    if response is None:
        return UnavailableError(f"The manager does not answer at {url}: {cause}", code="unavailable")
    try:
        answer = json.loads(response.body or b"null")
    except ValueError:
        answer = None
    return error_from(
        response.status_code, answer, retry_after=response.headers.get("retry-after"), trace_id=None, url=url
    )
