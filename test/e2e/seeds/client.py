"""Clients of worker nodes as the worker-node document writes them: they know HTTP alone.

usage: python3 client.py URL...
"""
import json
import sys
import time
import urllib.error
import urllib.request


class WorkerClient:
    def __init__(self, base_url):
        self.base_url = base_url

    def request(self, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.base_url + path, data, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=10) as response:
            return json.load(response)

    def submit_task(self, task_id, function, args=None, kwargs=None, priority="normal"):
        payload = {"function": function, "args": args or [], "kwargs": kwargs or {}}
        return self.request("/task/submit", {"task_id": task_id, "payload": payload, "priority": priority})

    def get_task_status(self, task_id):
        return self.request("/task/" + task_id)

    def get_health(self):
        return self.request("/health")

    def wait_for_task(self, task_id, timeout=60):
        deadline = time.time() + timeout
        while time.time() < deadline:
            task = self.get_task_status(task_id)
            if task["status"] in ("completed", "failed"):
                return task
            time.sleep(0.1)
        raise TimeoutError(task_id)


class LoadBalancer:
    def __init__(self, urls):
        self.workers = [WorkerClient(url) for url in urls]

    def get_least_loaded_worker(self):
        loads = []
        for worker in self.workers:
            health = worker.get_health()
            if health["status"] == "healthy":
                loads.append((health["active_tasks"] + health["queue_size"], worker))
        return min(loads, key=lambda load: load[0])[1]


def main(urls):
    balancer = LoadBalancer(urls)
    worker = balancer.workers[0]
    print("healthy", sum(client.get_health()["status"] == "healthy" for client in balancer.workers))

    print("submitted", worker.submit_task("task-1", "process_data", [[1, 2, 3]], {"multiplier": 2}, "high")["status"])
    print("result", worker.wait_for_task("task-1")["result"])

    worker.submit_task("task-2", "broken")
    task = worker.wait_for_task("task-2")
    print("error", task["error_message"] if isinstance(task["error"], dict) else task["error"])

    # Each task runs long enough to be seen by the next choice.
    for number in range(len(urls)):
        name = f"slow-{number}"
        balancer.get_least_loaded_worker().submit_task(name, "slow", [4])
        while worker.get_task_status(name)["status"] == "queued":
            time.sleep(0.02)
    print("ran", len([worker.wait_for_task(f"slow-{number}") for number in range(len(urls))]))

    try:
        worker.get_task_status("nowhere")
    except urllib.error.HTTPError as error:
        print(error.code, json.load(error)["detail"])


main(sys.argv[1:])
