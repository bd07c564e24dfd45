import time
import simulated
from machine import ADC, PWM, Pin, Signal

# What a program does to a pin is in the log, and a line can be watched.
led = Pin(25, Pin.OUT)
simulated.pin(25).watch(lambda level: print("the LED is", "on" if level else "off"))
led.on()
led.toggle()
print(simulated.log)

# What is outside drives a line. A pin without a driver has the level of its resistor.
button = Pin(3, Pin.IN, Pin.PULL_UP)
print(button.value())
button.irq(lambda pin: print("pressed", pin), Pin.IRQ_FALLING)
simulated.pin(3).drive(0)
time.sleep_ms(1)
print(button.value())

# A hard handler is called at once, and cannot allocate memory, as on a board.
def handler(pin):
    global count
    count += 1

def allocates(pin):
    return [pin]

count = 0
button.irq(handler, Pin.IRQ_RISING, hard=True)
simulated.pin(3).drive(1)
print(count)
button.irq(allocates, Pin.IRQ_FALLING, hard=True)
try:
    simulated.pin(3).drive(0)
except MemoryError:
    print("MemoryError")

# A wire between two pins, and analog values.
simulated.pin(4).connect(5)
Pin(4, Pin.OUT).on()
print(Pin(5).value(), Signal(Pin(5), invert=True).value())
simulated.adc(26, 12000)
print(ADC(26).read_u16())
PWM(Pin(6), freq=50).duty_u16(4915)
print(simulated.log[-1])

#> the LED is on
#> the LED is off
#> [('pin', 25, 1), ('pin', 25, 0)]
#> 1
#> pressed Pin(3)
#> 0
#> 1
#> MemoryError
#> 1 0
#> 12000
#> ('pwm', 6, 50, 4915)
