"""Closes generators that are not read to their end, and with them the connections that they keep."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import Any, AsyncGenerator, AsyncIterator, TypeVar, cast

T = TypeVar("T")


@asynccontextmanager
async def aclosing(items: AsyncIterator[T]) -> AsyncIterator[AsyncIterator[T]]:
    """Iterate within its block. The garbage collector would close the generator too, but later."""
    try:
        yield items
    finally:
        await cast("AsyncGenerator[T, Any]", items).aclose()
