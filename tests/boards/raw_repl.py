# A board of MicroPython's unix port, which has no raw REPL in every version: the protocol of
# shared/runtime/pyexec.c on standard input and output, a terminal's, with this machine's filesystem below.
# Ctrl-C counts where input is read, as where a board's UART is served; nothing here runs for long without.
import gc
import io
import os
import sys

try:
    import vfs
except ImportError:
    import os as vfs

real, kind = sys, sys.argv[1]
WINDOW = 64


class Input:
    def read(self, n=1):
        data = bytearray()
        while len(data) < n:
            byte = real.stdin.buffer.read(1)
            if not byte:
                real.exit(0)
            if byte == b"\x03":
                raise KeyboardInterrupt
            data.extend(byte)
        return bytes(data)


class Stdin:
    buffer = real.stdin.buffer if kind == "Quick" else Input()


# The files of a board whose filesystem is full.
class FullFile:
    def write(self, data):
        raise OSError(28)

    def close(self):
        pass


if kind == "Full":
    import builtins

    real_open = open
    builtins.open = lambda path, mode="r": FullFile() if "w" in mode else real_open(path, mode)


# What `import sys` brings to the code of others.
class System:
    stdin = Stdin()

    def __getattr__(self, name):
        return getattr(real, name)


def put(text):
    real.stdout.write(text)


def get():
    byte = real.stdin.buffer.read(1)
    if not byte:
        real.exit(0)
    return byte[0]


def run(code, space):
    gc.collect()
    try:
        exec(code, space)
        put("\x04")
    except SystemExit:
        put("\x04\x04")
        return False
    except BaseException as error:
        # The code may be anything that the line made of it, and no text.
        text = io.BytesIO()
        real.print_exception(error, text)
        put("\x04")
        real.stdout.buffer.write(text.getvalue())
    put("\x04")
    return True


# Raw paste: bytes come in windows.
def paste():
    put("R\x01")
    real.stdout.buffer.write(bytes((WINDOW & 255, WINDOW >> 8, 1)))
    code, credit = bytearray(), WINDOW
    while True:
        byte = get()
        if byte == 4 or byte == 3:
            put("\x04")
            return None if byte == 3 else code
        code.append(byte)
        credit -= 1
        if not credit:
            put("\x01")
            credit = WINDOW


def session(first, raw):
    sys.modules["sys"] = System()
    sys.path[:] = ["", "lib"]
    for name in list(sys.modules):
        if name not in first:
            sys.modules.pop(name)
    # A reset forgets what was mounted, as the folder of modules in RAM.
    try:
        vfs.umount("/__ram")
    except OSError:
        pass
    if "rom.bin" in os.listdir():
        with open(__file__.replace("raw_repl.py", "rom.py")) as file:
            exec(file.read(), {})
    space = {"__name__": "__main__"}
    greeting = "raw REPL; CTRL-B to exit\n" if raw else "MicroPython on unix\n>>> "
    while True:
        put(greeting + (">" if raw else ""))
        greeting = ""
        line = bytearray()
        while True:
            byte = get()
            if byte == 1:
                raw, greeting = True, ("" if raw else "\n") + "raw REPL; CTRL-B to exit\n"
                if line == b"\x05A" and kind != "Plain":
                    greeting = ""
                    line = paste()
                    if line is None:
                        put("\x04\x04")
                    elif not run(line, space):
                        return raw
                break
            if byte == 2:
                raw, greeting = False, "\nMicroPython on unix\n>>> "
                break
            if not raw:
                if byte == 4:
                    put("\n")
                    return raw
                if byte == 13 or byte == 3:
                    greeting = "\n>>> "
                    break
            elif byte == 3:
                line = bytearray()
            elif byte == 4:
                put("OK")
                if not line:
                    put("\n")
                    return raw
                if not run(line, space):
                    return raw
                break
            else:
                line.append(byte)


first, mode = list(sys.modules) + ["sys"], False
while True:
    mode = session(first, mode)
    put("MPY: soft reboot\n")
