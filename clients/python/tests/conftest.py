"""What the tests share: a server that fails as a test wants it to, and the real manager at WM_URL."""

from __future__ import annotations

import os
import socket
import threading
from dataclasses import dataclass
from typing import Callable, Dict, Iterator, List, Union
from urllib.parse import parse_qs, urlsplit

import pytest

from worker_manager import Manager

HEADERS = {"content-type": "application/json", "connection": "close"}
SSE = {"content-type": "text/event-stream", "transfer-encoding": "chunked", "connection": "close"}


@dataclass
class Request:
    method: str
    path: str
    query: Dict[str, List[str]]
    headers: Dict[str, str]
    body: bytes


class Connection:
    """The server's end of one request."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock

    def head(self, status: int = 200, headers: Union[Dict[str, str], None] = None) -> None:
        lines = [f"HTTP/1.1 {status} X", *(f"{name}: {value}" for name, value in (headers or HEADERS).items())]
        self.raw("\r\n".join(lines).encode() + b"\r\n\r\n")

    def raw(self, data: bytes) -> None:
        self.sock.sendall(data)

    def chunk(self, data: bytes) -> None:
        self.raw(b"%x\r\n%s\r\n" % (len(data), data))

    def end(self) -> None:
        self.raw(b"0\r\n\r\n")

    def json(self, status: int, text: str, **headers: str) -> None:
        self.head(status, {**HEADERS, **headers, "content-length": str(len(text.encode()))})
        self.raw(text.encode())

    def wait_for_close(self) -> None:
        """Send nothing until the client goes away."""
        self.sock.settimeout(20)
        try:
            while self.sock.recv(1024):
                pass
        except OSError:
            pass


Handler = Callable[[Connection, Request], None]


class FakeServer:
    """Answers each request with the next handler, and then with the last one again."""

    def __init__(self) -> None:
        self.requests: List[Request] = []
        self.handlers: List[Handler] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._lock = threading.Lock()
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def answer(self, *handlers: Handler) -> None:
        self.handlers.extend(handlers)

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock: socket.socket) -> None:
        with sock, sock.makefile("rb") as file:
            line = file.readline().decode()
            if not line:
                return
            method, target, _ = line.split(" ", 2)
            headers: Dict[str, str] = {}
            while True:
                name, separator, value = file.readline().decode().partition(":")
                if not separator:
                    break
                headers[name.lower()] = value.strip()
            body = file.read(int(headers.get("content-length", "0")))
            parts = urlsplit(target)
            request = Request(method, parts.path, parse_qs(parts.query), headers, body)
            with self._lock:
                self.requests.append(request)
                handler = self.handlers.pop(0) if len(self.handlers) > 1 else self.handlers[0]
            try:
                handler(Connection(sock), request)
            except OSError:
                pass


@pytest.fixture
def fake() -> Iterator[FakeServer]:
    server = FakeServer()
    yield server
    server.close()


@pytest.fixture
def client(fake: FakeServer) -> Iterator[Manager]:
    """A client of the fake server."""
    with Manager(fake.url, token="secret") as manager:
        yield manager


@pytest.fixture(scope="session")
def manager() -> Iterator[Manager]:
    """The real manager."""
    if "WM_URL" not in os.environ:
        pytest.skip("needs a manager: set WM_URL and WM_TOKEN")
    with Manager() as manager:
        yield manager
