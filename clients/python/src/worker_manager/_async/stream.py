"""Streams that survive lost connections."""

from __future__ import annotations

import re
from time import monotonic
from typing import AsyncGenerator, Mapping, Optional

import httpx
from anyio import sleep

from .._errors import InternalError, ManagerError, UnavailableError, WaitTimeoutError
from .._policy import (
    HEARTBEAT_SECONDS,
    RECONNECT_SECONDS,
    SILENCE_SECONDS,
    Param,
    is_temporary,
    pause_before,
)
from .._sse import ServerEvent, SseDecoder, is_entry
from .closing import aclosing
from .transport import AsyncTransport

#: Before any entry.
START = "0-0"
_ENTRY_ID = re.compile(r"\d+-\d+")


async def read_stream(
    transport: AsyncTransport, path: str, *, since: Optional[str], tail: Optional[int], follow: bool
) -> AsyncGenerator[ServerEvent, None]:
    """Yield each event once, in order, until the stream ends.

    What ``since`` and ``tail`` select depends on the moment. So with ``follow``, they are read up to the present end, and
    what comes after it is read from its position.
    """
    if tail is None and (since is None or _ENTRY_ID.fullmatch(since)):
        position = since or START
    else:
        position = await last_id_of(transport, path) if follow else START
        selected: Mapping[str, Param] = {"since": since, "tail": tail}
        async with aclosing(follow_stream(transport, path, selected, follow=False)) as events:
            async for event in events:
                if is_entry(event):
                    position = event.id or position
                    yield event
        if not follow:
            return
    async with aclosing(follow_stream(transport, path, {}, last_id=position, follow=follow)) as events:
        async for event in events:
            if is_entry(event):
                yield event


async def last_id_of(transport: AsyncTransport, path: str) -> str:
    """The ID of the last entry that exists now."""
    position = START
    async for event in follow_stream(transport, path, {"tail": 1}, follow=False):
        position = event.id or position
    return position


async def follow_stream(
    transport: AsyncTransport,
    path: str,
    params: Mapping[str, Param],
    *,
    follow: bool,
    last_id: Optional[str] = None,
    deadline: Optional[float] = None,
) -> AsyncGenerator[ServerEvent, None]:
    """Yield the events after ``last_id``, or those that ``params`` select, the heartbeats between them, and ``end``.

    After a lost connection, the stream continues behind the last event.
    """
    opened, attempt = False, 0
    failing_since: Optional[float] = None
    while True:
        error: ManagerError
        silence = SILENCE_SECONDS
        if deadline is not None:
            silence = min(silence, max(deadline - monotonic(), 0.001))
        # The position replaces what selected the first entries.
        selected: Mapping[str, Param] = {**(params if last_id is None else {}), "follow": follow}
        try:
            async with transport.open_stream(path, selected, last_id, silence) as response:
                opened, decoder, late = True, SseDecoder(), False
                async with aclosing(response.aiter_bytes()) as chunks:
                    async for chunk in chunks:
                        for event in decoder.feed(chunk):
                            failing_since, attempt = None, 0
                            last_id = event.id or last_id
                            yield event
                            if event.event == "end":
                                return
                        late = deadline is not None and _would_sleep_past(deadline, silence)
                        if late:
                            break
            if late:
                continue
            if not follow:
                return
            error = UnavailableError(f"{transport.url} closed the stream", code="unavailable")
        except httpx.RequestError as cause:
            error = transport.unreachable(cause)
        except ManagerError as cause:
            if not is_temporary(cause):
                raise
            error = cause
        except ValueError as cause:
            raise InternalError(f"{transport.url} sent no valid stream: {cause}") from cause
        now = monotonic()
        failing_since = now if failing_since is None else failing_since
        pause = pause_before(attempt, error)
        attempt += 1
        if deadline is not None and now + pause >= deadline:
            raise WaitTimeoutError("The end of the turn has not arrived within the timeout") from error
        if now + pause > failing_since + RECONNECT_SECONDS or (not opened and attempt > transport.retries):
            raise error
        await sleep(pause)


def _would_sleep_past(deadline: float, silence: float) -> bool:
    """Whether the timeout of the connection is longer than the time that is left, and no heartbeat comes before."""
    left = deadline - monotonic()
    return left < HEARTBEAT_SECONDS and silence > left + 1
