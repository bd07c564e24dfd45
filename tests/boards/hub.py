# A hub of boards behind pseudo-terminals: `hub.py MICROPYTHON SCRIPT FOLDER KIND…` prints the path of each. A kind is that
# of raw_repl.py, or `Silent`, a device that reads and says nothing, or `Resetting`, a board that restarts when it has read a
# few bytes.
# Each board has a folder below FOLDER. The hub ends when its input does. One process carries all bytes, which is less work than a thread for each.
import os
import selectors
import subprocess
import sys
import termios
import tty

micropython, script, root, *kinds = sys.argv[1:]
selector = selectors.DefaultSelector()
# Enough for an answer, and less than any code that asks for facts.
MOST = 200


def terminal():
    master, slave = os.openpty()
    tty.setraw(slave)
    return master, slave


class Board:
    def __init__(self, number, kind):
        self.kind, self.folder = kind, os.path.join(root, str(number))
        os.mkdir(self.folder)
        # The other end stays open: the terminal is there even when no program has it.
        self.line, self.end = terminal()
        selector.register(self.line, selectors.EVENT_READ, self.from_outside)
        print(os.ttyname(self.end), flush=True)
        self.child = None
        if kind != "Silent":
            self.start()

    def start(self):
        self.read = 0
        self.inner, end = terminal()
        # As a UART: a board prints ends of lines in two bytes.
        mode = termios.tcgetattr(end)
        mode[1] |= termios.OPOST | termios.ONLCR
        termios.tcsetattr(end, termios.TCSANOW, mode)
        kind = "Usual" if self.kind == "Resetting" else self.kind
        self.child = subprocess.Popen([micropython, script, kind], cwd=self.folder, stdin=end, stdout=end)
        os.close(end)
        selector.register(self.inner, selectors.EVENT_READ, self.from_inside)

    def from_outside(self):
        data = os.read(self.line, 4096)
        if self.kind == "Resetting":
            data = data[: MOST - self.read]
            self.read += len(data)
        if self.child:
            os.write(self.inner, data)
        if self.kind == "Resetting" and self.read == MOST:
            self.reset()

    def from_inside(self):
        os.write(self.line, os.read(self.inner, 4096))

    def reset(self):
        selector.unregister(self.inner)
        self.child.kill()
        self.child.wait()
        os.close(self.inner)
        self.start()


boards = [Board(number, kind) for number, kind in enumerate(kinds)]
selector.register(sys.stdin, selectors.EVENT_READ, None)
try:
    while True:
        ready = [key.data for key, _ in selector.select()]
        if None in ready:
            break
        for carry in ready:
            try:
                carry()
            except OSError:
                pass
finally:
    for board in boards:
        if board.child:
            board.child.kill()
