from worker_manager import handler


@handler
def add():
    pass
