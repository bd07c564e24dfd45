//! nightly: all
//! Channels, signals and mutexes of `embassy-sync` between tasks of asyncio.

use embassy_sync::blocking_mutex::raw::CriticalSectionRawMutex;
use embassy_sync::channel::Channel;
use embassy_sync::mutex::Mutex;
use embassy_sync::pubsub::PubSubChannel;
use embassy_sync::signal::Signal;
use mpy::asyncio;
use mpy::time::Duration;
use wasm_bindgen::prelude::*;

type Raw = CriticalSectionRawMutex;
static CHANNEL: Channel<Raw, u32, 2> = Channel::new();
static SIGNAL: Signal<Raw, u32> = Signal::new();
static TOTAL: Mutex<Raw, u32> = Mutex::new(0);
static NEWS: PubSubChannel<Raw, u32, 4, 2, 1> = PubSubChannel::new();

/// Sends the numbers below this one. The channel has room for two.
#[wasm_bindgen]
pub async fn produce(end: u32) {
    for n in 0..end {
        CHANNEL.send(n).await;
    }
}

#[wasm_bindgen]
pub async fn consume(count: u32) -> Vec<u32> {
    let mut received = Vec::new();
    for _ in 0..count {
        received.push(CHANNEL.receive().await);
    }
    received
}

/// From a function that is not `async`, such as a handler of an interrupt.
#[wasm_bindgen]
pub fn signal(value: u32) {
    SIGNAL.signal(value);
}

#[wasm_bindgen]
pub async fn signalled() -> u32 {
    SIGNAL.wait().await
}

/// Holds the mutex while it waits.
#[wasm_bindgen]
pub async fn add(n: u32) -> u32 {
    let mut total = TOTAL.lock().await;
    let before = *total;
    asyncio::sleep(Duration::from_millis(1)).await;
    *total = before + n;
    *total
}

#[wasm_bindgen]
pub async fn listen(count: u32) -> u32 {
    let mut subscriber = NEWS.subscriber().unwrap();
    let mut sum = 0;
    for _ in 0..count {
        sum += subscriber.next_message_pure().await;
    }
    sum
}

#[wasm_bindgen]
pub async fn publish(end: u32) {
    let publisher = NEWS.publisher().unwrap();
    for n in 0..end {
        publisher.publish(n).await;
    }
}

/* dependencies
wasm-bindgen-futures = "0.4"
mpy = { path = "ROOT/mpy", features = ["asyncio", "critical-section"] }
embassy-sync = "0.7"
*/
/* python
import asyncio
import channels as m

async def main():
    print(await asyncio.gather(m.consume(5), m.produce(5)))
    print(await asyncio.gather(m.produce(4), m.consume(2), m.consume(2)))
    task = asyncio.create_task(m.signalled())
    await asyncio.sleep_ms(0)
    m.signal(1)
    m.signal(7)
    print(await task)
    # Who waits gets it in any order.
    print(max(await asyncio.gather(*[m.add(n) for n in (1, 10, 100)])))
    # Who is cancelled receives nothing, and takes nothing away.
    task = asyncio.create_task(m.consume(1))
    await asyncio.sleep_ms(0)
    task.cancel()
    try: await task
    except asyncio.CancelledError: print("cancelled")
    print(await asyncio.gather(m.produce(1), m.consume(1)))
    task = asyncio.create_task(m.add(5))
    await asyncio.sleep_ms(0)
    task.cancel()
    print(await m.add(1000))
    print(await asyncio.gather(m.listen(6), m.listen(6), m.publish(6)))

asyncio.run(main())
*/
/* expect
[array('I', [0, 1, 2, 3, 4]), None]
[None, array('I', [0, 1]), array('I', [2, 3])]
7
111
cancelled
[None, array('I', [0])]
1111
[15, 15, None]
*/
