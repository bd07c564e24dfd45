"""Decompressing an LZ4 block as Python does it, in bytecode and in viper."""

import lz4
import micropython

line = "%d;%d;ok;temperature=%d.%d;humidity=%d\n"
rows = ((i * 60, i % 7, 20 + i * 37 % 5, i * 11 % 10, 40 + i * i % 17) for i in range(120))
text = "".join(line % row for row in rows).encode()
packed = lz4.compress(text)
room = bytearray(len(text))


def native():
    return lz4.decompress_into(packed, room)


def bytecode():
    block, output = packed, room
    at = to = 0
    while True:
        token = block[at]
        at += 1
        count = token >> 4
        if count == 15:
            while block[at] == 255:
                count += 255
                at += 1
            count += block[at]
            at += 1
        output[to : to + count] = block[at : at + count]
        at += count
        to += count
        if at >= len(block):
            break
        source = to - (block[at] | block[at + 1] << 8)
        at += 2
        count = (token & 15) + 4
        if count == 19:
            while block[at] == 255:
                count += 255
                at += 1
            count += block[at]
            at += 1
        if source + count <= to:
            output[to : to + count] = output[source : source + count]
            to += count
        else:
            for source in range(source, source + count):
                output[to] = output[source]
                to += 1
    return to


@micropython.viper
def unpack() -> int:
    block, output = ptr8(packed), ptr8(room)
    end = int(len(packed))
    at = 0
    to = 0
    while True:
        token = block[at]
        at += 1
        count = token >> 4
        if count == 15:
            while block[at] == 255:
                count += 255
                at += 1
            count += block[at]
            at += 1
        last = at + count
        while at < last:
            output[to] = block[at]
            to += 1
            at += 1
        if at >= end:
            return to
        source = to - (block[at] | block[at + 1] << 8)
        at += 2
        count = (token & 15) + 4
        if count == 19:
            while block[at] == 255:
                count += 255
                at += 1
            count += block[at]
            at += 1
        last = to + count
        while to < last:
            output[to] = output[source]
            to += 1
            source += 1


def viper_():
    return unpack()


def result(of):
    good = room == text
    room[:] = bytes(len(room))
    return of, good
