"""An orchestrator in Python: create -> prompt -> output -> delete, with a Redis client and the keys of the wire alone.

usage: python3 orchestrator.py REDIS_URL CELL RUNTIME (needs python3-redis; CELL is `default` if it is not set)
"""
import json
import sys
import time
import uuid

import redis

url, cell, runtime = sys.argv[1:4]
db = redis.Redis.from_url(url, decode_responses=True)
prefix = "" if cell == "default" else cell + ":"


def read(stream, wanted, seconds=60):
    """The first message of a stream, from its beginning, that is wanted."""
    last, until = "0", time.monotonic() + seconds
    while time.monotonic() < until:
        for _, entries in db.xread({prefix + stream: last}, block=1000) or []:
            for last, fields in entries:
                message = json.loads(fields["data"])
                if wanted(message):
                    return message
    sys.exit(f"nothing that was waited for came on {stream} within {seconds} s")


def command(name, **fields):
    request_id = str(uuid.uuid4())
    entry = {"command": name, "request_id": request_id, **fields}
    db.xadd(prefix + "worker:commands", {"data": json.dumps(entry)})
    answer = read("worker:responses", lambda message: message.get("request_id") == request_id)
    if not answer["success"]:
        sys.exit(f"{name} was refused: {answer['error']}")
    return answer


agent = "while read -r line; do echo \"you said: $line\"; done"
worker_id = command("create", agent_type="CUSTOM", runtime=runtime, command_line=["sh", "-c", agent])["worker_id"]
output = f"worker:{worker_id}:output"
print("ready", read(output, lambda message: message["type"] == "ready")["incarnation"], flush=True)

prompt = {"type": "prompt", "content": "hello from Python", "request_id": "turn-1"}
db.xadd(f"{prefix}worker:{worker_id}:input", {"data": json.dumps(prompt)})
print("answer", read(output, lambda message: message["type"] == "stdout")["content"], flush=True)

read(f"worker:{worker_id}:events", lambda event: event["status"] == "RUNNING")
print("status", command("status", worker_id=worker_id)["status"], flush=True)

command("delete", worker_id=worker_id)
print("exit", read(output, lambda message: message["type"] == "exited")["exit_code"], flush=True)
while any(worker["worker_id"] == worker_id for worker in command("list")["workers"]):
    time.sleep(0.1)
print("gone", flush=True)
