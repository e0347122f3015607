"""Functions for task workers: what is marked can be called by its name."""

from worker_manager import handler, progress


@handler
def word_count(text):
    return len(text.split())


@handler(name="render")
def render_frames(frames, fail_at=None):
    for frame in range(frames):
        if frame == fail_at:
            raise ValueError(f"frame {frame} cannot be rendered")
        print(f"frame {frame}")  # goes to the worker's output, tagged with the task
        progress({"frame": frame + 1, "of": frames})
    return {"frames": frames}
