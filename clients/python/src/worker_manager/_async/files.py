"""The files in the workspace of a worker."""

from __future__ import annotations

from typing import Any, AsyncGenerator, AsyncIterable, Dict, List, Literal, Optional, Union, overload

import httpx

from .._errors import InternalError, ManagerError
from .._files import TRANSFER_SECONDS, FileEvent, FilePath, content_of, encode_path, mode_of, to_file_event
from .._policy import SILENCE_SECONDS, Param, path_of
from .._sse import SseDecoder
from ..types import FileInfo, Unpacked
from .closing import aclosing
from .transport import AsyncTransport, read_content


class AsyncFiles:
    """The files of one worker."""

    def __init__(self, transport: AsyncTransport, worker_id: str) -> None:
        self._transport = transport
        self._worker_id = worker_id

    @overload
    async def read(
        self,
        path: FilePath,
        *,
        format: Literal["text"] = "text",
        first: Optional[int] = None,
        last: Optional[int] = None,
    ) -> str: ...

    @overload
    async def read(
        self, path: FilePath, *, format: Literal["bytes"], first: Optional[int] = None, last: Optional[int] = None
    ) -> bytes: ...

    @overload
    async def read(
        self, path: FilePath, *, format: Literal["stream"], first: Optional[int] = None, last: Optional[int] = None
    ) -> AsyncGenerator[bytes, None]: ...

    async def read(
        self,
        path: FilePath,
        *,
        format: Literal["text", "bytes", "stream"] = "text",
        first: Optional[int] = None,
        last: Optional[int] = None,
    ) -> Union[str, bytes, AsyncGenerator[bytes, None]]:
        """Read a file: as text, as ``bytes``, or as a ``stream`` of them. ``first`` and ``last`` are bytes of it.

        Raises ``NotFoundError`` with the reason ``no_file``, ``ConflictError`` if it is a folder, and ``InvalidCommandError``
        with the reason ``outside_workspace``.
        """
        if format not in ("text", "bytes", "stream"):
            raise ValueError(f"format must be text, bytes or stream, not {format!r}")
        headers: Dict[str, str] = {}
        if first is not None or last is not None:
            headers["range"] = f"bytes={first or 0}-{'' if last is None else last}"
        chunks = self._content(self._path("files", path), headers)
        if format == "stream":
            return chunks
        content = bytearray()
        async with aclosing(chunks) as parts:
            async for chunk in parts:
                content += chunk
        return bytes(content) if format == "bytes" else content.decode("utf-8", "replace")

    async def write(
        self,
        path: FilePath,
        data: Union[str, bytes, bytearray, memoryview, AsyncIterable[bytes]],
        *,
        mode: Optional[int] = None,
        if_match: Optional[str] = None,
        if_none_match: Optional[Literal["*"]] = None,
    ) -> FileInfo:
        """Write a file, of any size. It appears when it is complete, and replaces one that exists.

        Missing folders are created. ``mode`` are its permissions, such as ``0o755``. With ``if_match``, it replaces only the version
        that has this ``etag``, and with ``if_none_match="*"`` no file at all; otherwise, ``ConflictError`` (412) is raised, with
        the reason ``changed``, ``no_file`` or ``exists``.
        """
        conditions = {"if-match": if_match, "if-none-match": if_none_match}
        headers = {name: value for name, value in conditions.items() if value is not None}
        url = self._path("files", path)
        info: FileInfo = await self._send("PUT", url, {"mode": mode_of(mode)}, content_of(data), headers)
        return info

    async def list(self, path: FilePath = "") -> List[FileInfo]:
        """What is in a folder, by default the workspace, in the order of the names."""
        items: List[FileInfo] = []
        async with aclosing(self._transport.pages(self._path("files", path), {"list": True})) as pages:
            async for item in pages:
                items.append(item)
        return items

    async def exists(self, path: FilePath) -> bool:
        """Whether there is a file or folder."""
        try:
            await self.get_info(path)
            return True
        except ManagerError as error:
            if error.reason in ("no_file", "not_a_directory"):
                return False
            raise

    async def get_info(self, path: FilePath) -> FileInfo:
        """Type, size, permissions, owner and time. Symbolic links are followed."""
        info: FileInfo = await self._transport.request("GET", self._path("files", path), params={"stat": True})
        return info

    async def make_dir(self, path: FilePath) -> FileInfo:
        """Create a folder and those above it; one that exists is a success."""
        info: FileInfo = await self._send("POST", self._path("files", path), {"mkdir": True})
        return info

    async def rename(self, path: FilePath, new_path: FilePath) -> FileInfo:
        """Move a file or folder, and replace a file that exists."""
        # The new path is encoded already, and a parameter would be encoded again.
        url = f"{self._path('files', path)}?move_to={encode_path(new_path)}"
        info: FileInfo = await self._send("POST", url, None)
        return info

    async def remove(self, path: FilePath) -> None:
        """Remove a file, or a folder with all in it."""
        await self._send("DELETE", self._path("files", path), {"recursive": True})

    async def watch_dir(self, path: FilePath = "", *, recursive: bool = False) -> AsyncGenerator[FileEvent, None]:
        """Yield the changes in a folder, until the folder or the worker's body ends.

        The first event is ``watching``: what changes after it is reported.
        """
        transport, decoder = self._transport, SseDecoder()
        url = self._path("watch", path)
        try:
            async with transport.open_stream(url, {"recursive": recursive}, None, SILENCE_SECONDS) as response:
                async with aclosing(response.aiter_bytes()) as chunks:
                    async for chunk in chunks:
                        for event in decoder.feed(chunk):
                            yield to_file_event(event)
        except httpx.RequestError as cause:
            raise transport.unreachable(cause) from cause
        except ValueError as cause:
            raise InternalError(f"{transport.url} sent no valid stream: {cause}") from cause

    def read_archive(self, path: FilePath = "") -> AsyncGenerator[bytes, None]:
        """A folder as a tar archive, with names relative to it."""
        return self._content(self._path("archive", path), {})

    async def write_archive(self, path: FilePath, tar: Union[bytes, AsyncIterable[bytes]]) -> Unpacked:
        """Unpack a tar archive into a folder, which is created if it is missing."""
        done: Unpacked = await self._send("PUT", self._path("archive", path), {}, content_of(tar))
        return done

    def _content(self, path: str, headers: Dict[str, str]) -> AsyncGenerator[bytes, None]:
        return read_content(self._transport, path, headers)

    async def _send(
        self,
        method: str,
        path: str,
        params: Optional[Dict[str, Param]],
        content: Union[bytes, AsyncIterable[bytes], None] = None,
        headers: Optional[Dict[str, str]] = None,
    ) -> Any:
        return await self._transport.request_once(
            method, path, params=params, content=content, headers=headers, timeout=TRANSFER_SECONDS
        )

    def _path(self, kind: str, path: FilePath) -> str:
        return f"{path_of('workers', self._worker_id, kind)}/{encode_path(path)}"
