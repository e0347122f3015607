"""Puts tasks on a peer's queue: `produce.py MODULE drain PATH COUNT` or `produce.py MODULE lags PATH COUNT GAP_SECONDS`."""
import importlib
import sys
import time

module, kind, path, count = sys.argv[1:5]
send = importlib.import_module(module).send
if kind == "drain":
    send("mark", path)
    for _ in range(int(count)):
        send("noop")
    send("mark", path)
else:
    for _ in range(int(count)):
        send("lag", path, time.monotonic_ns() // 1000)
        time.sleep(float(sys.argv[5]))
