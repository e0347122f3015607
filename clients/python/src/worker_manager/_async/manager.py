"""The entry: a manager at a URL."""

from __future__ import annotations

from types import TracebackType
from typing import AsyncGenerator, List, Optional, Type

import httpx

from .._address import find_address
from .._entries import LifecycleEvent, to_lifecycle_event
from ..types import ImageView, NodeView, Stats, WebhookDelivery, WorkerUsage
from .._policy import DEFAULT_RETRIES, DEFAULT_TIMEOUT
from .checkpoints import AsyncCheckpoints
from .closing import aclosing
from .pools import AsyncPools
from .stream import read_stream
from .tasks import AsyncTasks
from .transport import AsyncTransport
from .workers import AsyncWorkers


class AsyncManager:
    """A manager. Its methods can be used by several threads or tasks at the same time.

    Without a URL, ``WM_URL`` and ``WM_TOKEN`` are used, or the context file of the manager that was started last by this
    user on this machine. ``timeout`` is the limit of a request in seconds, with its ``retries``. Pass ``http_client`` to
    use your own proxies, certificates or limits; it is not closed with the manager.
    """

    def __init__(
        self,
        url: Optional[str] = None,
        *,
        token: Optional[str] = None,
        timeout: float = DEFAULT_TIMEOUT,
        retries: int = DEFAULT_RETRIES,
        http_client: Optional[httpx.AsyncClient] = None,
    ) -> None:
        address = find_address(url, token)
        self._transport = AsyncTransport(address.url, address.token, timeout, retries, http_client)
        self.workers = AsyncWorkers(self._transport)
        self.checkpoints = AsyncCheckpoints(self._transport)
        self.tasks = AsyncTasks(self._transport)
        self.pools = AsyncPools(self._transport)

    @property
    def url(self) -> str:
        return self._transport.url

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.url}>"

    async def __aenter__(self) -> AsyncManager:
        return self

    async def __aexit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections. Workers keep running."""
        await self._transport.aclose()

    async def stats(self) -> Stats:
        """Return the numbers of workers, pools and tasks."""
        stats: Stats = await self._transport.request("GET", "/v1/stats")
        return stats

    async def images(self) -> List[ImageView]:
        """Return the worker images."""
        images: List[ImageView] = (await self._transport.request("GET", "/v1/images"))["items"]
        return images

    async def usage(self) -> List[WorkerUsage]:
        """Return CPU and memory of the running workers, as of their last check."""
        usage: List[WorkerUsage] = (await self._transport.request("GET", "/v1/usage"))["items"]
        return usage

    async def webhooks(self, *, limit: int = 50) -> List[WebhookDelivery]:
        """Return the last deliveries to webhooks and those that wait, newest first."""
        answer = await self._transport.request("GET", "/v1/webhooks", params={"limit": limit})
        deliveries: List[WebhookDelivery] = answer["items"]
        return deliveries

    async def nodes(self) -> List[NodeView]:
        """Return the workers that run tasks, including those that were started by hand."""
        nodes: List[NodeView] = (await self._transport.request("GET", "/v1/nodes"))["items"]
        return nodes

    async def events(
        self, *, since: Optional[str] = None, tail: Optional[int] = None, follow: bool = True
    ) -> AsyncGenerator[LifecycleEvent, None]:
        """Yield the lifecycle events of all workers; the arguments are those of ``worker.output()``."""
        stream = read_stream(self._transport, "/v1/events", since=since, tail=tail, follow=follow)
        async with aclosing(stream) as events:
            async for event in events:
                yield to_lifecycle_event(event)
