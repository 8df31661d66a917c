"""OpenSC's pkcs11-spy between a worker and its module, to count what the token was asked."""

import glob
import re

MODULE = next(iter(glob.glob("/usr/lib/*/pkcs11/pkcs11-spy.so") + glob.glob("/usr/lib/*/pkcs11-spy.so")), None)


class Spy:
    def __init__(self, folder, module):
        assert MODULE, "pkcs11-spy is not installed: apt-get install opensc"
        self.path = f"{folder}/spy.log"
        self.environment = {"PKCS11SPY": str(module), "PKCS11SPY_OUTPUT": self.path}

    def count(self, function):
        """Calls so far."""
        try:
            with open(self.path, errors="replace") as file:
                return len(re.findall(rf"^\d+: {function}$", file.read(), re.MULTILINE))
        except FileNotFoundError:
            return 0

    def counts(self, *functions):
        return tuple(self.count(function) for function in functions)

    def logins(self):
        """How often C_Login was called: for the token, and for one operation."""
        try:
            with open(self.path, errors="replace") as file:
                users = re.findall(r"^\d+: C_Login\n.*?\[in\] userType = (\w+)", file.read(), re.MULTILINE | re.DOTALL)
        except FileNotFoundError:
            users = []
        return users.count("CKU_USER"), users.count("CKU_CONTEXT_SPECIFIC")
