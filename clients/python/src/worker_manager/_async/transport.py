"""Requests to a manager, with retries."""

from __future__ import annotations

import ssl
from contextlib import asynccontextmanager
from time import monotonic
from typing import Any, AsyncGenerator, AsyncIterable, AsyncIterator, Dict, Mapping, Optional, Tuple, Union

import httpx
from anyio import sleep

from .._errors import ManagerError, UnavailableError, error_from
from .._policy import (
    RECONNECT_SECONDS,
    SILENCE_SECONDS,
    Param,
    async_owner,
    headers_for,
    is_loopback,
    is_temporary,
    parse,
    parse_lines,
    pause_before,
    query,
)
from .closing import aclosing


class AsyncTransport:
    """One manager over HTTP. Safe to share between threads and tasks."""

    def __init__(
        self, url: str, token: Optional[str], timeout: float, retries: int, client: Optional[httpx.AsyncClient]
    ) -> None:
        self.url = url
        self.timeout = timeout
        self.retries = retries
        self._headers = headers_for(token)
        self._given = client
        self._client = client or self._connect()
        #: Who uses the connections; None before the first request.
        self._owner: object = None

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers of every request."""
        return self._headers

    async def aclose(self) -> None:
        """Close the connections, except those of a client that the caller made."""
        if self._given is None:
            await self._client.aclose()

    async def request(
        self,
        method: str,
        path: str,
        *,
        params: Optional[Mapping[str, Param]] = None,
        body: object = None,
        content: Optional[bytes] = None,
        headers: Optional[Mapping[str, str]] = None,
        timeout: Optional[float] = None,
        lines: bool = False,
    ) -> Any:
        """Send a request, and return the JSON of the response, or of each of its lines.

        Every request is repeated after a temporary failure. So a request that changes something must contain an ID that
        makes its repetition harmless.
        """
        deadline = monotonic() + (self.timeout if timeout is None else timeout)
        options: Dict[str, Any] = {"params": query(params or {}), "headers": {**self._headers, **(headers or {})}}
        if body is not None:
            options["json"] = body
        elif content is not None:
            options["content"] = content
        attempt = 0
        while True:
            try:
                content, status = await self._once(method, path, options, deadline)
                return parse_lines(content, self.url) if lines else parse(content, status, self.url)
            except ManagerError as error:
                pause = pause_before(attempt, error)
                attempt += 1
                if attempt > self.retries or not is_temporary(error) or monotonic() + pause >= deadline:
                    raise
            await sleep(pause)

    async def request_in_wait(
        self,
        method: str,
        path: str,
        *,
        until: Optional[float],
        params: Optional[Mapping[str, Param]] = None,
        timeout: Optional[float] = None,
    ) -> Any:
        """Send a request of a wait that lasts until ``until``: it survives a manager that is away as long as a stream does."""
        attempt = 0
        failing_since: Optional[float] = None
        while True:
            try:
                return await self.request(method, path, params=params, timeout=timeout)
            except ManagerError as error:
                now = monotonic()
                failing_since = now if failing_since is None else failing_since
                pause = pause_before(attempt, error)
                attempt += 1
                late = now + pause > failing_since + RECONNECT_SECONDS or (until is not None and now + pause >= until)
                if late or not is_temporary(error):
                    raise
            await sleep(pause)

    async def request_once(
        self,
        method: str,
        path: str,
        *,
        params: Optional[Mapping[str, Param]] = None,
        body: object = None,
        content: Union[bytes, AsyncIterable[bytes], None] = None,
        headers: Optional[Mapping[str, str]] = None,
        timeout: Optional[float] = None,
    ) -> Any:
        """Send a request that must not be repeated, and return the JSON of the response."""
        options: Dict[str, Any] = {"headers": {**self._headers, **(headers or {})}}
        if params is not None:
            options["params"] = query(params)
        if body is not None:
            options["json"] = body
        elif content is not None:
            options["content"] = content
        left = self.timeout if timeout is None else timeout
        answer, status = await self._once(method, path, options, monotonic() + left)
        return parse(answer, status, self.url)

    async def text(self, path: str, *, params: Mapping[str, Param], timeout: float) -> str:
        """Return the text of a response."""
        options: Dict[str, Any] = {"params": query(params), "headers": self._headers}
        answer, _ = await self._once("GET", path, options, monotonic() + timeout)
        return answer.decode("utf-8", "replace")

    async def pages(self, path: str, params: Mapping[str, Param]) -> AsyncGenerator[Any, None]:
        """Yield the items of a list, and of the pages after it."""
        cursor: Optional[str] = None
        while True:
            page = await self.request("GET", path, params={**params, "cursor": cursor})
            for item in page["items"]:
                yield item
            cursor = page.get("next_cursor")
            if not cursor:
                return

    async def _once(self, method: str, path: str, options: Dict[str, Any], deadline: float) -> Tuple[bytes, int]:
        left = max(deadline - monotonic(), 0.001)
        content = bytearray()
        try:
            async with self._http().stream(method, self.url + path, timeout=left, **options) as response:
                async for chunk in response.aiter_bytes():
                    content += chunk
                    if monotonic() > deadline:
                        raise httpx.ReadTimeout("the response is too slow")
        except httpx.RequestError as cause:
            raise self.unreachable(cause) from cause
        status = response.status_code
        if response.is_success:
            return bytes(content), status
        raise self._error(response, parse(content, status, self.url))

    @asynccontextmanager
    async def open_stream(
        self,
        path: str,
        params: Mapping[str, Param],
        last_id: Optional[str],
        silence: float,
        *,
        method: str = "GET",
        body: object = None,
    ) -> AsyncIterator[httpx.Response]:
        """Open a stream of server-sent events; it breaks after ``silence`` seconds without a byte."""
        headers = {**self._headers, "accept": "text/event-stream", "accept-encoding": "identity"}
        if last_id is not None:
            headers["last-event-id"] = last_id
        timeout = httpx.Timeout(self.timeout, read=silence)
        async with self._http().stream(
            method, self.url + path, params=query(params), headers=headers, timeout=timeout, json=body
        ) as response:
            if not response.is_success or not response.headers.get("content-type", "").startswith("text/event-stream"):
                content = await response.aread()
                raise self._error(response, parse(content, response.status_code, self.url))
            yield response

    @asynccontextmanager
    async def open_content(
        self, path: str, headers: Mapping[str, str], silence: float
    ) -> AsyncIterator[httpx.Response]:
        """Open a response of bytes, of any length; it breaks after ``silence`` seconds without a byte."""
        fields = {**self._headers, "accept": "*/*", "accept-encoding": "identity", **headers}
        timeout = httpx.Timeout(self.timeout, read=silence)
        async with self._http().stream("GET", self.url + path, headers=fields, timeout=timeout) as response:
            if not response.is_success:
                content = await response.aread()
                raise self._error(response, parse(content, response.status_code, self.url))
            yield response

    def unreachable(self, cause: httpx.RequestError) -> UnavailableError:
        """The error for a request without a complete response."""
        why = str(cause) or type(cause).__name__
        return UnavailableError(f"The manager does not answer at {self.url}: {why}", code="unavailable")

    def _error(self, response: httpx.Response, answer: object) -> ManagerError:
        return error_from(
            response.status_code,
            answer,
            retry_after=response.headers.get("retry-after"),
            trace_id=response.headers.get("x-request-id"),
            url=self.url,
        )

    def _http(self) -> httpx.AsyncClient:
        # Neither a forked process nor another event loop can use these connections.
        current = async_owner()
        if self._given is None and self._owner not in (current, None):
            self._client = self._connect()
        self._owner = current
        return self._client

    def _connect(self) -> httpx.AsyncClient:
        is_local = is_loopback(self.url)
        host = httpx.URL(self.url).host
        mounts = {f"all://[{host}]" if ":" in host else f"all://{host}": None} if is_local else None
        # Each stream keeps a connection.
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=20)
        # To load the certificates takes longer than a request. This context accepts none, and is not used either.
        verify = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT) if self.url.startswith("http:") else True
        # A proxy of the environment is not used here, so that it may be one for which a package is missing (SOCKS).
        trust_env = not (is_local and self.url.startswith("http:"))
        return httpx.AsyncClient(mounts=mounts, limits=limits, verify=verify, trust_env=trust_env)


async def read_content(
    transport: AsyncTransport, path: str, headers: Mapping[str, str]
) -> AsyncGenerator[bytes, None]:
    """Yield the bytes of a response of any length."""
    try:
        async with transport.open_content(path, headers, SILENCE_SECONDS) as response:
            async with aclosing(response.aiter_bytes()) as chunks:
                async for chunk in chunks:
                    yield chunk
    except httpx.RequestError as cause:
        raise transport.unreachable(cause) from cause
