from worker_manager import handler

1 / 0
