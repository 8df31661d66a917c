"""Waiting for what can be observed, and for calls in threads."""

import threading
import time


def wait_until(condition, what, seconds=20):
    """Polls what can be observed until it is true; its value."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.005)
    return value


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
