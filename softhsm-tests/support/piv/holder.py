"""Another PC/SC client, as gpg or a browser: it keeps the first card connected, shared, until its input ends.

Says "connected", and for each line of input whether it can still reach the card without connecting again.
"""

import ctypes
import sys

SCOPE_SYSTEM, SHARE_SHARED, PROTOCOL_ANY, LEAVE_CARD = 2, 2, 3, 0
pcsc = ctypes.CDLL("libpcsclite.so.1")
handles = [ctypes.c_long(), ctypes.c_long()]
context, card = handles
protocol = ctypes.c_ulong()


def check(code):
    if code:
        sys.exit(f"{code & 0xFFFFFFFF:08x}")


check(pcsc.SCardEstablishContext(ctypes.c_ulong(SCOPE_SYSTEM), None, None, ctypes.byref(context)))
check(pcsc.SCardConnect(
    context, sys.argv[1].encode(), ctypes.c_ulong(SHARE_SHARED), ctypes.c_ulong(PROTOCOL_ANY), ctypes.byref(card),
    ctypes.byref(protocol)))
print("connected", flush=True)
for line in sys.stdin:
    print(pcsc.SCardBeginTransaction(card) == 0 and pcsc.SCardEndTransaction(card, ctypes.c_ulong(LEAVE_CARD)) == 0,
          flush=True)
