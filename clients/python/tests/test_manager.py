"""Every operation against a real manager."""

from __future__ import annotations

import asyncio
import itertools
import random
import socket
import threading
import time
import uuid
from typing import Iterator, List, Tuple
from urllib.parse import urlsplit

import pytest

from worker_manager import (
    AsyncManager,
    ConflictError,
    InvalidCommandError,
    Manager,
    NotFoundError,
    Task,
    TaskFailedError,
    TerminalEnd,
    TurnFailedError,
    UnauthorizedError,
    UnsupportedError,
    WaitTimeoutError,
    Worker,
)

#: Echoes prompts in capitals; `fail` fails, `hang` waits for an interrupt, `die` ends the program.
AGENT = """
import json, sys, threading
def say(type, **fields):
    print(json.dumps({"type": type, **fields}), flush=True)
for line in sys.stdin:
    message = json.loads(line)
    if message["type"] == "interrupt":
        say("turn_failed", message="interrupted", reason="interrupted")
    elif message["content"] == "fail":
        say("turn_failed", message="I cannot.", reason="refused")
    elif message["content"] == "die":
        sys.exit(3)
    elif message["content"] != "hang":
        say("message", content="Thinking.")
        say("turn_completed", result=message["content"].upper(), usage={"input_tokens": 1, "output_tokens": 2})
"""


def agent(manager: Manager, **options: str) -> Worker:
    return manager.workers.create(
        agent_type="CUSTOM",
        protocol="json",
        command_line=["python3", "-c", AGENT],
        **options,  # type: ignore[typeddict-item]
    )


def shell(manager: Manager, script: str, **options: object) -> Worker:
    return manager.workers.create(
        agent_type="CUSTOM",
        command_line=["sh", "-c", script],
        **options,  # type: ignore[typeddict-item]
    )


def lines(worker: Worker, **options: object) -> List[str]:
    texts = (entry.text for entry in worker.output(**options) if entry.type == "stdout")  # type: ignore[arg-type]
    return "".join(texts).splitlines()


def test_a_worker_from_its_start_to_its_end(manager: Manager) -> None:
    name = f"w-{uuid.uuid4().hex[:8]}"
    with shell(manager, "echo one; cat", name=name, labels={"team": name}) as worker:
        assert worker.wait("ready", timeout=30) is worker
        assert (worker.name, worker.status, worker.incarnation) == (name, "RUNNING", 1)
        assert manager.workers.get(worker.id).id == manager.workers.get(name).id == worker.id
        assert [one.id for one in manager.workers.list(labels={"team": name}, status="RUNNING")] == [worker.id]
        assert list(manager.workers.list(labels={"team": name}, status="FAILED")) == []
        assert worker.spec()["command_line"] == ["sh", "-c", "echo one; cat"]
        assert worker.explain()
        with pytest.raises(UnsupportedError):
            worker.dockerfile()
        assert "ready" in [event.phase for event in worker.events(follow=False)]
        with pytest.raises(ConflictError):
            shell(manager, "true", name=name)
        worker.restart().wait("ready", timeout=30)
        assert worker.incarnation == 2
        worker.stop(reason="a test").wait("ended", timeout=30)
        assert worker.ended
        assert manager.workers.get(name).ended
        worker.start().wait("ready", timeout=30)
    manager.workers.delete(worker.id)
    worker.wait("deleted", timeout=30).wait("deleted", timeout=30)
    with pytest.raises(NotFoundError):
        worker.refresh()


def test_the_same_key_is_the_same_worker(manager: Manager) -> None:
    key = str(uuid.uuid4())
    with shell(manager, "cat", idempotency_key=key) as worker:
        assert shell(manager, "cat", idempotency_key=key).id == worker.id


def test_lists_have_pages(manager: Manager) -> None:
    label = {"batch": uuid.uuid4().hex}
    workers = [shell(manager, "true", labels=label) for _ in range(5)]
    try:
        found = [worker.id for worker in manager.workers.list(labels=label, page_size=2)]
        assert found == [worker.id for worker in workers]
    finally:
        for worker in workers:
            worker.delete()


def test_waiting_ends(manager: Manager) -> None:
    with shell(manager, "sleep 60") as worker:
        began = time.monotonic()
        with pytest.raises(WaitTimeoutError, match="not ended"):
            worker.wait("ended", timeout=0.5)
        assert time.monotonic() - began < 5
    with shell(manager, "exit 7") as worker:
        worker.wait("ended", timeout=30)
        assert (worker.status, worker.info.get("exit_code")) == ("FAILED", 7)
        with pytest.raises(ConflictError) as caught:
            worker.wait("ready", timeout=30)
        assert caught.value.worker_id == worker.id


def test_wrong_requests_are_explained(manager: Manager) -> None:
    with pytest.raises(InvalidCommandError) as caught:
        manager.workers.create(agent_type="CUSTOM", resources={"memory": "lots"})
    assert {issue.path for issue in caught.value.issues} == {"command_line", "resources.memory"}
    assert (caught.value.status, bool(caught.value.trace_id)) == (400, True)
    with pytest.raises(NotFoundError) as missing:
        manager.workers.get(str(uuid.uuid4()))
    assert missing.value.code == "not_found"
    with pytest.raises(NotFoundError, match="no-such-name"):
        manager.workers.get("no-such-name")
    with Manager(manager.url, token="wrong-token") as client, pytest.raises(UnauthorizedError):
        client.stats()


def test_turns(manager: Manager) -> None:
    with agent(manager) as worker:
        turn = worker.send("hello")
        types = [entry.type for entry in turn]
        assert (types[0], types[-1]) == ("turn_started", "turn_completed")
        assert "message" in types
        result = turn.result()
        assert (result.content, result.data["usage"]["output_tokens"]) == ("HELLO", 2)
        assert worker.turn(turn.request_id).result(timeout=30).content == "HELLO"
        first, second = worker.send("a"), worker.send("b")
        assert (second.result(timeout=30).content, first.result(timeout=30).content) == ("B", "A")
        with pytest.raises(TurnFailedError) as refused:
            worker.send("fail").result(timeout=30)
        assert refused.value.reason == "refused"
        hanging = worker.send("hang")
        with pytest.raises(WaitTimeoutError):
            hanging.result(timeout=0.5)
        hanging.interrupt()
        with pytest.raises(TurnFailedError):
            hanging.result(timeout=30)
        with pytest.raises(TurnFailedError) as died:
            worker.send("die").result(timeout=30)
        assert died.value.reason in ("exit", "body_lost")


def test_a_program_without_turns_has_no_result(manager: Manager) -> None:
    with shell(manager, "read line; echo you said $line; cat") as worker:
        turn = worker.send("hello")
        with pytest.raises(UnsupportedError, match="protocol json"):
            turn.result()
        for entry in turn:
            if entry.type == "stdout":
                assert entry.content == "you said hello"
                break


def test_a_prompt_is_sent_once(manager: Manager) -> None:
    with agent(manager) as worker:
        key = str(uuid.uuid4())
        first, second = worker.send("once", request_id=key), worker.send("once", request_id=key)
        assert first.result(timeout=30).content == "ONCE"
        worker.send("end").result(timeout=30)
        started = [e for e in worker.output(follow=False) if e.type == "turn_started" and e.request_id == key]
        assert (len(started), second.request_id) == (1, key)


LINES = 10_000


class Saw:
    """A proxy that cuts each connection after some bytes of the response."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._target = (parts.hostname or "", parts.port or 80)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._chance = random.Random(11)
        self.cuts = 0
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client, self._chance.randrange(80_000, 200_000)), daemon=True).start()

    def _serve(self, client: socket.socket, left: int) -> None:
        with client, socket.create_connection(self._target) as server:
            threading.Thread(target=self._copy, args=(client, server), daemon=True).start()
            while left > 0:
                try:
                    data = server.recv(min(left, 4096))
                    client.sendall(data)
                except OSError:
                    return
                if not data:
                    return
                left -= len(data)
            self.cuts += 1
            for sock in (client, server):
                sock.shutdown(socket.SHUT_RDWR)

    def _copy(self, source: socket.socket, target: socket.socket) -> None:
        try:
            while True:
                data = source.recv(4096)
                if not data:
                    return
                target.sendall(data)
        except OSError:
            pass

    def close(self) -> None:
        self._listener.close()


@pytest.fixture
def saw(manager: Manager) -> Iterator[Saw]:
    proxy = Saw(manager.url)
    yield proxy
    proxy.close()


def test_output_over_broken_connections_is_complete(manager: Manager, saw: Saw) -> None:
    # An entry has up to 64 KiB, and each connection must get through at least one.
    script = f"seq -f '%g Grüße 🦀 {'.' * 100}' {LINES}; cat"
    with shell(manager, script) as worker:
        with Manager(saw.url, token=token_of(manager)) as client:
            through = client.workers.get(worker.id)
            numbers: List[int] = []
            for entry in through.output():
                if entry.type == "stdout":
                    numbers += [int(line.split()[0]) for line in entry.text.splitlines()]
                if numbers and numbers[-1] == LINES:
                    break
        assert numbers == list(range(1, LINES + 1))
        assert saw.cuts > 2


def token_of(manager: Manager) -> str:
    return manager._transport._headers["authorization"].partition(" ")[2]


def test_output_continues_after_an_entry(manager: Manager) -> None:
    with shell(manager, "for i in 1 2 3 4 5 6; do echo $i; sleep 0.05; done; sleep 60") as worker:
        entries: List[str] = []
        last = ""
        for entry in worker.output():
            if entry.type == "stdout":
                entries.append(entry.content)
                last = entry.id
                break
        rest: List[str] = []
        for entry in worker.output(since=last):
            rest += entry.content.splitlines() if entry.type == "stdout" else []
            if rest and rest[-1] == "6":
                break
        assert "\n".join(entries + rest).split() == ["1", "2", "3", "4", "5", "6"]
        assert lines(worker, tail=1, follow=False)[-1] == "6"
        assert lines(worker, since="10m", follow=False) == ["1", "2", "3", "4", "5", "6"]


def test_the_output_of_a_worker_ends_with_it(manager: Manager) -> None:
    with shell(manager, "echo here; sleep 0.5; echo there") as worker:
        assert lines(worker) == lines(worker) == ["here", "there"]
    with shell(manager, "echo here; sleep 60").wait("ready", timeout=30) as worker:
        timer = threading.Timer(0.3, worker.delete)
        timer.start()
        assert lines(worker) == ["here"]
        timer.join()


def test_events_of_all_workers(manager: Manager) -> None:
    with shell(manager, "cat") as worker:
        for event in manager.events(since="1m"):
            if event.worker_id == worker.id and event.status == "RUNNING":
                break


@pytest.fixture
def pool(manager: Manager) -> Iterator[str]:
    name = f"p-{uuid.uuid4().hex[:8]}"
    change = manager.pools.apply(name=name, count=1, execution_mode="direct", handlers=["words.py"], commands=True)
    assert (change["pool"], change["change"]) == (name, "created")
    yield name
    manager.pools.delete(name)


def test_pools_and_tasks(manager: Manager, pool: str) -> None:
    assert manager.pools.get(pool)["spec"]["count"] == 1
    assert pool in [one["name"] for one in manager.pools.list()]
    task = manager.tasks.submit("word_count", args=["to be or not"], pool=pool, priority="high")
    assert (task.result(timeout=30), task.status()["status"]) == (4, "completed")
    assert manager.tasks.get(task.id).info == task.info
    failing = manager.tasks.submit("render", kwargs={"frames": 2, "fail_at": 0}, pool=pool)
    with pytest.raises(TaskFailedError, match="ValueError: frame 0 cannot be rendered") as caught:
        failing.result(timeout=30)
    assert "Traceback" in (caught.value.traceback or "")
    command = manager.tasks.submit(command=["echo", "hi"], pool=pool)
    assert command.result(timeout=30)["stdout"] == "hi\n"
    slow = manager.tasks.submit(command=["sleep", "60"], pool=pool)
    with pytest.raises(WaitTimeoutError):
        slow.result(timeout=0.3)
    slow.cancel(reason="a test")
    with pytest.raises(TaskFailedError) as cancelled:
        slow.result(timeout=30)
    assert cancelled.value.type == "Cancelled"
    with pytest.raises(NotFoundError):
        manager.tasks.submit("word_count", args=["x"], pool="nowhere")
    mine = {one.id for one in manager.tasks.list(pool=pool, page_size=2)}
    assert mine == {task.id, failing.id, command.id, slow.id}
    scaled = manager.pools.scale(pool, 2)
    assert (scaled["count"], scaled["before"]) == (2, 1)
    assert manager.pools.get(pool)["spec"]["count"] == 2


def test_many_tasks_at_once(manager: Manager, pool: str) -> None:
    good = ({"pool": pool, "payload": {"function": "word_count", "args": ["a b"]}} for _ in range(100))
    bad = {"pool": pool, "payload": {"function": "word_count"}, "priority": "absurd"}
    results = manager.tasks.submit_many(itertools.chain(good, [bad]))  # type: ignore[arg-type]
    *tasks, refused = results
    assert isinstance(refused, InvalidCommandError)
    assert refused.issues[0].path == "priority"
    assert sum(task.result(timeout=30) for task in tasks if isinstance(task, Task)) == 200


def test_the_rest(manager: Manager) -> None:
    assert manager.stats()["workers"]
    assert isinstance(manager.nodes(), list)
    assert isinstance(manager.pools.worker_stats(), dict)
    assert manager.webhooks(limit=5) == []
    assert all(one["checked_at"] for one in manager.usage())
    try:
        assert isinstance(manager.images(), list)
    except UnsupportedError as error:
        # This manager runs processes only.
        assert "images" in error.message


def test_async(manager: Manager) -> None:
    async def run() -> None:
        async with AsyncManager(manager.url, token=token_of(manager)) as client:
            create = client.workers.create(agent_type="CUSTOM", protocol="json", command_line=["python3", "-c", AGENT])
            async with await create as worker:
                turn = await worker.send("hello")
                types = [entry.type async for entry in turn]
                assert (types[-1], (await turn.result()).content) == ("turn_completed", "HELLO")
                turns = await asyncio.gather(*(worker.send(f"p{number}") for number in range(5)))
                results = await asyncio.gather(*(turn.result(timeout=30) for turn in turns))
                assert [result.content for result in results] == [f"P{number}" for number in range(5)]
                assert worker.id in [one.id async for one in client.workers.list(page_size=50)]
                waiting = asyncio.ensure_future(worker.wait("ended", timeout=30))
                await worker.stop()
                assert (await waiting).ended

    asyncio.run(run())


def test_files_of_a_worker(manager: Manager) -> None:
    with shell(manager, "cat") as worker:
        worker.wait("ready", timeout=30)
        files = worker.files
        assert files.write("notes/über uns.txt", "é\n", mode=0o640)["mode"] == "0640"
        assert files.read("notes/über uns.txt") == "é\n"
        first = files.write("counter", "1", if_none_match="*")
        assert files.write("counter", "2", if_match=first["etag"])["etag"] != first["etag"]
        with pytest.raises(ConflictError) as changed:
            files.write("counter", "3", if_match=first["etag"])
        assert (changed.value.status, changed.value.reason) == (412, "changed")
        with pytest.raises(ConflictError) as exists:
            files.write("counter", "3", if_none_match="*")
        assert exists.value.reason == "exists"
        assert files.read("counter") == "2"
        files.remove("counter")
        content = bytes(range(256)) * 4000
        assert files.write("big", (content for _ in range(3)))["size"] == 3 * len(content)
        assert files.read("big", format="bytes", first=10, last=12) == content[10:13]
        assert b"".join(files.read("big", format="stream")) == content * 3
        worker.commands.run(["sh", "-c", 'echo odd >"$(printf "\\377\\n.")"'])
        names = [(info["path"], info["type"]) for info in files.list()]
        assert names == [("big", "file"), ("notes", "directory"), ("%FF%0A.", "file")]
        odd = files.list()[-1]
        assert files.read(odd) == files.read(b"\xff\n.") == files.read("\udcff\n.") == "odd\n"
        assert files.rename(odd, "plain name")["path"] == "plain%20name"
        assert files.exists("plain name")
        assert not files.exists("other")
        assert not files.exists("big/below")
        assert files.make_dir("a/b")["type"] == "directory"
        with pytest.raises(NotFoundError) as missing:
            files.read("missing")
        assert missing.value.reason == "no_file"
        for path in ("../x", "..", "notes/../../x", "/etc/passwd"):
            with pytest.raises(InvalidCommandError) as outside:
                files.get_info(path)
            assert outside.value.reason == "outside_workspace"
        assert files.read(worker.commands.run("pwd").stdout.strip() + "/plain name") == "odd\n"
        events = files.watch_dir("a", recursive=True)
        assert next(events).type == "watching"
        files.write("a/b/new", "x")
        assert any(event.path == "a/b/new" for event in events)
        events.close()
        tar = b"".join(files.read_archive("a"))
        assert files.write_archive("copy", tar) == {"files": 1, "directories": 1, "bytes": 1}
        files.remove("a")
        assert files.read("copy/b/new") == "x"
        worker.stop().wait("ended", timeout=30)
        with pytest.raises(ConflictError):
            files.read("big")


def test_a_workspace_is_saved_and_forked(manager: Manager) -> None:
    with shell(manager, "echo one > file; exec sleep 600", name="first") as worker:
        worker.wait("ready")
        while worker.commands.run("test -s file").exit_code != 0:
            time.sleep(0.05)
        checkpoint = worker.checkpoint()
        assert (checkpoint["worker_id"], checkpoint["trigger"]) == (worker.id, "request")
        assert [one["checkpoint_id"] for one in manager.checkpoints.list(worker_id=worker.id)] == [
            checkpoint["checkpoint_id"]
        ]
        assert "+one" in worker.changes()
        assert worker.changes(format="names") == "A\tfile\n"
        with worker.fork(checkpoint_id=checkpoint["checkpoint_id"], labels={"of": "first"}) as fork:
            assert fork.wait("ready").commands.run("cat file").stdout == "one\n"
            assert fork.name is None
            assert fork.spec()["labels"] == {"of": "first"}
    identifier = checkpoint["checkpoint_id"]
    assert manager.checkpoints.get(identifier)["spec"]["name"] == "first"
    again = manager.workers.create(
        agent_type="CUSTOM", command_line=["sleep", "600"], from_checkpoint=identifier
    )
    with again:
        assert again.wait("ready").commands.run("cat file").stdout == "one\n"
    archive = b"".join(manager.checkpoints.download(identifier))
    assert len(archive) == manager.checkpoints.get(identifier)["bytes"]
    manager.checkpoints.delete(identifier)
    with pytest.raises(NotFoundError):
        next(manager.checkpoints.download(identifier))
    with pytest.raises(NotFoundError):
        manager.checkpoints.get(identifier)


def test_a_terminal_is_left_and_viewed_again(manager: Manager) -> None:
    with shell(manager, "sleep 600") as worker:
        worker.wait("ready", timeout=30)
        terminal = worker.pty.create(["sh"], env={"PS1": "> "}, cols=100, rows=30)
        with worker.pty.connect(terminal["pty_id"], cols=90, rows=20) as view:
            view.send_input("stty size; echo grün\r")
            seen = b""
            for data in view:
                seen += data
                if "\ngrün\r".encode() in seen and b"20 90\r\n" in seen:
                    break
            view.resize(80, 24)
        sizes: List[Tuple[int, int]] = []
        with worker.pty.connect(
            terminal["pty_id"], cols=70, rows=20, on_resize=lambda *size: sizes.append(size)
        ) as view:
            view.resize(60, 10)
            for _ in view:
                if sizes[-1:] == [(60, 10)]:
                    break
                view.send_input("\r")
            view.resize(80, 24)
        assert (70, 20) in sizes
        assert [one["pty_id"] for one in worker.pty.list()] == [terminal["pty_id"]]
        again: List[bytes] = []
        with worker.pty.connect(terminal["pty_id"]) as view:
            view.send_input(b"stty size; exit 9\r")
            assert view.wait(again.append) == TerminalEnd(9, None)
        assert "grün".encode() in b"".join(again)
        assert b"24 80\r\n" in b"".join(again)
        with pytest.raises(NotFoundError):
            with worker.pty.connect("00000000-0000-4000-8000-000000000000"):
                pass
        other = worker.pty.create(["sleep", "600"])
        assert worker.pty.kill(other["pty_id"])
        with worker.pty.connect(other["pty_id"]) as view:
            assert view.wait() == TerminalEnd(137, "SIGKILL")
        assert worker.get_host(3000, "/x").endswith(f"/v1/workers/{worker.id}/ports/3000/x")
        assert f"//3000-{worker.id}." in worker.create_port_link(3000)


def test_a_terminal_without_blocking(manager: Manager) -> None:
    async def run() -> None:
        async with AsyncManager() as client:
            created = await client.workers.create(agent_type="CUSTOM", command_line=["sleep", "600"])
            async with created as worker:
                await worker.wait("ready", timeout=30)
                terminal = await worker.pty.create(["sh", "-c", "read x; echo got $x; exit 3"])
                async with worker.pty.connect(terminal["pty_id"]) as view:
                    await view.send_input("it\r")
                    seen: List[bytes] = []
                    assert await view.wait(seen.append) == TerminalEnd(3, None)
                assert b"got it\r\n" in b"".join(seen)

    asyncio.run(run())
