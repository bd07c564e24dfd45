//! nightly: all
//! Promises of js-sys are awaitables of asyncio, and js-sys's own futures work with them.

use js_sys::futures::{JsFuture, future_to_promise, spawn_local};
use js_sys::{Array, Function, Promise, PromiseState};
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    fn print(text: &str);
    fn queueMicrotask(function: &Closure<dyn FnMut()>);
}

fn is(value: Result<JsValue, JsValue>) -> String {
    match value {
        Ok(value) => format!("{value:?}"),
        Err(error) => format!("error {error:?}"),
    }
}

/// An awaitable of Python's, by js-sys alone.
#[wasm_bindgen]
pub async fn awaits(awaitable: JsValue) -> String {
    is(awaitable.unchecked_into::<Promise>().await)
}

#[wasm_bindgen]
pub async fn settled() -> Vec<String> {
    let number = JsValue::from(5);
    let resolved: Promise = Promise::resolve(&number).unchecked_into();
    let nested: Promise = Promise::resolve(&resolved).unchecked_into();
    let rejected = Promise::reject(&"no".into());
    let again = resolved.clone();
    vec![is(resolved.await), is(again.await), is(nested.await), is(rejected.await)]
}

#[wasm_bindgen]
pub async fn made() -> Vec<String> {
    let resolved = Promise::new(&mut |resolve, reject| {
        resolve.call1(&JsValue::NULL, &1.into()).unwrap();
        reject.call1(&JsValue::NULL, &2.into()).unwrap();
    });
    let rejected = Promise::new(&mut |_, reject| {
        reject.call1(&JsValue::NULL, &JsError::new("rejected").into()).unwrap();
    });
    let mut later: Option<Function> = None;
    let waits = Promise::new(&mut |resolve, _| later = Some(resolve));
    spawn_local(async move {
        later.unwrap().call1(&JsValue::NULL, &"later".into()).unwrap();
    });
    let resolvers = Promise::with_resolvers::<JsValue, JsValue>();
    let promise = resolvers.promise();
    resolvers.resolve().unchecked_into::<Function>().call1(&JsValue::NULL, &"resolved".into()).unwrap();
    vec![is(resolved.await), is(rejected.await), is(waits.await), is(promise.await)]
}

#[wasm_bindgen]
pub async fn chained(awaitable: JsValue) -> String {
    let promise: Promise = awaitable.unchecked_into();
    let then = Closure::new(|value: JsValue| print(&format!("then {value:?}")));
    let catch = Closure::new(|error: JsValue| print(&format!("catch {error:?}")));
    let finally = Closure::new(|| print("finally"));
    let both = Closure::new(|value: JsValue| print(&format!("then2 {value:?}")));
    let _ = promise.then2(&both, &catch).await;
    let chain = promise.then(&then).finally(&finally).catch(&catch);
    is(chain.await)
}

#[wasm_bindgen]
pub async fn joined(a: JsValue, b: JsValue, c: JsValue) -> Vec<String> {
    let three = Array::of3(&a, &b, &c);
    let states = Array::from(&Promise::all_settled(&three).await.unwrap());
    let states = states.iter().map(|state| {
        let state: PromiseState = state.unchecked_into();
        is(if state.get_status() == "fulfilled" { Ok(state.get_value().unwrap()) } else { Err(state.get_reason().unwrap()) })
    });
    let mut all: Vec<String> = states.collect();
    all.push(is(Promise::all(&Array::of2(&a, &b)).await));
    all.push(is(Promise::all(&three).await));
    all
}

#[wasm_bindgen]
pub async fn first(a: JsValue, b: JsValue) -> String {
    is(Promise::race(&Array::of2(&a, &b)).await)
}

/// Futures of Rust as promises.
#[wasm_bindgen]
pub fn promise(succeeds: bool) -> Promise {
    future_to_promise(async move { if succeeds { Ok(1.into()) } else { Err("failed".into()) } })
}

/// A promise that is dropped before it ends.
#[wasm_bindgen]
pub async fn dropped(awaitable: JsValue) -> bool {
    drop(JsFuture::from(awaitable.unchecked_into::<Promise>()));
    true
}

#[wasm_bindgen]
pub fn queue() {
    let closure = Closure::once(|| print("a microtask"));
    queueMicrotask(&closure);
    closure.forget();
}

/* dependencies
js-sys = "0.3"
wasm-bindgen-futures = "0.4"
*/
/* python
import asyncio, gc
import promises as m

async def value(v, ms=0):
    await asyncio.sleep_ms(ms)
    return v

async def fail(text):
    await asyncio.sleep_ms(0)
    raise ValueError(text)

async def main():
    print(await m.awaits(value("a")), await m.awaits(fail("b")), await m.awaits(m.promise(True)))
    task = asyncio.create_task(value("task", 1000))
    waits = asyncio.create_task(m.awaits(task))
    await asyncio.sleep_ms(1)
    task.cancel()
    print(await waits)
    print(await m.settled())
    print(await m.made())
    for awaitable in value(3), fail("x"):
        print(await m.chained(asyncio.create_task(awaitable)))
    print(await m.joined(asyncio.create_task(value(1, 5)), 2, asyncio.create_task(fail("third"))))
    print(await m.first(value("slow", 20), value("fast")), await m.first(value("slow", 20), fail("fast")))
    print(await m.promise(True))
    try: await m.promise(False)
    except RuntimeError as e: print(repr(e))
    print(await m.dropped(value(1)))
    m.queue()
    await asyncio.sleep_ms(30)

async def many(n):
    for i in range(n):
        await m.awaits(value(i))
        await m.made()
    gc.collect()
    return gc.mem_alloc()

asyncio.run(main())
before = asyncio.run(many(10))
print(asyncio.run(many(40)) - before < 3000)
*/
/* expect
JsValue('a') error JsValue(ValueError('b',)) JsValue(1)
error JsValue(CancelledError())
['JsValue(5)', 'JsValue(5)', 'JsValue(5)', "error JsValue(RuntimeError('no',))"]
['JsValue(1)', "error JsValue(RuntimeError('rejected',))", "JsValue('later')", "JsValue('resolved')"]
then2 JsValue(3)
then JsValue(3)
finally
JsValue(None)
catch JsValue(ValueError('x',))
finally
catch JsValue(ValueError('x',))
JsValue(None)
['JsValue(1)', 'JsValue(2)', "error JsValue(ValueError('third',))", 'JsValue([1, 2])', "error JsValue(ValueError('third',))"]
JsValue('fast') error JsValue(ValueError('fast',))
1
RuntimeError('failed',)
True
a microtask
True
*/
