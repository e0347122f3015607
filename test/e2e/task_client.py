"""A client of task workers that knows HTTP alone: submits with priorities, polls, watches the nodes and takes the least loaded.

usage: python3 task_client.py URL...   (the addresses of worker nodes, and perhaps of a manager: they answer alike)

A manager asks for its token, which `wm context --token` prints; nodes ask for none:
WM_TOKEN=$(npm run --silent wm -- context --token) python3 task_client.py http://127.0.0.1:8080
"""
import json
import os
import sys
import time
import urllib.error
import urllib.request

SECONDS = 40


def call(url, body=None):
    data = None if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/json"} if data else {}
    if os.environ.get("WM_TOKEN"):
        headers["Authorization"] = "Bearer " + os.environ["WM_TOKEN"]
    request = urllib.request.Request(url, data, headers)
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)


def submit(node, function, *args, priority="normal", task_id=None):
    task = {"payload": {"function": function, "args": list(args), "kwargs": {}}, "priority": priority}
    if task_id:
        task["task_id"] = task_id
    answer = call(node + "/task/submit", task)
    assert answer["status"] == "queued" and answer["position"] >= 0, answer
    return answer["task_id"]


def result(node, task_id):
    """Polls until the task has ended."""
    until = time.monotonic() + SECONDS
    while time.monotonic() < until:
        task = call(node + "/task/" + task_id)
        if task["status"] in ("completed", "failed"):
            return task
        assert task["status"] in ("queued", "running") and task["result"] is None, task
        time.sleep(0.05)
    sys.exit(f"the task {task_id} did not end within {SECONDS} s")


def load(node):
    """What a node has to do: the one with the least of it is given the next task."""
    health = call(node + "/health")
    for name in ("status", "active_tasks", "queue_size", "cpu_percent", "memory_percent", "timestamp"):
        assert name in health, health
    return health["active_tasks"] + health["queue_size"]


def least_loaded(nodes):
    return min(nodes, key=load)


def main(nodes):
    first = nodes[0]
    print("added", result(first, submit(first, "add", 1, 2))["result"])

    ids = {name: submit(least_loaded(nodes), "echo", name, priority=name) for name in ("low", "normal", "high", "critical")}
    print("echoed", *(result(first, task_id)["result"] for task_id in ids.values()))

    failed = result(first, submit(first, "refuse", "because"))
    print("failed", failed["error"]["type"], failed["error"]["message"], failed["result"])
    assert failed["queued_at"] <= failed["started_at"] <= failed["completed_at"], failed

    # Any node shows any task of its pool, and a task submitted twice is one.
    once = submit(first, "add", 20, 22, task_id="the-answer")
    for node in nodes:
        print("asked", result(node, once)["result"])
    call(first + "/task/submit", {"task_id": "the-answer", "payload": {"function": "add", "args": [20, 22]}})
    try:
        submit(first, "add", 0, 0, task_id="the-answer")
        print("another task has its ID")
    except urllib.error.HTTPError as error:
        assert error.code == 409, error
    print("again", result(first, once)["result"])

    # One long task a node: each goes to another one, and no node is idle then.
    long = []
    for _ in nodes:
        long.append(submit(least_loaded(nodes), "nap", 5))
        until = time.monotonic() + SECONDS
        while call(first + "/task/" + long[-1])["status"] == "queued" and time.monotonic() < until:
            time.sleep(0.02)
    print("busy", len({result(first, task_id)["result"] for task_id in long}), "of", len(nodes))

    # A node counts a task when its result is confirmed, which may be after the client has it.
    ended, until = 7 + len(nodes), time.monotonic() + SECONDS
    while True:
        metrics = [call(node + "/metrics") for node in nodes]
        if sum(one["tasks_completed"] + one["tasks_failed"] for one in metrics) >= ended or time.monotonic() > until:
            break
        time.sleep(0.05)
    for name in ("average_execution_time", "uptime_seconds", "cpu_cores", "memory_total_gb", "tasks_queued"):
        assert all(isinstance(one[name], (int, float)) for one in metrics), metrics
    print("completed", sum(one["tasks_completed"] for one in metrics), "failed", sum(one["tasks_failed"] for one in metrics))
    with urllib.request.urlopen(first + "/metrics/prometheus", timeout=10) as answer:
        text = answer.read().decode()
    names = ("tasks_completed_total", "tasks_failed_total", "task_duration_seconds", "active_tasks", "queue_size")
    print("prometheus", all(f"# TYPE {name} " in text for name in names))
    for path, body in (("/task/none", None), ("/task/submit", {"payload": {}})):
        try:
            call(first + path, body)
        except urllib.error.HTTPError as error:
            print("refused", error.code, json.load(error)["error"]["code"])


main(sys.argv[1:])
