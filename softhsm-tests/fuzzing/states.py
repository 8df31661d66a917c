"""The whole agent through a life at random: cards and modules, people with right and wrong PINs, clients, a service with
faults, workers that are killed, reloads and restarts. Whatever comes, these hold:

    - a PIN that a token has refused is not sent to it again, whatever restarts, before it has taken another
    - nothing logs in between an answered lock and the next unlock
    - each request is answered in time, and the agent lives and stays small
    - once all is quiet, agent and workers use no processor time

    states.py SECONDS [--seed N]

The seed decides what is done and in which order; how long each step takes is the machine's. The agent's clock is the
machine's: no released program has a switch for another one, and the months are lived by the unit tests' models.
"""

import argparse
import pathlib
import random
import shutil
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))

from life import Life  # noqa: E402
from rules import Broken, require  # noqa: E402
from support import mock_module  # noqa: E402
from support.authority import Authority  # noqa: E402
from support.memory_limit import memory_limit  # noqa: E402


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("seconds", type=float)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    options = parser.parse_args()
    deadline = time.monotonic() + options.seconds
    folder = pathlib.Path(tempfile.mkdtemp(prefix="tokenward-states-"))
    root, lives, seed = Authority("Root"), 0, options.seed
    library = mock_module.build(folder / "mock.so")
    while True:
        home = folder / str(lives)
        home.mkdir(mode=0o700)
        chance, story = random.Random(seed), []
        with memory_limit(512 << 20) as (prefix, killed):
            life = Life(home, chance, library, root, prefix)
            life.story = story
            try:
                life.live()
                require(not killed(), "the memory limit was met")
            except (Broken, AssertionError, OSError) as broken:
                print(f"states: {broken!r}\n  after {' '.join(story)}\n  seed {seed}, log {life.agent.log_path}")
                return 1
            finally:
                life.end()
        lives += 1
        if time.monotonic() > deadline:
            break
        seed = random.Random(seed).randrange(1 << 32)
    shutil.rmtree(folder)
    print(f"states: lives {lives}, seed {options.seed}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
