"""Waiting for what can be observed, and for calls in threads."""

import os
import pathlib
import signal
import threading
import time


def wait_until(condition, what, seconds=20):
    """Polls what can be observed until it is true; its value."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.005)
    return value


def stop(process):
    """Stops a process, which has stopped when this returns: kill(2) does not wait for its threads."""
    os.kill(process, signal.SIGSTOP)
    tasks = pathlib.Path(f"/proc/{process}/task")
    wait_until(
        lambda: all((task / "stat").read_text().rpartition(") ")[2][0] in "Tt" for task in tasks.iterdir()),
        f"all threads of {process} have stopped")


def in_background(function, *arguments):
    """Calls a function in a thread; what it gives waits for the end of the call, and is its result."""
    results = []
    thread = threading.Thread(target=lambda: results.append(function(*arguments)), daemon=True)
    thread.start()

    def result():
        thread.join(60)
        assert not thread.is_alive()
        return results[0]

    return result
