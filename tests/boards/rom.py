# A ROM partition for a board whose MicroPython has none: `vfs.rom_ioctl` (extmod/modvfs.c) over the file `rom.bin`, which
# lives on without power. As in NOR flash, writing only clears bits, and erasing sets them. As when MicroPython starts, an image
# that is there is mounted.
import sys
import vfs as real


class Vfs:
    def __getattr__(self, name):
        return getattr(real, name)

    def rom_ioctl(self, request, segment=0, *args):
        if request == 1:
            return 1
        if request == 2:
            return rom
        if request == 3:
            if args[0] > len(rom):
                return -22
            end = min((args[0] + SECTOR - 1) // SECTOR * SECTOR, len(rom))
            store(0, b"\xff" * end)
            return UNIT
        if request == 4:
            at, data = args
            if at % UNIT or len(data) % UNIT or at + len(data) > len(rom):
                return -22
            store(at, bytes(a & b for a, b in zip(rom[at : at + len(data)], data)))
        return 0


SECTOR, UNIT = 4096, 16


def store(at, data):
    rom[at : at + len(data)] = data
    with open("rom.bin", "r+b") as file:
        file.seek(at)
        file.write(data)


with open("rom.bin", "rb") as file:
    rom = bytearray(file.read())
sys.modules["vfs"] = Vfs()
try:
    real.umount("/rom")
except OSError:
    pass
try:
    real.mount(real.VfsRom(memoryview(rom)), "/rom")
    sys.path.extend(["/rom", "/rom/lib"])
except OSError:
    pass
