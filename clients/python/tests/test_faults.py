"""What a healthy manager does not do: lost connections, overload, proxies, slow and wrong responses."""

from __future__ import annotations

import asyncio
import http.server
import json
import multiprocessing
import os
import subprocess
import sys
import threading
import time
from typing import Any, Callable, List

import pytest
from conftest import SSE, Connection, FakeServer, Handler, Request

from worker_manager import (
    AsyncManager,
    AsyncWorker,
    CapacityError,
    InternalError,
    InvalidCommandError,
    Manager,
    TurnFailedError,
    UnavailableError,
    WaitTimeoutError,
    Worker,
)

WORKER = {"worker_id": "w-1", "status": "RUNNING", "phase": "ready", "incarnation": 1, "reason": "", "message": ""}


def reply(status: int, value: Any, **headers: str) -> Handler:
    return lambda connection, _: connection.json(status, json.dumps(value), **headers)


def error(status: int, code: str, **headers: str) -> Handler:
    return reply(status, {"error": {"code": code, "message": "No."}}, **headers)


def event(number: int, content: str = "", **fields: Any) -> bytes:
    data = {"seq": number, "type": "stdout", "incarnation": 1, "content": content or f"line {number}", **fields}
    return f"id: {number}-0\nevent: {data['type']}\ndata: {json.dumps(data)}\n\n".encode()


def stream(*chunks: bytes, then: Callable[[Connection], None] = Connection.end) -> Handler:
    def handle(connection: Connection, _: Request) -> None:
        connection.head(200, SSE)
        for chunk in chunks:
            connection.chunk(chunk)
        then(connection)

    return handle


def drop(connection: Connection) -> None:
    """Go without the end of the response."""


UUID = "00000000-0000-4000-8000-000000000001"
END = b"event: end\ndata: {}\n\n"


def worker_of(client: Manager) -> Worker:
    return Worker(client._transport, WORKER)  # type: ignore[arg-type]


def contents(worker: Worker, **options: Any) -> List[str]:
    return [entry.content for entry in worker.output(**options)]


def test_a_create_is_repeated_with_its_key(client: Manager, fake: FakeServer) -> None:
    fake.answer(drop_request, error(503, "unavailable"), error(429, "capacity", **{"retry-after": "0"}), reply(201, WORKER))
    assert client.workers.create(agent_type="CUSTOM", command_line=["true"]).id == "w-1"
    keys = {request.headers["idempotency-key"] for request in fake.requests}
    assert (len(fake.requests), len(keys)) == (4, 1)
    bodies = [json.loads(request.body) for request in fake.requests]
    assert bodies == [{"agent_type": "CUSTOM", "command_line": ["true"]}] * 4
    assert fake.requests[0].headers["authorization"] == "Bearer secret"


def exec_event(kind: str, **fields: Any) -> bytes:
    return f"event: {kind}\ndata: {json.dumps(fields)}\n\n".encode()


def test_a_wait_for_a_command_continues_its_output(client: Manager, fake: FakeServer) -> None:
    started = exec_event("started", process_id="p-1")
    exit_ = exec_event("exit", process_id="p-1", exit_code=3, signal=None, output_bytes=8)
    fake.answer(
        reply(201, {"process_id": "p-1"}),
        stream(started, exec_event("stdout", offset=0, content="one "), then=drop),
        error(503, "unavailable"),
        drop_request,
        stream(started, exec_event("stdout", offset=4, content="two"), exec_event("stderr", offset=7, content="!"), exit_),
    )
    heard: List[str] = []
    command = worker_of(client).commands.run("sleep 9", background=True)
    end = command.wait(on_stdout=heard.append)
    assert (end.stdout, end.stderr, end.exit_code, heard) == ("one two", "!", 3, ["one ", "two"])
    assert [request.query.get("offset") for request in fake.requests[1:]] == [["0"], ["4"], ["4"], ["4"]]


def test_a_command_in_the_foreground_is_not_repeated_and_says_what_became_of_it(client: Manager, fake: FakeServer) -> None:
    fake.answer(stream(exec_event("started", process_id="p-1"), then=drop))
    with pytest.raises(UnavailableError, match="ends with its connection, unless it runs in the background"):
        worker_of(client).commands.run("make")
    assert len(fake.requests) == 1


def drop_request(connection: Connection, _: Request) -> None:
    """Close the connection without a response."""


def test_a_refusal_is_not_repeated(client: Manager, fake: FakeServer) -> None:
    issue = {"path": "resources.memory", "message": "must be a size"}
    fake.answer(reply(400, {"error": {"code": "invalid_command", "message": "Refused.", "issues": [issue]}}))
    with pytest.raises(InvalidCommandError) as caught:
        client.workers.create(agent_type="CUSTOM")
    assert caught.value.issues == (("resources.memory", "must be a size"),)
    assert (caught.value.status, len(fake.requests)) == (400, 1)


def test_a_retry_that_would_be_too_late_is_reported_at_once(fake: FakeServer) -> None:
    fake.answer(error(429, "capacity", **{"retry-after": "60"}))
    began = time.monotonic()
    with Manager(fake.url, timeout=5) as client, pytest.raises(CapacityError) as caught:
        client.stats()
    assert (caught.value.retry_after_seconds, len(fake.requests)) == (60, 1)
    assert time.monotonic() - began < 2


def test_no_manager_is_reported_with_its_address() -> None:
    with Manager("http://127.0.0.1:9", retries=1) as client, pytest.raises(UnavailableError, match="127.0.0.1:9"):
        client.stats()


def test_a_slow_response_ends_at_the_timeout(fake: FakeServer) -> None:
    def trickle(connection: Connection, _: Request) -> None:
        connection.head(200, {"content-type": "application/json", "content-length": "1000"})
        for _ in range(100):
            connection.raw(b" ")
            time.sleep(0.05)

    fake.answer(trickle)
    began = time.monotonic()
    with Manager(fake.url, timeout=0.5) as client, pytest.raises(UnavailableError):
        client.stats()
    assert time.monotonic() - began < 2


def test_a_page_of_something_else_is_reported(client: Manager, fake: FakeServer) -> None:
    fake.answer(lambda connection, _: connection.json(200, "<html>"))
    with pytest.raises(InternalError, match="URL of a manager"):
        client.stats()
    fake.handlers = [lambda connection, _: connection.json(200, "<html>")]
    with pytest.raises(InternalError):
        list(worker_of(client).output())


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_output_survives_lost_connections(client: Manager, fake: FakeServer, kind: str) -> None:
    half = event(4)[:-10]
    fake.answer(
        error(503, "unavailable"),
        stream(event(1), event(2), then=drop),
        drop_request,
        stream(event(3), half, then=drop),
        stream(b": heartbeat\n\n"),
        stream(event(4), event(5), END, then=Connection.wait_for_close),
    )
    expected = [f"line {number}" for number in range(1, 6)]
    if kind == "sync":
        assert contents(worker_of(client)) == expected
    else:
        assert asyncio.run(read_async(fake.url)) == expected
    sent = [request.headers.get("last-event-id") for request in fake.requests]
    assert sent == ["0-0", "0-0", "2-0", "2-0", "3-0", "3-0"]


async def read_async(url: str) -> List[str]:
    async with AsyncManager(url) as client:
        worker = AsyncWorker(client._transport, WORKER)  # type: ignore[arg-type]
        return [entry.content async for entry in worker.output()]


def test_a_tail_is_followed_without_a_hole(client: Manager, fake: FakeServer) -> None:
    fake.answer(
        stream(event(4)),
        stream(event(3), event(4), then=drop),
        stream(event(5)),
        stream(then=drop),
        stream(event(6), END),
    )
    assert contents(worker_of(client), tail=2) == ["line 3", "line 4", "line 5", "line 6"]
    sent = [
        (request.headers.get("last-event-id"), request.query.get("tail"), request.query["follow"])
        for request in fake.requests
    ]
    no, yes = ["false"], ["true"]
    assert sent == [(None, ["1"], no), (None, ["2"], no), ("4-0", None, no), ("5-0", None, yes), ("5-0", None, yes)]


def test_without_follow_the_end_of_the_response_is_the_end(client: Manager, fake: FakeServer) -> None:
    fake.answer(stream(event(1), then=drop), stream(event(2)))
    assert contents(worker_of(client), follow=False) == ["line 1", "line 2"]
    assert {request.query["follow"][0] for request in fake.requests} == {"false"}


def test_characters_and_large_entries_are_whole(client: Manager, fake: FakeServer) -> None:
    large = "🦀" * 300_000
    data = event(1, "häßlich 🦀") + event(2, large)
    pieces = [data[:50], *(data[at : at + 1] for at in range(50, 200)), data[200:]]
    fake.answer(stream(*pieces, END))
    assert contents(worker_of(client)) == ["häßlich 🦀", large]


def test_a_silent_connection_is_replaced(client: Manager, fake: FakeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("worker_manager._sync.stream.SILENCE_SECONDS", 0.2)
    fake.answer(stream(event(1), then=Connection.wait_for_close), stream(event(2), END))
    assert contents(worker_of(client)) == ["line 1", "line 2"]


def test_a_stream_gives_up_in_the_end(client: Manager, fake: FakeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("worker_manager._sync.stream.RECONNECT_SECONDS", 0.5)
    fake.answer(stream(event(1), then=drop), error(503, "unavailable"))
    seen: List[str] = []
    with pytest.raises(UnavailableError):
        for entry in worker_of(client).output():
            seen.append(entry.content)
    assert seen == ["line 1"]


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_leaving_a_loop_closes_the_connection(client: Manager, fake: FakeServer, kind: str) -> None:
    gone = threading.Event()

    def hang(connection: Connection) -> None:
        connection.wait_for_close()
        gone.set()

    fake.answer(stream(event(1), then=hang))
    if kind == "sync":
        for _ in worker_of(client).output():
            break
        assert gone.wait(5)
    else:
        asyncio.run(leave_async(fake.url, gone))


async def leave_async(url: str, gone: threading.Event) -> None:
    async with AsyncManager(url) as client:
        worker = AsyncWorker(client._transport, WORKER)  # type: ignore[arg-type]
        async for _ in worker.output():
            break
        assert await asyncio.get_running_loop().run_in_executor(None, gone.wait, 5)


def turn_server(fake: FakeServer, output: Handler) -> None:
    """Answers a prompt, and the output of its worker."""

    def handle(connection: Connection, request: Request) -> None:
        if request.path.endswith("/prompt"):
            connection.json(202, json.dumps({"request_id": request.headers["idempotency-key"]}))
        elif request.path.endswith("/output"):
            (stream(event(1)) if "tail" in request.query else output)(connection, request)
        else:
            connection.json(200, json.dumps(WORKER))

    fake.answer(handle)


def test_a_turn_consists_of_its_own_entries(client: Manager, fake: FakeServer) -> None:
    def output(connection: Connection, request: Request) -> None:
        mine = fake.requests[1].headers["idempotency-key"]
        events = [
            event(2, "mine", request_id=mine),
            event(3, "other", request_id="other", type="turn_completed"),
            event(4, "done", request_id=mine, type="turn_completed", usage={"tokens": 3}),
        ]
        stream(*events, then=Connection.wait_for_close)(connection, request)

    turn_server(fake, output)
    turn = worker_of(client).send("go")
    assert [entry.content for entry in turn] == ["mine", "done"]
    assert turn.result().data["usage"] == {"tokens": 3}
    assert fake.requests[2].headers["last-event-id"] == "1-0"


def test_a_turn_fails_if_its_worker_ends_without_an_entry(client: Manager, fake: FakeServer) -> None:
    end = {"worker_id": "w-1", "status": "FAILED", "message": "It was killed."}
    turn_server(fake, stream(event(2), f"event: end\ndata: {json.dumps(end)}\n\n".encode()))
    with pytest.raises(TurnFailedError, match="It was killed.") as caught:
        worker_of(client).send("go").result()
    assert caught.value.reason == "body_lost"


@pytest.mark.parametrize("chatty", [False, True])
def test_a_turn_ends_at_the_timeout(client: Manager, fake: FakeServer, chatty: bool) -> None:
    def chat(connection: Connection) -> None:
        for number in range(50 if chatty else 0):
            connection.chunk(event(number + 3))
            time.sleep(0.05)
        connection.wait_for_close()

    turn_server(fake, stream(event(2), then=chat))
    began = time.monotonic()
    with pytest.raises(WaitTimeoutError):
        worker_of(client).send("go").result(timeout=0.6)
    assert 0.5 < time.monotonic() - began < 2


def test_a_wait_is_cut_into_short_requests(client: Manager, fake: FakeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("worker_manager._sync.worker.LONGEST_WAIT", 7.0)
    fake.answer(error(504, "unavailable"), error(503, "unavailable"), reply(200, WORKER))
    worker_of(client).wait("ready")
    assert [request.query["timeout_seconds"] for request in fake.requests] == [["7.0"]] * 3


def test_a_proxy_of_the_environment_is_not_asked_for_this_machine(
    client: Manager, fake: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    fake.answer(reply(200, {"workers": 1}))
    with Manager(fake.url) as fresh:
        assert fresh.stats() == {"workers": 1}


def test_threads_share_a_manager(client: Manager, fake: FakeServer) -> None:
    fake.answer(reply(200, WORKER))
    found: List[str] = []
    threads = [threading.Thread(target=lambda: found.append(client.workers.get(UUID).id)) for _ in range(32)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert found == ["w-1"] * 32


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_forked_process_has_connections_of_its_own(fake: FakeServer) -> None:
    fake.answer(lambda connection, _: connection.json(200, "{}"))
    with Manager(fake.url) as client:
        client.stats()
        before = client._transport._client
        queue = multiprocessing.get_context("fork").SimpleQueue()

        def ask() -> None:
            queue.put((client.stats(), client._transport._client is before))

        process = multiprocessing.get_context("fork").Process(target=ask)
        process.start()
        process.join(20)
        assert (process.exitcode, queue.get()) == (0, ({}, False))
        assert client._transport._client is before


def test_many_async_streams_at_once(fake: FakeServer) -> None:
    fake.answer(stream(event(1), event(2), END))

    async def read_all() -> List[List[str]]:
        return await asyncio.gather(*(read_async(fake.url) for _ in range(150)))

    assert asyncio.run(read_all()) == [["line 1", "line 2"]] * 150


def test_an_async_manager_can_be_used_by_one_loop_after_another() -> None:
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("content-length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_: object) -> None:
            pass

    # Unlike the other server here, it keeps connections open.
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        program = (
            "import asyncio, worker_manager\n"
            f"client = worker_manager.AsyncManager('http://127.0.0.1:{server.server_port}')\n"
            "print([asyncio.run(client.stats()) for _ in range(3)])\n"
        )
        # A process of its own, because the connections of the first two loops cannot be closed any more.
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
        server.shutdown()
    assert (done.stdout, done.returncode) == ("[{}, {}, {}]\n", 0), done.stderr
