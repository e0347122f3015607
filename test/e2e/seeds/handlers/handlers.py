from worker_manager import handler
import os
import time


@handler
def process_data(data, multiplier=1):
    print("processing", data)
    return [value * multiplier for value in data]


@handler
def slow(seconds):
    time.sleep(seconds)
    return os.environ["WORKER_ID"]


@handler
def broken():
    raise ValueError("no such colour")
