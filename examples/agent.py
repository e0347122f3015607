#!/usr/bin/env python3
"""An agent that runs each prompt as a shell command. Uses JSON lines (docs/agents.md); needs Python 3.9."""
import json, os, signal, subprocess, sys, threading

command = None  # of the turn under way


def say(type, **fields):
    print(json.dumps({"type": type, **fields}), flush=True)


def finish(process, id):
    output = process.communicate()[0]
    say("tool_result", tool_use_id=id, content=output, is_error=process.returncode != 0)
    if process.returncode < 0:
        return say("turn_failed", id=id, message=f"ended by signal {-process.returncode}")
    say("message", content=f"It ended with {process.returncode}.")
    say("turn_completed", id=id, result=output)


for line in sys.stdin:
    request = json.loads(line)
    if request["type"] == "prompt":
        id, content = request["id"], request["content"]
        say("tool_use", tool_use_id=id, tool="sh", content=content, input={"command": content})
        command = subprocess.Popen(["sh", "-c", content], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT, text=True, start_new_session=True)
        threading.Thread(target=finish, args=(command, id)).start()  # keep reading
    elif request["type"] == "interrupt" and command and command.poll() is None:
        os.killpg(command.pid, signal.SIGTERM)
