"""Finds the manager: arguments, then WM_URL and WM_TOKEN, then the context file that ``wm serve`` writes."""

from __future__ import annotations

import json
import os
import stat
from typing import Any, Dict, Mapping, NamedTuple, Optional
from urllib.parse import urlsplit

from ._errors import UnavailableError

#: A larger file was not written by a manager.
_LARGEST_CONTEXT = 65_536


class Address(NamedTuple):
    """The URL of a manager without a trailing slash, and its token."""

    url: str
    token: Optional[str]


def find_address(
    url: Optional[str] = None,
    token: Optional[str] = None,
    env: Optional[Mapping[str, str]] = None,
) -> Address:
    """Return the address of the manager.

    The token of the context file is only used for the URL of the context file, so that it is never sent elsewhere.
    """
    env = os.environ if env is None else env
    path = context_path(env)
    url = url or env.get("WM_URL")
    token = token or env.get("WM_TOKEN")
    context = read_context(path) if not url or not token else {}
    known = context.get("url")
    if not url:
        if not known:
            raise UnavailableError(
                f"The manager's address is unknown: the context file {path} is missing or unusable. Start a manager on this "
                "machine with `wm serve`, set WM_URL and WM_TOKEN, or pass url and token",
                code="unavailable",
            )
        url = known
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"url must be an address such as http://127.0.0.1:8080, not {url!r}")
    if not token and known and _origin(known) == _origin(url):
        token = context.get("token")
    if token and not (token.isascii() and token.isprintable()):
        # Without the token itself.
        raise ValueError("token has a line break, or another character that no token has")
    return Address(url.rstrip("/"), token or None)


def context_path(env: Mapping[str, str]) -> str:
    """The path of the context file of the cell."""
    home = env.get("WORKER_MANAGER_HOME")
    if not home:
        state = env.get("XDG_STATE_HOME") or ""
        if not os.path.isabs(state):
            state = os.path.join(env.get("HOME") or os.path.expanduser("~"), ".local", "state")
        home = os.path.join(state, "worker-manager")
    return os.path.join(home, ".context", f"{env.get('CELL') or 'default'}.json")


def read_context(path: str) -> Dict[str, str]:
    """The texts of a context file; empty if it is missing or broken, or another user could have written it."""
    try:
        # Without O_NONBLOCK, a named pipe in its place would block.
        flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
        with open(os.open(path, flags), encoding="utf-8") as file:
            if not _is_trusted(os.fstat(file.fileno())):
                return {}
            fields: Any = json.load(file)
    except (OSError, ValueError):
        return {}
    if not isinstance(fields, dict):
        return {}
    return {name: text for name, text in fields.items() if isinstance(text, str)}


def _is_trusted(info: os.stat_result) -> bool:
    if not stat.S_ISREG(info.st_mode) or info.st_size > _LARGEST_CONTEXT:
        return False
    if not hasattr(os, "getuid"):
        return True
    return info.st_uid in (os.getuid(), 0) and not info.st_mode & 0o022


def _origin(url: str) -> object:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme)
