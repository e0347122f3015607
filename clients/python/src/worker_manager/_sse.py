"""Decodes server-sent events. Reads no socket: the caller feeds it with bytes."""

from __future__ import annotations

from typing import Iterator, List, NamedTuple, Optional

#: The manager's largest entry has 1 MiB; a longer line is not from a manager, and must not fill the memory.
LONGEST_LINE = 64 * 1024 * 1024


class ServerEvent(NamedTuple):
    """One event. A comment, which the manager sends as a heartbeat, is an event without data."""

    event: str
    data: Optional[str]
    #: The ID to resume after.
    id: Optional[str]


HEARTBEAT = ServerEvent("heartbeat", None, None)


def is_entry(event: ServerEvent) -> bool:
    """Whether it is neither a heartbeat nor the end of the stream."""
    return event.data is not None and event.event != "end"


class SseDecoder:
    """Splits a response into events. An event that ends in the middle is dropped, together with its ID."""

    def __init__(self) -> None:
        self._line: List[bytes] = []
        self._size = 0
        self._event = ""
        self._data: List[str] = []
        self._id: Optional[str] = None

    def feed(self, chunk: bytes) -> Iterator[ServerEvent]:
        """Decode the next bytes. Characters and lines may be split anywhere."""
        *complete, rest = chunk.split(b"\n")
        for part in complete:
            # Parts are joined once per line, so that a long line in small chunks takes linear time.
            line = b"".join((*self._line, part))
            self._line.clear()
            self._size = 0
            event = self._take(line[:-1] if line.endswith(b"\r") else line)
            if event is not None:
                yield event
        if rest:
            self._line.append(rest)
            self._size += len(rest)
            if self._size > LONGEST_LINE:
                raise ValueError(f"the response contains a line of more than {LONGEST_LINE} bytes")

    def _take(self, line: bytes) -> Optional[ServerEvent]:
        if not line:
            return self._dispatch()
        if line.startswith(b":"):
            return HEARTBEAT
        name, _, rest = line.partition(b":")
        value = (rest[1:] if rest.startswith(b" ") else rest).decode("utf-8", "replace")
        if name == b"data":
            self._data.append(value)
        elif name == b"event":
            self._event = value
        elif name == b"id" and "\0" not in value:
            self._id = value
        return None

    def _dispatch(self) -> Optional[ServerEvent]:
        event, data, last_id = self._event or "message", self._data, self._id
        self._event, self._data, self._id = "", [], None
        if not data and last_id is None:
            return None
        # An ID without data only moves the position.
        return ServerEvent(event, "\n".join(data) if data else None, last_id)
