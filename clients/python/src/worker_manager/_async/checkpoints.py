"""The checkpoints of a manager: saved workspaces, from which workers can start."""

from __future__ import annotations

from typing import AsyncGenerator, Optional

from .._policy import path_of
from ..types import Checkpoint, CheckpointDetails
from .closing import aclosing
from .transport import AsyncTransport, read_content


class AsyncCheckpoints:
    """Lists, shows, downloads and deletes checkpoints, also those of deleted workers."""

    def __init__(self, transport: AsyncTransport) -> None:
        self._transport = transport

    async def list(
        self, *, worker_id: Optional[str] = None, page_size: Optional[int] = None
    ) -> AsyncGenerator[Checkpoint, None]:
        """Yield the checkpoints of a worker, or all of them, newest first."""
        path = path_of("checkpoints") if worker_id is None else path_of("workers", worker_id, "checkpoints")
        async with aclosing(self._transport.pages(path, {"limit": page_size})) as pages:
            async for checkpoint in pages:
                yield checkpoint

    async def get(self, checkpoint_id: str) -> CheckpointDetails:
        """Return a checkpoint with the spec of its worker; raises ``NotFoundError`` if there is none."""
        details: CheckpointDetails = await self._transport.request("GET", path_of("checkpoints", checkpoint_id))
        return details

    async def download(self, checkpoint_id: str) -> AsyncGenerator[bytes, None]:
        """Yield the archive of a checkpoint, of any size; raises ``NotFoundError`` if there is none."""
        async with aclosing(read_content(self._transport, path_of("checkpoints", checkpoint_id, "archive"), {})) as parts:
            async for part in parts:
                yield part

    async def delete(self, checkpoint_id: str) -> None:
        """Delete a checkpoint; raises ``NotFoundError`` if there is none."""
        await self._transport.request_once("DELETE", path_of("checkpoints", checkpoint_id))
