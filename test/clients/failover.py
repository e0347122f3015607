"""Uses a manager that is killed and started again in the meantime; prints what it got."""

import json
import threading
import time
from pathlib import Path

from worker_manager import Manager

AGENT = """
import json, sys, time
for line in sys.stdin:
    time.sleep(3)
    print(json.dumps({"type": "turn_completed", "result": json.loads(line)["content"].upper()}), flush=True)
"""

manager = Manager()
count = manager.workers.create(
    agent_type="CUSTOM",
    command_line=["sh", "-c", "read go; for i in $(seq 60); do echo $i; sleep 0.05; done"],
)
agent = manager.workers.create(agent_type="CUSTOM", protocol="json", command_line=["python3", "-c", AGENT])
loop = ["sh", "-c", "for i in $(seq 200); do echo line $i; sleep 0.05; done; exit 5"]
with count, agent:
    count.wait("ready", timeout=60)
    agent.wait("ready", timeout=60)
    turn = agent.send("hello")
    count.send("go")
    lines = []
    seen = threading.Event()

    def read():
        for entry in count.output():
            lines.extend(entry.content.splitlines() if entry.type == "stdout" else [])
            if lines:
                seen.set()

    shown = bytearray()
    exits = []
    terminal = agent.pty.create(loop)

    def view():
        with agent.pty.connect(terminal["pty_id"]) as viewed:
            exits.append(viewed.wait(shown.extend).exit_code)

    viewer = threading.Thread(target=view)
    reader = threading.Thread(target=read)
    viewer.start()
    reader.start()
    assert seen.wait(60)
    while b"line 1\r" not in shown:
        time.sleep(0.01)
    # The manager is killed now, with both streams open.
    Path("ready").touch()
    while not Path("killed").exists():
        time.sleep(0.01)
    with manager.workers.create(agent_type="CUSTOM", command_line=["true"]) as late:
        ended = late.wait("ended", timeout=60).status
    answer = turn.result(timeout=60).content
    reader.join(60)
    viewer.join(60)
same = lines == [str(number) for number in range(1, 61)]
print(json.dumps({"lines": same, "answer": answer, "ended": ended, "exits": exits, "last": b"line 200" in shown}))
