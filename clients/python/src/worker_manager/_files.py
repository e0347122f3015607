"""What the files of both clients share: paths and events. Opens no connection."""

from __future__ import annotations

import json
from typing import Any, Dict, Mapping, NamedTuple, Optional, Union
from urllib.parse import quote

from ._sse import ServerEvent
from .types import FileInfo

#: A path from the workspace, such as ``src/app.py``, or an absolute one in it. Bytes and entries of a list are for names
#: that are not UTF-8.
FilePath = Union[str, bytes, FileInfo]

#: As long as a transfer may take, in seconds.
TRANSFER_SECONDS = 7 * 86400.0


class FileEvent(NamedTuple):
    """A change in a folder. After ``overflow``, changes were missed: list the folder again."""

    #: ``create``, ``write``, ``remove`` or ``overflow``; a move is a ``remove`` and a ``create``.
    type: str
    #: From the workspace, percent-encoded as in URLs.
    path: str
    name: str
    #: ``file``, ``directory``, ``symlink`` or ``other``; None after it was removed.
    file_type: Optional[str]


def to_file_event(event: ServerEvent) -> FileEvent:
    fields: Dict[str, Any] = json.loads(event.data) if event.data else {}
    return FileEvent(event.event, fields.get("path", ""), fields.get("name", ""), fields.get("type"))


def encode_path(path: FilePath) -> str:
    """The path for a URL. It is one name, with its slashes encoded, if a URL would change it: ``..``, or an absolute path."""
    if isinstance(path, Mapping):
        return path["path"]
    content = path.encode("utf-8", "surrogateescape") if isinstance(path, str) else path
    parts = content.split(b"/")
    if all(part not in (b"", b".", b"..") for part in parts):
        return "/".join(quote(part, safe="") for part in parts)
    if not content:
        return ""
    return quote(b"./" + content if content in (b".", b"..") else content, safe="")


def mode_of(mode: Optional[int]) -> Optional[str]:
    """Permissions such as ``0o755``, as the manager reads them."""
    return None if mode is None else f"{mode:03o}"
