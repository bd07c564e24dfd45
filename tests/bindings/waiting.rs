//! boards: all
//! `mpy::asyncio`: sleeping, events, queues, streams and flags of interrupts; and `embedded-hal-async`.

use std::cell::RefCell;
use std::rc::Rc;

use embedded_hal_async::delay::DelayNs;
use embedded_hal_async::digital::Wait;
use embedded_hal_async::i2c::I2c as _;
use embedded_hal_async::spi::{Operation, SpiDevice as _};
use mpy::asyncio::{self, Event, Queue, StreamReader, StreamWriter, ThreadSafeFlag};
use mpy::hal::{Delay, I2c, Pin, Spi, SpiDevice};
use mpy::println;
use mpy::time::Duration;
use wasm_bindgen::prelude::*;

/// Says its name after each of these times.
#[wasm_bindgen]
pub async fn sleeps(name: String, times: Vec<u32>) {
    for ms in times {
        asyncio::sleep(Duration::from_millis(ms.into())).await;
        println!("{name} {ms}");
    }
}

#[wasm_bindgen]
pub async fn events(from: Event) -> Result<Event, mpy::Exception> {
    let to = Event::new()?;
    let shared = to.clone();
    asyncio::spawn(async move {
        from.wait().await.expect("no exception");
        shared.set().expect("no exception");
    });
    Ok(to)
}

#[wasm_bindgen]
pub async fn flagged(flag: ThreadSafeFlag, times: u32) -> Result<u32, mpy::Exception> {
    for _ in 0..times {
        flag.wait().await?;
    }
    Ok(times)
}

/// Two writers, and a reader that is slower.
#[wasm_bindgen]
pub async fn queues(count: u32) -> Vec<u32> {
    let queue = Rc::new(Queue::new(2));
    for from in [0, 100] {
        let queue = Rc::clone(&queue);
        asyncio::spawn(async move {
            for number in from..from + count {
                queue.put(number).await;
            }
        });
    }
    let mut got = Vec::new();
    for _ in 0..2 * count {
        asyncio::sleep_ms(0).await;
        got.push(queue.get().await);
    }
    got.sort_unstable();
    got
}

/// Answers each line with the same in upper case.
#[wasm_bindgen]
pub async fn serve(stream: JsValue) -> Result<u32, mpy::Exception> {
    let (reader, writer) = (StreamReader::new(stream.clone())?, StreamWriter::new(stream)?);
    let mut count = 0;
    loop {
        let line = reader.read_line().await?;
        if line.is_empty() {
            return Ok(count);
        }
        count += 1;
        writer.write(&line.to_ascii_uppercase()).await?;
    }
}

#[wasm_bindgen]
pub async fn read_exactly(stream: JsValue, count: u32) -> Result<Vec<u8>, mpy::Exception> {
    StreamReader::new(stream)?.read_exactly(count).await
}

#[wasm_bindgen]
pub async fn edges(mut pin: Pin) -> Result<(), mpy::Exception> {
    pin.wait_for_high().await?;
    println!("high");
    pin.wait_for_falling_edge().await?;
    println!("fell");
    pin.wait_for_any_edge().await?;
    println!("changed");
    Ok(())
}

#[wasm_bindgen]
pub async fn measure(mut i2c: I2c) -> Result<Vec<u8>, mpy::Exception> {
    let mut bytes = [0; 2];
    i2c.write(0x48, &[1]).await?;
    Delay.delay_ms(2).await;
    Delay.delay_us(30).await;
    i2c.write_read(0x48, &[0], &mut bytes).await?;
    Ok(bytes.to_vec())
}

#[wasm_bindgen]
pub async fn transfer(bus: Spi, select: Pin, delay_ns: u32) -> Result<Vec<u8>, mpy::Exception> {
    let mut device = SpiDevice::new(bus, select)?;
    let mut bytes = [0; 3];
    let operations = &mut [Operation::Write(&[1, 2]), Operation::DelayNs(delay_ns), Operation::Read(&mut bytes)];
    device.transaction(operations).await?;
    Ok(bytes.to_vec())
}

thread_local! {
    static LOG: RefCell<Vec<u32>> = const { RefCell::new(Vec::new()) };
}

/// An object of Python's, its exception included.
#[wasm_bindgen]
pub async fn awaited(awaitable: JsValue) -> Result<JsValue, mpy::Raise> {
    LOG.with_borrow_mut(|log| log.push(1));
    Ok(asyncio::wait(awaitable).await?.into())
}

/* dependencies
mpy = { path = "ROOT/mpy", features = ["hal-async"] }
embedded-hal-async = "1.0"
wasm-bindgen-futures = "0.4"
*/
/* python
import asyncio, io, micropython
import waiting as m

async def caught(awaitable):
    try:
        return await awaitable
    except asyncio.CancelledError:
        return "CancelledError"
    except Exception as error:
        return ("%s: %s" % (type(error).__name__, error)).rstrip(": ")

async def sleeping():
    await asyncio.gather(m.sleeps("a", [10, 200]), m.sleeps("b", [60, 0, 400]))
    await m.sleeps("c", [0])

async def waiting():
    event = asyncio.Event()
    other = await m.events(event)
    task = asyncio.create_task(other.wait())
    await asyncio.sleep_ms(1)
    print(task.done())
    event.set()
    print(await task)
    flag = asyncio.ThreadSafeFlag()
    task = asyncio.create_task(m.flagged(flag, 2))
    for _ in range(2):
        await asyncio.sleep_ms(0)
        micropython.schedule(lambda _: flag.set(), None)
        await asyncio.sleep_ms(0)
    print(await task)
    print(await m.queues(5))
    async def late(): raise LookupError("late")
    print(await caught(m.awaited(late())), await caught(m.awaited(m.queues(1))))

class Stream(io.IOBase):
    """A stream on which there is something from time to time."""
    def __init__(self, parts): self.parts, self.polls, self.written = parts, 0, b""
    def ioctl(self, request, flags):
        if request == 4: return 0
        if request != 3: return -1
        self.polls += 1
        return flags if self.polls % 3 == 0 else flags & 4
    def take(self, most):
        if self.polls % 3 != 0: return None
        if not self.parts: return b""
        self.polls += 1
        part = self.parts.pop(0)
        if len(part) > most: self.parts.insert(0, part[most:])
        return part[:most]
    def readinto(self, buffer):
        part = self.take(len(buffer))
        if part is None: return None
        buffer[:len(part)] = part
        return len(part)
    def read(self, most=-1): return self.take(most if most >= 0 else 99)
    def readline(self): return self.take(99)
    def write(self, data, *more):
        self.written += bytes(data[:3])
        return min(len(data), 3)

async def streaming():
    stream = Stream([b"one\n", b"two\n", b"longer line\n"])
    print(await m.serve(stream), stream.written)
    print(await m.read_exactly(Stream([b"ab", b"cdef"]), 5), await caught(m.read_exactly(Stream([b"a"]), 5)))

class Pin:
    IRQ_RISING, IRQ_FALLING = 1, 2
    handler = None
    level = 0
    def value(self, level=None):
        if level is None: return self.level
        edge = (level > self.level) * 1 | (level < self.level) * 2
        self.level = level
        if self.handler and edge & self.trigger: micropython.schedule(self.handler, self)
    def irq(self, handler, trigger): self.handler, self.trigger = handler, trigger

class I2C:
    def writeto(self, address, data, stop=True): self.register = data[0]
    def readfrom_into(self, address, data, stop=True): data[:] = bytes([self.register, address])

class SPI:
    def write(self, data): self.data = bytes(data)
    def readinto(self, data): data[:] = self.data + b"\x09"

async def hardware():
    pin = Pin()
    task = asyncio.create_task(m.edges(pin))
    for level, trigger in (1, 1), (0, 2), (1, 3):
        while not pin.handler or pin.trigger != trigger: await asyncio.sleep_ms(1)
        pin.value(level)
    await task
    print(pin.handler)
    task = asyncio.create_task(m.edges(pin))
    while not pin.handler: await asyncio.sleep_ms(1)
    print(pin.handler is None)
    task.cancel()
    print(await caught(task), pin.handler)
    print(await m.measure(I2C()))
    print(await m.transfer(SPI(), pin, 2000000), pin.level)
    task = asyncio.create_task(m.transfer(SPI(), pin, 900000000))
    await asyncio.sleep_ms(1)
    print(pin.level)
    task.cancel()
    print(await caught(task), pin.level)

for test in sleeping, waiting, streaming, hardware:
    print(test.__name__)
    asyncio.run(test())
*/
/* expect
sleeping
a 10
b 60
b 0
a 200
b 400
c 0
waiting
False
True
2
array('I', [0, 1, 2, 3, 4, 100, 101, 102, 103, 104])
LookupError: late array('I', [0, 100])
streaming
3 b'ONE\nTWO\nLONGER LINE\n'
b'abcde' EOFError
hardware
high
fell
changed
None
high
False
CancelledError None
b'\x00H'
b'\x01\x02\t' 1
0
CancelledError 1
*/
