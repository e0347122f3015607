"""A turn: what an agent does about one prompt."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, Any, AsyncGenerator, AsyncIterator, Dict, Optional

from .._entries import Entry, fields_of, to_entry
from .._errors import TurnFailedError, UnsupportedError, WaitTimeoutError
from .._policy import path_of
from .closing import aclosing
from .stream import follow_stream

if TYPE_CHECKING:
    from .worker import AsyncWorker


class AsyncTurn:
    """A prompt on its way through a worker: iterate over its entries, or wait for its result."""

    def __init__(self, worker: AsyncWorker, request_id: str, position: str) -> None:
        self.worker = worker
        #: Identifies the prompt. ``worker.turn(request_id)`` returns the turn again, in another process too.
        self.request_id = request_id
        #: The last entry before the prompt.
        self._position = position
        self._end: Optional[Entry] = None

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.request_id} of worker {self.worker.id}>"

    async def __aiter__(self) -> AsyncIterator[Entry]:
        """Yield the entries of the turn from its start, up to the one that ends it."""
        async with aclosing(self._entries(None)) as entries:
            async for entry in entries:
                yield entry

    async def result(self, *, timeout: Optional[float] = None) -> Entry:
        """Wait for the end of the turn, and return its last entry: ``content`` is the answer.

        Raises ``TurnFailedError`` if the agent failed or its worker ended, ``WaitTimeoutError`` after ``timeout`` seconds,
        and ``UnsupportedError`` for a program without turns, because this would never return.
        """
        if self._end is None:
            await self._reject_lines()
            async for _ in self._entries(None if timeout is None else monotonic() + timeout):
                pass
        end = self._end
        if end is None:
            raise RuntimeError("the entries of a turn end with an entry")
        if end.type == "turn_failed":
            raise TurnFailedError(end.content, reason=str(end.data.get("reason", "error")), data=end.data)
        return end

    async def interrupt(self) -> None:
        """Ask the agent to end its turn."""
        await self.worker.interrupt()

    async def _entries(self, deadline: Optional[float]) -> AsyncGenerator[Entry, None]:
        path = path_of("workers", self.worker.id, "output")
        end: Dict[str, Any] = {}
        stream = follow_stream(
            self.worker._transport, path, {}, follow=True, last_id=self._position, deadline=deadline
        )
        async with aclosing(stream) as events:
            async for event in events:
                if deadline is not None and monotonic() > deadline:
                    raise WaitTimeoutError(f"The turn {self.request_id} has not ended within the timeout")
                if event.event == "end":
                    end = fields_of(event)
                elif event.data is not None:
                    entry = to_entry(event)
                    if entry.request_id != self.request_id:
                        continue
                    if entry.ends_turn:
                        self._end = entry
                    yield entry
                    if entry.ends_turn:
                        return
        why = end.get("message") or end.get("reason") or end.get("status") or "it was deleted"
        raise TurnFailedError(f"The worker ended before its turn: {why}", reason="body_lost", data=end)

    async def _reject_lines(self) -> None:
        """In the output of a program that reads and writes plain lines, the end of a turn cannot be seen."""
        if self.worker.info.get("agent_type") != "CUSTOM":
            return
        spec = await self.worker.spec()
        if spec.get("protocol", "lines") == "lines" and not spec.get("exit_after_prompt"):
            raise UnsupportedError(
                f"The worker {self.worker.id} uses the protocol lines, which has no turns. Iterate over the turn or over "
                "worker.output(), or create the worker with the protocol json or acp",
                code="unsupported",
                worker_id=self.worker.id,
            )
