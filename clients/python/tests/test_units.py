"""Decoding, addresses, errors: what needs no server."""

from __future__ import annotations

import json
import os
import pickle
import random
from pathlib import Path, PurePosixPath
from typing import Dict, List, Optional

import httpx
import pytest

from worker_manager import CapacityError, Manager, ManagerError, TaskFailedError, UnauthorizedError, UnavailableError
from worker_manager._address import find_address
from worker_manager._entries import to_entry
from worker_manager._errors import error_from
from worker_manager._files import content_of, encode_path, mode_of
from worker_manager._policy import batches, check_keys
from worker_manager._sse import LONGEST_LINE, ServerEvent, SseDecoder

STREAM = ": hello\n\nid: 1-0\nevent: stdout\ndata: {\"content\":\"über 🦀\"}\r\n\r\nid: 2-0\ndata: a\ndata: b\n\nid: 3-0\n\n"


def decode(chunks: List[bytes]) -> List[ServerEvent]:
    decoder = SseDecoder()
    return [event for chunk in chunks for event in decoder.feed(chunk)]


def test_events_are_the_same_however_they_are_split() -> None:
    data = STREAM.encode()
    expected = [
        ServerEvent("heartbeat", None, None),
        ServerEvent("stdout", '{"content":"über 🦀"}', "1-0"),
        ServerEvent("message", "a\nb", "2-0"),
        ServerEvent("message", None, "3-0"),
    ]
    assert decode([data]) == expected
    assert decode([data[at : at + 1] for at in range(len(data))]) == expected
    chance = random.Random(7)
    for _ in range(200):
        cuts = sorted(chance.choices(range(len(data)), k=5))
        assert decode([data[a:b] for a, b in zip([0, *cuts], [*cuts, len(data)])]) == expected


def test_an_unfinished_event_is_dropped() -> None:
    assert decode([b'id: 1-0\ndata: {"content":"half']) == []


def test_a_long_line_in_small_chunks_takes_linear_time_and_has_a_limit() -> None:
    line = b"x" * 4_000_000
    (event,) = decode([b"data: ", *(line[at : at + 1000] for at in range(0, len(line), 1000)), b"\n\n"])
    assert event.data == line.decode()
    with pytest.raises(ValueError, match="more than"):
        decode([b"y" * (LONGEST_LINE // 8)] * 9)


def test_the_bytes_of_an_entry() -> None:
    fields = {"type": "stdout", "content": "\ufffd", "base64": "/w=="}
    assert to_entry(ServerEvent("stdout", json.dumps(fields), "1-0")).raw == b"\xff\n"
    part = to_entry(ServerEvent("stdout", json.dumps({"type": "stdout", "content": "a", "partial": True}), "1-0"))
    assert (part.text, part.raw) == ("a", b"a")


def context(home: Path, mode: int = 0o600, **fields: object) -> Dict[str, str]:
    path = home / ".context" / "default.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({"url": "http://127.0.0.1:8080", "token": "t-file", **fields}))
    path.chmod(mode)
    return {"WORKER_MANAGER_HOME": str(home)}


def test_the_context_file_is_the_default(tmp_path: Path) -> None:
    env = context(tmp_path)
    assert find_address(env=env) == ("http://127.0.0.1:8080", "t-file")
    assert find_address("http://127.0.0.1:8080/", env=env) == ("http://127.0.0.1:8080", "t-file")
    assert find_address(env={**env, "WM_URL": "http://127.0.0.1:8080", "WM_TOKEN": "t"}).token == "t"
    assert find_address("http://a:1", token="t2", env=env) == ("http://a:1", "t2")


def test_the_token_of_the_context_file_goes_nowhere_else(tmp_path: Path) -> None:
    assert find_address("http://elsewhere:8080", env=context(tmp_path)).token is None


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="this system has no owners of files")
def test_a_context_file_that_others_can_write_is_ignored(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match="wm serve"):
        find_address(env=context(tmp_path, mode=0o666))


def test_a_context_file_without_json_or_behind_a_link_is_ignored(tmp_path: Path) -> None:
    env = context(tmp_path / "real")
    (tmp_path / "link" / ".context").mkdir(parents=True)
    (tmp_path / "link" / ".context" / "default.json").symlink_to(tmp_path / "real" / ".context" / "default.json")
    with pytest.raises(UnavailableError):
        find_address(env={"WORKER_MANAGER_HOME": str(tmp_path / "link")})
    (tmp_path / "real" / ".context" / "default.json").write_text("{")
    with pytest.raises(UnavailableError):
        find_address(env=env)


def test_a_url_without_a_host_is_refused() -> None:
    with pytest.raises(ValueError, match="http://127.0.0.1:8080"):
        find_address("localhost:8080", env={})


@pytest.mark.parametrize("name", [".", ".."])
def test_a_name_that_a_url_would_drop_is_refused(name: str) -> None:
    manager = Manager("http://127.0.0.1:1", token="t", retries=0)
    for collection in (manager.workers, manager.pools, manager.checkpoints):
        with pytest.raises(ValueError, match="is not an ID or a name"):
            collection.get(name)
        with pytest.raises(TypeError, match="must be text, not None"):
            collection.get(None)  # type: ignore[arg-type]


def test_only_content_is_written_to_a_file_and_only_as_real_permissions(tmp_path: Path) -> None:
    assert [content_of(data) for data in ("ä", b"a", bytearray(b"a"), memoryview(b"a"))] == ["ä".encode(), b"a", b"a", b"a"]
    with pytest.raises(TypeError, match="not None"):
        content_of(None)
    (tmp_path / "file").write_text("x")
    with (tmp_path / "file").open() as text, pytest.raises(TypeError, match="open it in binary mode"):
        content_of(text)
    assert (mode_of(None), mode_of(0o7), mode_of(0o644)) == (None, "007", "644")
    for mode in (644, -1, "644"):
        with pytest.raises(ValueError, match="such as 0o644, not "):
            mode_of(mode)  # type: ignore[arg-type]
    assert encode_path(PurePosixPath("a b/ü")) == encode_path("a b/ü") == "a%20b/%C3%BC"


def test_a_proxy_of_the_environment_is_not_used_on_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ALL_PROXY", "HTTP_PROXY", "http_proxy"):
        monkeypatch.setenv(name, "socks5://127.0.0.1:9")
    for host in ("localhost", "127.0.0.1", "[::1]"):
        with Manager(f"http://{host}:1", token="t", retries=0) as manager, pytest.raises(UnavailableError):
            manager.stats()


def test_errors_have_a_class_by_code_and_survive_pickling() -> None:
    body = {"error": {"code": "capacity", "message": "Full.", "issues": [{"path": "a", "message": "b"}]}, "worker_id": "w"}
    error = error_from(429, body, retry_after="3", trace_id="req-1")
    assert isinstance(error, CapacityError)
    again = pickle.loads(pickle.dumps(error))
    for one in (error, again):
        assert (one.code, one.status, one.issues, one.retry_after_seconds) == ("capacity", 429, (("a", "b"),), 3.0)
        assert (str(one), one.worker_id, one.trace_id) == ("Full. (capacity)", "w", "req-1")
    assert isinstance(error_from(401, None), UnauthorizedError)
    assert isinstance(error_from(502, None), UnavailableError)
    assert type(error_from(400, {"error": {"code": "new_code", "message": "m"}})) is ManagerError
    task = pickle.loads(pickle.dumps(TaskFailedError("no", type="ValueError", task={"error": {"traceback": "t"}})))
    assert (str(task), task.traceback) == ("ValueError: no", "t")


def test_handler_files_can_be_imported() -> None:
    from worker_manager import handler, progress, task_id

    @handler(name="count.words")
    def count(text: str) -> int:
        progress(50)
        return len(text.split())

    assert (count("a b"), task_id()) == (2, None)
    with pytest.raises(ValueError, match="cannot be called"):
        handler(name="no spaces")(count)


def test_bulk_submissions_are_cut_into_bodies() -> None:
    lines = [b"a" * size for size in (3, 4, 20, 1)]
    assert list(batches(iter(lines), 10)) == [b"aaa\naaaa\n", b"a" * 20 + b"\n", b"a\n"]
    assert list(batches(iter([]), 10)) == []


def test_the_span_of_the_caller_is_sent_with_changes_that_start_a_worker() -> None:
    sent: List[Optional[str]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request.headers.get("traceparent"))
        return httpx.Response(200, json={"worker_id": "w", "spec": {}, "checkpoint_id": "c"})

    span = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    with httpx.Client(transport=httpx.MockTransport(answer)) as client:
        manager = Manager("http://127.0.0.1:1", http_client=client)
        worker = manager.workers.create(agent_type="CUSTOM", traceparent=span)
        worker.start(traceparent=span)
        worker.restart(traceparent=span)
        worker.stop()
        worker.fork(checkpoint_id="c", traceparent=span)
    # The fork reads the checkpoint first.
    assert sent == [span, span, span, None, None, span]


def test_a_token_that_no_header_can_have_is_refused_at_once_without_showing_it() -> None:
    for token in ("secret\n", "sécret"):
        with pytest.raises(ValueError, match="token has a line break") as caught:
            find_address("http://127.0.0.1:1", token, {})
        assert "cret" not in str(caught.value)


def test_keys_that_are_one_in_json_are_refused_with_their_place() -> None:
    check_keys({"args": [{"1": (2, [{"a": None}]), 2: None}]}, "payload")
    with pytest.raises(ValueError, match=r"payload\.args\.1\.a has two keys that are one in JSON: \[1, '1'\]"):
        check_keys({"args": [0, {"a": {1: 2, "1": 3}}]}, "payload")


def test_waits_survive_a_manager_that_is_away_for_longer_than_the_retries_of_a_request() -> None:
    asked: List[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path)
        if 1 < len(asked) < 5:
            raise httpx.ConnectError("refused", request=request)
        status = "running" if len(asked) == 1 else "completed"
        return httpx.Response(200, json={"task_id": "t", "worker_id": "w", "pool": "p", "status": status, "result": 7})

    with httpx.Client(transport=httpx.MockTransport(answer)) as client:
        manager = Manager("http://127.0.0.1:1", http_client=client, retries=0)
        assert manager.tasks.get("t").result() == 7
        asked.clear()
        assert manager.workers.get("w").wait("ready").id == "w"
        asked.clear()
        task = manager.tasks.get("t")
        with pytest.raises(UnavailableError):
            task.result(timeout=0.05)
