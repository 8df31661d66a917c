"""A reader with its slot: the vpicc side of vpcd's protocol (vsmartcard, virtualsmartcard/src/vpcd).

Each message has its length before it, in two bytes; a message of one byte is 0 power off, 1 power on, 2 reset, 4 what is
your ATR; all others are APDUs. The card's end of the line is opened: a card is there while it is connected.
"""

import ctypes
import os
import socket
import threading

from .card import Yanked

POWER_OFF, POWER_ON, RESET, GET_ATR = 0, 1, 2, 4
CLONE_NEWNET = 0x40000000


class Reader:
    """`network` is the file of the network namespace in which vpcd listens at `port`."""

    def __init__(self, name, port, network):
        self.name, self.port, self.network = name, port, network
        self.card = None
        self.pulled = threading.Event()
        self.thread = None
        self.line = None

    def insert(self, card):
        assert self.card is None, f"{self.name} has a card"
        if self.thread:
            self.thread.join()
        self.card, self.pulled = card, threading.Event()
        self.thread = threading.Thread(target=self.serve, args=(card, self.pulled), daemon=True)
        self.thread.start()

    def eject(self):
        """Takes the card out, whatever it is doing."""
        self.pulled.set()
        if line := self.line:
            try:
                line.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # the other end was quicker
        if self.thread:
            self.thread.join(10)
            assert not self.thread.is_alive(), f"{self.name} holds its card"
        self.card = None

    def swap(self, card):
        self.eject()
        self.insert(card)

    def serve(self, card, pulled):
        """Keeps the card connected, with a daemon that comes back as well, until it is pulled."""
        descriptor = os.open(self.network, os.O_RDONLY | os.O_CLOEXEC)
        # Of this thread alone, which ends here.
        assert ctypes.CDLL(None, use_errno=True).setns(descriptor, CLONE_NEWNET) == 0, os.strerror(ctypes.get_errno())
        os.close(descriptor)
        try:
            while not pulled.is_set():
                try:
                    with socket.create_connection(("127.0.0.1", self.port)) as self.line:
                        if not pulled.is_set():
                            self.exchange(card, pulled)
                except ConnectionRefusedError:
                    pulled.wait(0.02)
                except OSError:
                    pass  # the daemon has ended
                card.power_off()
        except Yanked:
            card.power_off()
        finally:
            self.line = self.card = None

    def exchange(self, card, pulled):
        while (message := self.receive()) is not None:
            if len(message) > 1:
                try:
                    self.send(card.transmit(message, pulled))
                except Yanked as yanked:
                    if yanked.answer is not None:
                        self.send(yanked.answer)
                    raise
            elif message[0] == GET_ATR:
                self.send(card.atr)
            elif message[0] == RESET:
                card.reset()
            else:
                card.power_off()

    def send(self, message):
        self.line.sendall(len(message).to_bytes(2, "big") + message)

    def receive(self):
        """A message; None at the end of the line."""
        size = self.take(2)
        return self.take(int.from_bytes(size, "big")) if size else None

    def take(self, count):
        data = b""
        while len(data) < count:
            # vpcd sends the length and the message apart: with a delayed acknowledgement each command costs 40 ms.
            self.line.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
            more = self.line.recv(count - len(data))
            if not more:
                return None
            data += more
        return data
