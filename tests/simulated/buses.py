import simulated
from machine import I2C, SPI, UART, Pin

# A device on I2C with registers: what is written begins with the number of a register.
sensor = simulated.i2c(0x48, simulated.Registers())
sensor[0] = b"\x19\x80"
bus = I2C(0)
print(bus.scan(), bus.readfrom_mem(0x48, 0, 2))
bus.writeto(0x48, b"\x01\x60")
print(hex(sensor[1]))
try:
    bus.writeto(0x49, b"\x00")
except OSError as error:
    print(error)

# A device with commands.
class Humidity:
    def write(self, data):
        self.command = data

    def read(self, count):
        return b"\x64\x8b\xc7\xa1\x33\x1c"[:count]

simulated.i2c(0x70, Humidity())
bus.writeto(0x70, b"\x78\x66")
print(bus.readfrom(0x70, 3))

# A device on SPI takes part while the pin that selects it is low.
class Flash:
    def transfer(self, data):
        return b"\xff\xef\x40\x18" if data[0] == 0x9f else bytes(len(data))

simulated.spi(Flash(), select=17)
select, bus = Pin(17, Pin.OUT), SPI(0)
answer = bytearray(4)
for level in 1, 0:
    select(level)
    bus.write_readinto(b"\x9f\x00\x00\x00", answer)
    print(answer)

# A device on a UART.
class Modem:
    def write(self, data):
        return b"OK\r\n" if data == b"AT\r\n" else None

simulated.uart(1, Modem())
uart = UART(1, 9600)
uart.write(b"AT\r\n")
print(uart.any(), uart.readline(), uart.read())
simulated.uart(1).feed(b"RING\r\n")
print(uart.read(4), simulated.log[-1])

#> [72] b'\x19\x80'
#> 0x60
#> [Errno 19] ENODEV
#> b'd\x8b\xc7'
#> bytearray(b'\x00\x00\x00\x00')
#> bytearray(b'\xff\xef@\x18')
#> 4 b'OK\r\n' None
#> b'RING' ('uart', 1, b'AT\r\n')
