"""The entries of a worker's streams."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import Any, Dict, Mapping, Optional, Tuple

from ._sse import ServerEvent

#: Types of the entries that end a turn.
TURN_ENDS = ("turn_completed", "turn_failed", "completed")


@dataclass(frozen=True)
class Entry:
    """An entry of a worker's output: a line of its program, a message of its agent, the end of a turn."""

    #: The position in the stream: pass it as ``since`` to continue after this entry.
    id: str
    #: Such as ``stdout``, ``message``, ``tool_use`` or ``turn_completed``.
    type: str
    content: str
    #: Increases by one per worker. Lost entries are reported by an entry ``gap``.
    seq: int
    #: The number of the worker's body, from 1.
    incarnation: int
    #: RFC 3339 in UTC.
    timestamp: str
    #: The prompt that the entry belongs to.
    request_id: Optional[str]
    #: All fields, also those of this type only.
    data: Mapping[str, Any]

    @property
    def text(self) -> str:
        """What the program wrote: the content, with a line break unless the line continues in the next entry."""
        return self.content if self.data.get("partial") else f"{self.content}\n"

    @property
    def raw(self) -> bytes:
        """The bytes that the program wrote, even if they are not valid UTF-8."""
        encoded = self.data.get("base64")
        if encoded is None:
            return self.text.encode("utf-8")
        return base64.b64decode(encoded) + (b"" if self.data.get("partial") else b"\n")

    @property
    def ends_turn(self) -> bool:
        """Whether this is the last entry of a turn."""
        return self.type in TURN_ENDS


@dataclass(frozen=True)
class LifecycleEvent:
    """What the manager saw, decided and did about a worker, and why."""

    #: The position in the stream: pass it as ``since`` to continue after this event.
    id: str
    type: str
    #: ``STARTING``, ``RUNNING``, ``STOPPED`` or ``FAILED``.
    status: str
    phase: str
    reason: str
    message: str
    incarnation: int
    timestamp: str
    #: The manager's actions, in words.
    actions: Tuple[str, ...]
    #: The worker; None if the stream is that of one worker and does not name it.
    worker_id: Optional[str]
    data: Mapping[str, Any]


def to_entry(event: ServerEvent) -> Entry:
    data = fields_of(event)
    return Entry(
        id=event.id or "",
        type=str(data.get("type", event.event)),
        content=str(data.get("content", "")),
        seq=int(data.get("seq", 0)),
        incarnation=int(data.get("incarnation", 0)),
        timestamp=str(data.get("timestamp", "")),
        request_id=data.get("request_id"),
        data=data,
    )


def to_lifecycle_event(event: ServerEvent) -> LifecycleEvent:
    data = fields_of(event)
    actions = data.get("actions")
    return LifecycleEvent(
        id=event.id or "",
        type=str(data.get("type", event.event)),
        status=str(data.get("status", "")),
        phase=str(data.get("phase", "")),
        reason=str(data.get("reason", "")),
        message=str(data.get("message", "")),
        incarnation=int(data.get("incarnation", 0)),
        timestamp=str(data.get("timestamp", "")),
        actions=tuple(map(str, actions)) if isinstance(actions, list) else (),
        worker_id=data.get("worker_id"),
        data=data,
    )


def fields_of(event: ServerEvent) -> Dict[str, Any]:
    """The JSON object of an event."""
    data = json.loads(event.data or "{}")
    return data if isinstance(data, dict) else {}
