"""Pools: numbers of equal workers that the manager keeps, with a queue of tasks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Dict, List, Optional
from uuid import uuid4

from ..types import Pool, PoolChange, PoolScaled, PoolView, WorkerStats
from .._policy import path_of
from .transport import AsyncTransport

if TYPE_CHECKING:
    from typing_extensions import Unpack


class AsyncPools:
    """Declares and finds pools."""

    def __init__(self, transport: AsyncTransport) -> None:
        self._transport = transport

    async def list(self) -> List[PoolView]:
        """Return all pools, with their specs and status."""
        pools: List[PoolView] = (await self._transport.request("GET", "/v1/pools"))["pools"]
        return pools

    async def get(self, name: str) -> PoolView:
        """Return a pool, with its spec and status; raises ``NotFoundError`` if there is none of that name."""
        pool: PoolView = await self._transport.request("GET", path_of("pools", name))
        return pool

    async def worker_stats(self) -> WorkerStats:
        """Return how many ready workers of each type are busy and idle."""
        stats: WorkerStats = (await self._transport.request("GET", "/v1/pools"))["worker_stats"]
        return stats

    async def apply(self, *, idempotency_key: Optional[str] = None, **pool: Unpack[Pool]) -> PoolChange:
        """Create a pool, or change it. The arguments are the fields of a pool, as in a pool file."""
        path = path_of("pools", pool["name"])
        change: PoolChange = await self._transport.request("PUT", path, body=pool, headers=_key(idempotency_key))
        return change

    async def scale(self, name: str, count: int) -> PoolScaled:
        """Set the number of workers."""
        path = path_of("pools", name, "scale")
        scaled: PoolScaled = await self._transport.request("POST", path, body={"count": count}, headers=_key())
        return scaled

    async def delete(self, name: str) -> None:
        """Delete a pool after its workers have finished their tasks."""
        await self._transport.request("DELETE", path_of("pools", name), headers=_key())


def _key(key: Optional[str] = None) -> Dict[str, str]:
    return {"idempotency-key": key or str(uuid4())}
