"""What the files of both clients share: paths and events. Opens no connection."""

from __future__ import annotations

import io
import json
import os
from typing import Any, Dict, Mapping, NamedTuple, Optional, TypeVar, Union
from urllib.parse import quote

from ._sse import ServerEvent
from .types import FileInfo

#: A path from the workspace, such as ``src/app.py``, or an absolute one in it. Bytes and entries of a list are for names
#: that are not UTF-8.
FilePath = Union[str, bytes, "os.PathLike[str]", FileInfo]

T = TypeVar("T")

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
    name = os.fspath(path)
    content = name.encode("utf-8", "surrogateescape") if isinstance(name, str) else name
    parts = content.split(b"/")
    if all(part not in (b"", b".", b"..") for part in parts):
        return "/".join(quote(part, safe="") for part in parts)
    if not content:
        return ""
    return quote(b"./" + content if content in (b".", b"..") else content, safe="")


def mode_of(mode: Optional[int]) -> Optional[str]:
    """Permissions such as ``0o755``, as the manager reads them. 644 without its ``0o`` has other bits than 0o644."""
    if mode is None:
        return None
    if not isinstance(mode, int) or not 0 <= mode <= 0o777:
        raise ValueError(f"mode must be permissions from 0 to 0o777, such as 0o644, not {mode!r}")
    return f"{mode:03o}"


def content_of(data: Union[str, bytes, bytearray, memoryview, T]) -> Union[bytes, T]:
    """What is sent as the content of a file: bytes, or what yields them. Refuses what would be written as an empty file."""
    if isinstance(data, str):
        return data.encode()
    if isinstance(data, (bytearray, memoryview)):
        return bytes(data)
    if data is None:
        raise TypeError("the content of a file must be text, bytes or an iterable of bytes, not None")
    if isinstance(data, io.TextIOBase):
        raise TypeError("the file is open in text mode; open it in binary mode: open(path, 'rb')")
    return data
