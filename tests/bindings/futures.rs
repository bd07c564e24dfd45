//! boards: all
//! panic: both
//! `async fn` is awaited by asyncio: results, exceptions, cancelling, timeouts, and what is dropped then.

use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Poll, Waker};

use js_sys::Promise;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::{JsFuture, future_to_promise, spawn_local};

#[wasm_bindgen]
extern "C" {
    fn print(text: &str);
    /// `async def double(n)` of the test.
    async fn double(n: u32) -> u32;
    #[wasm_bindgen(catch)]
    async fn fail(text: &str) -> Result<JsValue, JsValue>;
    /// Raises an exception that Rust does not see.
    fn explode();
    type ValueError;
    #[wasm_bindgen(constructor)]
    fn new(text: &str) -> ValueError;
}

#[wasm_bindgen(module = "asyncio")]
extern "C" {
    #[wasm_bindgen(catch)]
    async fn sleep_ms(ms: u32) -> Result<JsValue, JsValue>;
}

async fn wait(awaitable: JsValue) -> Result<JsValue, JsValue> {
    JsFuture::from(Promise::from(awaitable)).await
}

/// Says when it is dropped.
struct Loud(&'static str);

impl Drop for Loud {
    fn drop(&mut self) {
        print(&format!("dropped {}", self.0));
    }
}

#[wasm_bindgen]
pub async fn nothing() {}

#[wasm_bindgen]
pub async fn add(a: u32, b: u32) -> u32 {
    a + b
}

#[wasm_bindgen]
pub async fn half(n: Option<u32>) -> Result<Option<f64>, JsValue> {
    Ok(n.map(|n| f64::from(n) / 2.0))
}

/// Waits for the event, times after times.
#[wasm_bindgen]
pub async fn waits(name: String, event: JsValue, times: u32) -> Result<String, JsValue> {
    let _loud = Loud("waits");
    for _ in 0..times {
        wait(wait_of(&event)).await?;
    }
    Ok(format!("{name} {times}"))
}

fn wait_of(event: &JsValue) -> JsValue {
    #[wasm_bindgen]
    extern "C" {
        type Event;
        #[wasm_bindgen(method)]
        fn wait(this: &Event) -> JsValue;
    }
    event.unchecked_ref::<Event>().wait()
}

#[wasm_bindgen]
pub async fn returns(awaitable: JsValue) -> Result<JsValue, JsValue> {
    wait(awaitable).await
}

/// What it borrows is its own.
#[wasm_bindgen]
pub async fn borrows(text: &str, bytes: &[u8], event: &JsValue) -> String {
    let _ = wait(wait_of(event)).await;
    format!("{text} {bytes:?}")
}

#[wasm_bindgen]
pub async fn imports(n: u32) -> Result<u32, JsValue> {
    sleep_ms(1).await?;
    let four = double(double(n).await).await;
    match fail("caught").await {
        Ok(_) => Ok(0),
        Err(_) => Ok(four),
    }
}

#[wasm_bindgen]
pub async fn errs(kind: u32) -> Result<(), JsValue> {
    match kind {
        0 => Err("a text".into()),
        1 => Err(ValueError::new("a value").into()),
        2 => Err(JsError::new("an error").into()),
        3 => fail("from Python").await.map(drop),
        4 => panic!("a panic"),
        _ => {
            explode();
            Ok(())
        }
    }
}

#[wasm_bindgen]
pub struct Counter {
    count: u32,
}

#[wasm_bindgen]
impl Counter {
    #[wasm_bindgen(constructor)]
    pub fn new(count: u32) -> Counter {
        Counter { count }
    }

    pub async fn read(&self, event: JsValue) -> Result<u32, JsValue> {
        wait(wait_of(&event)).await?;
        Ok(self.count)
    }

    pub async fn count(&mut self, event: JsValue) -> Result<u32, JsValue> {
        self.count += 1;
        wait(wait_of(&event)).await?;
        self.count += 1;
        Ok(self.count)
    }

    pub async fn explode(&mut self, other: &Counter, event: JsValue) -> Result<u32, JsValue> {
        wait(wait_of(&event)).await?;
        explode();
        Ok(self.count + other.count)
    }

    pub async fn into_count(self) -> u32 {
        self.count
    }

    pub async fn made(count: u32) -> Counter {
        Counter { count }
    }

    pub fn set(&mut self, count: u32) {
        self.count = count;
    }

    #[wasm_bindgen(getter)]
    pub async fn later(&self) -> u32 {
        self.count
    }
}

/// Two awaitables in one future: the first that ends, and its place. The other one is cancelled.
#[wasm_bindgen]
pub async fn first(a: JsValue, b: JsValue) -> Result<JsValue, JsValue> {
    let mut futures = [a, b].map(|awaitable| Box::pin(wait(awaitable)));
    poll_fn(|cx| {
        for future in &mut futures {
            if let Poll::Ready(done) = future.as_mut().poll(cx) {
                return Poll::Ready(done);
            }
        }
        Poll::Pending
    })
    .await
}

/// Both, at the same time.
#[wasm_bindgen]
pub async fn both(a: JsValue, b: JsValue) -> Result<Vec<JsValue>, JsValue> {
    let mut futures = [a, b].map(|awaitable| Box::pin(wait(awaitable)));
    let mut done = [None, None];
    poll_fn(|cx| {
        for (future, done) in futures.iter_mut().zip(&mut done) {
            if done.is_none()
                && let Poll::Ready(value) = future.as_mut().poll(cx)
            {
                *done = Some(value);
            }
        }
        if done.iter().all(Option::is_some) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    done.into_iter().flatten().collect()
}

/// Lets other tasks run, as often.
#[wasm_bindgen]
pub async fn yields(times: u32) -> u32 {
    for _ in 0..times {
        let mut first = true;
        poll_fn(|cx| {
            cx.waker().wake_by_ref();
            if std::mem::take(&mut first) { Poll::Pending } else { Poll::Ready(()) }
        })
        .await;
    }
    times
}

thread_local! {
    static VALUE: Cell<Option<u32>> = const { Cell::new(None) };
    static WAITING: RefCell<Vec<Waker>> = const { RefCell::new(Vec::new()) };
}

/// What `send` is given: a channel in Rust.
#[wasm_bindgen]
pub async fn receive() -> u32 {
    let _loud = Loud("receive");
    poll_fn(|cx| match VALUE.take() {
        Some(value) => Poll::Ready(value),
        None => {
            WAITING.with_borrow_mut(|waiting| waiting.push(cx.waker().clone()));
            Poll::Pending
        }
    })
    .await
}

#[wasm_bindgen]
pub fn send(value: u32) {
    VALUE.set(Some(value));
    for waker in WAITING.take() {
        waker.wake();
    }
}

/// A function that is not `async`.
#[wasm_bindgen]
pub fn promise(n: u32) -> Promise {
    future_to_promise(async move { Ok(JsValue::from(n)) })
}

#[wasm_bindgen]
pub fn spawn(event: JsValue) {
    spawn_local(async move {
        let _ = wait(wait_of(&event)).await;
        print("spawned");
    });
}

type Shared = Rc<RefCell<Option<Pin<Box<dyn Future<Output = ()>>>>>>;

/// Drops itself in its own destructor.
#[wasm_bindgen]
pub async fn holds_itself() {
    struct Holds(Shared);
    impl Drop for Holds {
        fn drop(&mut self) {
            drop(self.0.take());
            print("let go");
        }
    }
    let shared = Shared::default();
    let holds = Holds(Rc::clone(&shared));
    *shared.borrow_mut() = Some(Box::pin(async {}));
    poll_fn(|_| Poll::<()>::Pending).await;
    drop(holds);
}

/* dependencies
wasm-bindgen-futures = "0.4"
js-sys = "0.3"
*/
/* python
import asyncio, gc
import futures as m

async def double(n):
    await asyncio.sleep_ms(0)
    return 2 * n

async def fail(text):
    await asyncio.sleep_ms(0)
    raise KeyError(text)

def explode():
    raise OSError(5)

async def value(v, steps=1, name=None):
    try:
        for _ in range(steps): await asyncio.sleep_ms(0)
    except asyncio.CancelledError:
        print("cancelled", name)
        raise
    return v

async def caught(awaitable):
    try:
        return await awaitable
    except asyncio.CancelledError:
        return "CancelledError"
    except Exception as error:
        return "%s: %s" % (type(error).__name__, error)

async def basics():
    print(await m.half(5), await m.half(4), await m.half())
    print(await m.nothing(), await m.add(2, 3), await m.promise(7), await m.yields(3))
    print(await m.returns(value("v")), await m.returns(m.add(1, 1)), await m.imports(3))
    print(await m.returns(asyncio.create_task(value("task"))))
    print(await caught(m.returns(5)))
    for kind in range(6): print(await caught(m.errs(kind)))
    done = m.add(1, 2)
    print(await done, await done)
    print([x for x in m.add(1, 2)], hasattr(done, "send"))

async def events():
    a, b = asyncio.Event(), asyncio.Event()
    t = asyncio.create_task(m.waits("t", a, 3))
    text, data = "te" + "xt", bytearray(b"\1\2")
    u = asyncio.create_task(m.borrows(text, data, b))
    await asyncio.sleep_ms(0)
    data[0] = 9
    a.set(); b.set()
    print(await asyncio.gather(t, u, value(1)))

async def gathered():
    print(await asyncio.gather(m.add(1, 2), m.errs(1), m.errs(3), value(4), return_exceptions=True))
    print(await caught(asyncio.gather(m.add(1, 2), m.errs(1))))

async def cancelled():
    never = asyncio.Event()
    for awaitable in m.waits("c", never, 1), m.receive(), m.returns(value(1, 9, "inner")), m.holds_itself():
        t = asyncio.create_task(awaitable)
        await asyncio.sleep_ms(0)
        t.cancel()
        print(await caught(t), t.done())
    # Before it has begun, and after its end.
    t = asyncio.create_task(m.waits("c", never, 1))
    t.cancel()
    print(await caught(t))
    t = asyncio.create_task(m.add(1, 2))
    print(await t, t.cancel())
    try: print(await asyncio.wait_for(m.waits("late", never, 1), 0.01))
    except asyncio.TimeoutError: print("TimeoutError")
    print(await asyncio.wait_for(m.returns(value("in time", 3)), 5))
    print(await caught(asyncio.wait_for(m.errs(3), 5)))
    # Those that are not awaited.
    closed = m.waits("closed", never, 1)
    closed.close()
    print(await closed)
    m.nothing()

async def several():
    never = asyncio.Event()
    print(await m.first(value("slow", 9, "slow"), value("fast", 1, "fast")))
    await asyncio.sleep_ms(1)
    print(await m.both(value("a", 5), value("b", 2)), await m.both(m.add(1, 2), value(4)))
    print(await caught(m.both(value("a", 5), fail("second"))))
    r = [asyncio.create_task(m.receive()), asyncio.create_task(value("x", 4))]
    await asyncio.sleep_ms(0)
    m.send(8)
    print(await asyncio.gather(*r))
    event = asyncio.Event()
    m.spawn(event)
    await asyncio.sleep_ms(0)
    event.set()
    await asyncio.sleep_ms(0)
    await asyncio.sleep_ms(0)
    await asyncio.sleep_ms(0)

async def objects():
    event = asyncio.Event()
    c, d = m.Counter(1), m.Counter(5)
    readers = [asyncio.create_task(c.read(event)) for _ in range(2)]
    await asyncio.sleep_ms(0)
    print(await caught(c.count(event)))
    event.set()
    print(await asyncio.gather(*readers), await c.count(event), await c.later)
    # While it waits, it is borrowed; it is not, however it ends.
    event.clear()
    for end in "cancel", "exception", "drop":
        t = asyncio.create_task(c.explode(d, event)) if end != "drop" else c.explode(d, event)
        await asyncio.sleep_ms(0)
        for write in (lambda: c.set(7)), (lambda: d.set(7)):
            try: write(); print("written")
            except RuntimeError as error: print("borrowed")
        if end == "cancel": t.cancel(); print(await caught(t))
        elif end == "exception": event.set(); print(await caught(t))
        else: t.close()
        c.set(2); d.set(3)
    print(await c.into_count(), (await m.Counter.made(6)).set(4))
    try: c.set(1)
    except ValueError as error: print(error)
    d.free()

for test in basics, events, gathered, cancelled, several, objects:
    print(test.__name__)
    asyncio.run(test())
*/
/* expect
basics
2.5 2.0 None
None 5 7 3
v 2 12
task
TypeError: 'int' object isn't iterable
RuntimeError: a text
ValueError: a value
RuntimeError: an error
KeyError: from Python
RuntimeError: a panic, src/lib.rs:110
OSError: [Errno 5] EIO
3 None
[] True
events
dropped waits
['t 3', 'text [1, 2]', 1]
gathered
[3, ValueError('a value',), KeyError('from Python',), 4]
ValueError: a value
cancelled
dropped waits
CancelledError True
dropped receive
CancelledError True
cancelled inner
CancelledError True
let go
CancelledError True
CancelledError
3 False
dropped waits
TimeoutError
in time
KeyError: from Python
None
several
fast
cancelled slow
['a', 'b'] [3, 4]
KeyError: second
dropped receive
[8, 'x']
spawned
objects
RuntimeError: recursive use of an object detected which would lead to unsafe aliasing in rust
[1, 1] 3 3
borrowed
borrowed
CancelledError
borrowed
borrowed
OSError: [Errno 5] EIO
borrowed
borrowed
2 None
object was freed or given away
*/
