import asyncio
import machine
import simulated
import time
from machine import Timer

# Timers fire while a program sleeps.
ticks = []
timer = Timer(period=10, callback=lambda timer: ticks.append(1))
time.sleep_ms(35)
print(len(ticks) >= 3)

# They fire as if the program had slept: at once, and always as often.
del ticks[:]
timer.init(period=10, callback=lambda timer: ticks.append(1))
simulated.advance(995)
print(len(ticks))
timer.deinit()
simulated.waits = False
time.sleep(1000)
print(len(ticks))
Timer(mode=Timer.ONE_SHOT, period=5000, callback=lambda timer: print("once"))
time.sleep(100)
simulated.waits = True

# What comes while interrupts are disabled is late, and not lost.
def handler(timer):
    global count
    count += 1

count = 0
timer.init(freq=1000, callback=handler, hard=True)
state = machine.disable_irq()
simulated.advance(3)
print(count)
machine.enable_irq(state)
print(count > 2)
timer.deinit()

# asyncio looks at the time, and so do timers.
async def main():
    flag = asyncio.ThreadSafeFlag()
    timer = Timer(period=2, callback=lambda timer: flag.set())
    for _ in range(3):
        await asyncio.wait_for_ms(flag.wait(), 5000)
        print("tick")
        await asyncio.sleep_ms(3)
    timer.deinit()

asyncio.run(main())

#> True
#> 99
#> 99
#> once
#> 0
#> True
#> tick
#> tick
#> tick
