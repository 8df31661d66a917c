"""Keeps rounds apart from other programs' load: each waits for idle processors, within a limit for the whole run."""

import time

PATIENCE = 60
"""The seconds that a run waits for other programs in all."""


class IdleMachine:
    def __init__(self):
        self.rounds = self.busy_rounds = 0
        self.waited = 0

    def wait(self):
        """Before a round, while nothing of ours works."""
        self.rounds += 1
        while busy_share(0.05) > 0.1:
            if self.waited > PATIENCE:
                self.busy_rounds += 1
                return
            self.waited += 0.05

    def note(self):
        return f"{self.busy_rounds} of {self.rounds} rounds began while other programs used the processors."


def busy_share(seconds):
    """The share of the processors' time that some program used."""

    def times():
        with open("/proc/stat") as file:
            fields = [int(field) for field in file.readline().split()[1:9]]
        return sum(fields), fields[3] + fields[4]  # all, idle

    before = times()
    time.sleep(seconds)
    all_time, idle = (after - start for after, start in zip(times(), before))
    return 1 - idle / all_time if all_time else 0


machine = IdleMachine()
