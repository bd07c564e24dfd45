//! boards: all
//! A thousand tasks at once, cancelling at every await, interrupts that wake tasks, and awaits without end, of which no
//! memory is lost.

use std::cell::Cell;
use std::future::poll_fn;
use std::task::{Poll, Waker};

use js_sys::Promise;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

#[wasm_bindgen]
extern "C" {
    pub type Function;
    #[wasm_bindgen(method, js_name = "__call__")]
    fn call(this: &Function) -> JsValue;
}

thread_local! {
    static LIVE: Cell<u32> = const { Cell::new(0) };
    static SENT: Cell<u32> = const { Cell::new(0) };
    static WAKER: Cell<Option<Waker>> = const { Cell::new(None) };
}

struct Counted(Vec<u8>);

impl Counted {
    fn new() -> Counted {
        LIVE.set(LIVE.get() + 1);
        Counted(vec![1; 20])
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        LIVE.set(LIVE.get() - self.0[0] as u32);
    }
}

/// How many values of Rust there are.
#[wasm_bindgen]
pub fn live() -> u32 {
    LIVE.get()
}

async fn wait(make: &Function) -> Result<JsValue, JsValue> {
    JsFuture::from(Promise::from(make.call())).await
}

/// Awaits what `make` returns, so often.
#[wasm_bindgen]
pub async fn awaits(make: Function, times: u32) -> Result<u32, JsValue> {
    let _counted = Counted::new();
    for _ in 0..times {
        wait(&make).await?;
    }
    Ok(times)
}

/// The same in functions that call each other, each with something to drop.
#[wasm_bindgen]
pub async fn nested(make: Function, depth: u32) -> Result<u32, JsValue> {
    fn inner(
        make: &Function,
        depth: u32,
    ) -> std::pin::Pin<Box<dyn Future<Output = Result<u32, JsValue>> + '_>> {
        Box::pin(async move {
            let _before = Counted::new();
            wait(make).await?;
            let below = if depth == 0 { 0 } else { inner(make, depth - 1).await? };
            let _after = Counted::new();
            wait(make).await?;
            Ok(below + 1)
        })
    }
    inner(&make, depth).await
}

#[wasm_bindgen]
pub async fn ends() {
    let _counted = Counted::new();
}

#[wasm_bindgen]
pub async fn fails() -> Result<(), JsError> {
    let _counted = Counted::new();
    Err(JsError::new("failed"))
}

/// Waits until `send` is called that often: nothing of asyncio is awaited.
#[wasm_bindgen]
pub async fn receive(times: u32) -> u32 {
    let _counted = Counted::new();
    poll_fn(|cx| {
        if SENT.get() >= times {
            return Poll::Ready(SENT.replace(0));
        }
        WAKER.set(Some(cx.waker().clone()));
        Poll::Pending
    })
    .await
}

#[wasm_bindgen]
pub fn send() {
    SENT.set(SENT.get() + 1);
    if let Some(waker) = WAKER.take() {
        waker.wake();
    }
}

/* dependencies
wasm-bindgen-futures = "0.4"
js-sys = "0.3"
*/
/* python
import asyncio, gc, micropython
import futures_many as m

async def step(): await asyncio.sleep_ms(0)

async def thousand():
    event = asyncio.Event()
    tasks = [asyncio.create_task(m.awaits(event.wait, 3)) for _ in range(1000)]
    await asyncio.sleep_ms(0)
    print(m.live())
    for task in tasks[::2]: task.cancel()
    await asyncio.sleep_ms(0)
    await asyncio.sleep_ms(0)
    print(m.live())
    event.set()
    print(sum(await asyncio.gather(*tasks[1::2])), m.live())

async def every_await():
    outcomes = []
    for steps in range(40):
        task = asyncio.create_task(m.nested(step, 4))
        for _ in range(steps): await asyncio.sleep_ms(0)
        outcomes.append(task.cancel())
        try: result = await task
        except asyncio.CancelledError: result = None
        assert (result is None) == outcomes[-1], (steps, result)
        # Its awaitable is cancelled after it.
        await asyncio.sleep_ms(0)
        assert m.live() == 0, (steps, m.live())
    print(outcomes[0], outcomes[8], outcomes[39], sorted(outcomes, reverse=True) == outcomes)

async def interrupts():
    # Functions that interrupts schedule run between two instructions of Python.
    async def ticks():
        while True: await asyncio.sleep_ms(1)
    ticker = asyncio.create_task(ticks())
    task = asyncio.create_task(m.receive(3))
    await asyncio.sleep_ms(0)
    for _ in range(3):
        micropython.schedule(lambda _: m.send(), None)
        await asyncio.sleep_ms(0)
    print(await task)
    flag = asyncio.ThreadSafeFlag()
    task = asyncio.create_task(m.awaits(flag.wait, 2))
    ticker.cancel()
    for _ in range(2):
        await asyncio.sleep_ms(0)
        micropython.schedule(lambda _: flag.set(), None)
        await asyncio.sleep_ms(0)
    print(await task)

def used():
    for _ in range(3): gc.collect()
    return gc.mem_alloc()

async def caught(awaitable):
    try: await awaitable
    except Exception: pass

async def cancel():
    task = asyncio.create_task(m.awaits(asyncio.Event().wait, 1))
    await asyncio.sleep_ms(0)
    task.cancel()
    try: await task
    except asyncio.CancelledError: pass
    await asyncio.sleep_ms(0)

async def unawaited(): m.ends()

async def endless():
    for what, once, times in (
        ("awaits", lambda: m.awaits(step, 100), TIMES // 100),
        ("ends", m.ends, TIMES),
        ("fails", lambda: caught(m.fails()), TIMES),
        ("tasks", lambda: asyncio.create_task(m.awaits(step, 1)), TIMES // 5),
        ("timeouts", lambda: asyncio.wait_for(m.awaits(step, 1), 9), TIMES // 5),
        ("cancel", cancel, TIMES // 5),
        ("unawaited", unawaited, TIMES),
    ):
        async def run(n):
            for _ in range(n): await once()
            return used()
        before = await run(times // 2)
        grown = await run(times) - before
        print(what, "balanced" if grown < 2000 else grown, m.live())

for test in endless, thousand, every_await, interrupts:
    print(test.__name__)
    asyncio.run(test())
*/
/* expect
endless
awaits balanced 0
ends balanced 0
fails balanced 0
tasks balanced 0
timeouts balanced 0
cancel balanced 0
unawaited balanced 0
thousand
1000
500
1500 0
every_await
True True False True
interrupts
3
2
*/
