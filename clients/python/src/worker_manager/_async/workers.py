"""The workers of a manager."""

from __future__ import annotations

from typing import TYPE_CHECKING, AsyncGenerator, Mapping, Optional, Sequence, Union

from .._policy import change_headers, path_of
from ..types import CreateWorker
from .closing import aclosing
from .transport import AsyncTransport
from .worker import AsyncWorker

if TYPE_CHECKING:
    from typing_extensions import Unpack

Filter = Union[str, Sequence[str], None]


class AsyncWorkers:
    """Creates and finds workers."""

    def __init__(self, transport: AsyncTransport) -> None:
        self._transport = transport

    async def create(
        self,
        *,
        idempotency_key: Optional[str] = None,
        traceparent: Optional[str] = None,
        **spec: Unpack[CreateWorker],
    ) -> AsyncWorker:
        """Create a worker. It starts in the background: ``worker.wait("ready")`` waits for that.

        The arguments are the fields of the command ``create``. The same ``idempotency_key`` twice is the same worker. The
        start is in the trace of ``traceparent``, the caller's span (W3C Trace Context).
        """
        headers = change_headers(idempotency_key, traceparent)
        info = await self._transport.request("POST", path_of("workers"), body=spec, headers=headers)
        return AsyncWorker(self._transport, info)

    async def get(self, id_or_name: str) -> AsyncWorker:
        """Return the worker with that ID or name; raises ``NotFoundError`` if there is none.

        Names are unique among workers that have not ended. If all workers of that name have ended, it is the last one.
        """
        return AsyncWorker(self._transport, await self._transport.request("GET", path_of("workers", id_or_name)))

    async def delete(self, id_or_name: str, *, reason: Optional[str] = None) -> None:
        """End a worker and delete it, with its output. A worker that is already deleted is a success."""
        headers = change_headers()
        params = {"reason": reason}
        await self._transport.request("DELETE", path_of("workers", id_or_name), params=params, headers=headers)

    async def list(
        self,
        *,
        status: Filter = None,
        phase: Filter = None,
        agent_type: Filter = None,
        runtime: Filter = None,
        pool: Filter = None,
        name: Filter = None,
        labels: Optional[Mapping[str, str]] = None,
        page_size: Optional[int] = None,
    ) -> AsyncGenerator[AsyncWorker, None]:
        """Yield the workers that match all filters, oldest first, one page after the other.

        A filter is a value or several alternatives.
        """
        params = {
            "status": status,
            "phase": phase,
            "agent_type": agent_type,
            "runtime": runtime,
            "pool": pool,
            "name": name,
            "label": labels,
            "limit": page_size,
        }
        async with aclosing(self._transport.pages("/v1/workers", params)) as pages:
            async for info in pages:
                yield AsyncWorker(self._transport, info)
