"""Becomes a command in a user namespace that maps root and one other user, as systemd's PrivateUsers=yes makes it.

Usage: user_namespace.py UID COMMAND...
"""

import ctypes
import os
import sys

CLONE_NEWUSER = 0x10000000


def main():
    uid, command = sys.argv[1], sys.argv[2:]
    pid, (is_made, made) = os.getpid(), os.pipe()
    child = os.fork()
    if child == 0:
        os.close(made)
        os.read(is_made, 1)
        for kind in ("uid", "gid"):  # by one who stays outside: from inside a single user can be mapped
            with open(f"/proc/{pid}/{kind}_map", "w") as file:
                file.write(f"0 0 1\n{uid} {uid} 1\n")
        os._exit(0)
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWUSER) != 0:
        sys.exit(f"no user namespace: {os.strerror(ctypes.get_errno())}")
    os.close(made)
    if os.waitpid(child, 0)[1] != 0:
        sys.exit("the user namespace's maps cannot be written")
    os.execv(command[0], command)


main()
