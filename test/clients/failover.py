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

    reader = threading.Thread(target=read)
    reader.start()
    assert seen.wait(60)
    # The manager is killed now, with both streams open.
    Path("ready").touch()
    while not Path("killed").exists():
        time.sleep(0.01)
    with manager.workers.create(agent_type="CUSTOM", command_line=["true"]) as late:
        ended = late.wait("ended", timeout=60).status
    answer = turn.result(timeout=60).content
    reader.join(60)
print(json.dumps({"lines": lines == [str(number) for number in range(1, 61)], "answer": answer, "ended": ended}))
