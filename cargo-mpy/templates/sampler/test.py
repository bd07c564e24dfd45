import time
from machine import ADC, Timer
import {module}

try:
    import simulated
except ImportError:
    pass  # A board, and a real voltage.
else:
    noise = 0

    def voltage():
        global noise
        noise = 5000 - noise
        return 30000 + noise

    simulated.adc(26, voltage)
    simulated.waits = False

sampler = {module}.Sampler(ADC(26), Timer(-1), 1000)
time.sleep_ms(200)
samples = sampler.read()
print("enough samples:", len(samples) >= 190)
print("smooth:", max(samples[100:]) - min(samples[100:]) < 500)
sampler.free()
time.sleep_ms(50)
sampler = {module}.Sampler(ADC(26), Timer(-1), 1000)
print("none while there was no sampler:", len(sampler.read()) < 10)
