//! The crate `wasm-bindgen-futures`, of which this file takes the place: Rust's futures are awaitables of Python's asyncio,
//! and Python's awaitables are futures. The Python side is `mpy_futures.h`.
//!
//! A `Promise` is any awaitable. As Python's coroutines, it runs only while it is awaited, and is cancelled if the future
//! that awaits it is dropped.
#![no_std]
#![allow(improper_ctypes, improper_ctypes_definitions)]

extern crate alloc;

use alloc::alloc::{Layout, dealloc};
use alloc::boxed::Box;
use alloc::rc::Rc;
use core::any::TypeId;
use core::cell::{Cell, UnsafeCell};
use core::fmt;
use core::future::Future;
use core::marker::PhantomData;
use core::mem::{self, ManuallyDrop};
use core::pin::Pin;
use core::task::{Context, Poll, RawWaker, RawWakerVTable, Waker};

use js_sys::Promise;
use wasm_bindgen::convert::{FromWasmAbi, IntoWasmAbi};
use wasm_bindgen::{JsCast, JsValue};

pub use js_sys;
#[cfg(feature = "futures-core-03-stream")]
pub use js_sys::futures::stream;
pub use wasm_bindgen;

#[link(wasm_import_module = "mpy")]
unsafe extern "C-unwind" {
    fn new_future(future: *const Task) -> u32;
    fn spawn_future(future: *const Task);
    safe fn wake_future(number: u32);
    fn start_await(awaitable: u32, awaited: *const Awaited) -> u32;
    safe fn cancel_await(task: u32);
}

type Outcome = Result<JsValue, JsValue>;

#[derive(Clone, Copy, PartialEq)]
enum State {
    /// Nobody has polled it, or it is ready to be polled again.
    Ready,
    Polled,
    /// It was woken while it was polled.
    Woken,
    /// It waits for its waker.
    Waits,
}

/// A future of Python's, and what its wakers refer to.
struct Task {
    state: Cell<State>,
    /// The number of the object in Python.
    number: Cell<u32>,
    /// `None` once it has ended.
    future: UnsafeCell<Option<Pin<Box<dyn Future<Output = Outcome>>>>>,
}

impl Task {
    fn new(future: impl Future<Output = Outcome> + 'static) -> *const Task {
        let future = UnsafeCell::new(Some(Box::pin(future) as _));
        Rc::into_raw(Rc::new(Task { state: Cell::new(State::Ready), number: Cell::new(0), future }))
    }

    fn take(&self) -> Option<Pin<Box<dyn Future<Output = Outcome>>>> {
        self.state.set(State::Ready);
        // SAFETY: nobody refers to it, because only `poll` does, and Python polls no future that is polled or has ended.
        unsafe { (*self.future.get()).take() }
    }

    fn wake(&self) {
        match self.state.get() {
            State::Waits => {
                self.state.set(State::Ready);
                wake_future(self.number.get());
            }
            State::Polled => self.state.set(State::Woken),
            State::Ready | State::Woken => {}
        }
    }
}

/// A future ends if this is dropped, which is also what a panic does.
struct Owned(Rc<Task>);

impl Drop for Owned {
    fn drop(&mut self) {
        drop(self.0.take());
    }
}

const WAKER: RawWakerVTable = RawWakerVTable::new(
    // SAFETY: the pointer of a waker is one of `Rc::into_raw`, as those of all functions here.
    |task| unsafe {
        Rc::increment_strong_count(task.cast::<Task>());
        raw_waker(task.cast())
    },
    |task| unsafe { Rc::from_raw(task.cast::<Task>()) }.wake(),
    |task| unsafe { &*task.cast::<Task>() }.wake(),
    |task| drop(unsafe { Rc::from_raw(task.cast::<Task>()) }),
);

const fn raw_waker(task: *const Task) -> RawWaker {
    RawWaker::new(task.cast(), &WAKER)
}

/// Polls a future of Python's: 0 if it waits, 1 if it was woken meanwhile, or else twice the object that it returns, and 1
/// more if that is an error.
///
/// # Safety
/// The future is one of `Task::new` that has not ended. If this returns more than 1, it has ended.
#[unsafe(export_name = "mpy:poll_future")]
unsafe extern "C-unwind" fn poll(task: *const Task, number: u32) -> u32 {
    // SAFETY: as the caller promises.
    let owned = Owned(unsafe { Rc::from_raw(task) });
    let state = &owned.0.state;
    owned.0.number.set(number);
    state.set(State::Polled);
    // SAFETY: the waker does not drop the pointer, which outlives it.
    let waker = ManuallyDrop::new(unsafe { Waker::from_raw(raw_waker(task)) });
    // SAFETY: nobody else refers to the future while it is polled.
    let future = unsafe { &mut *owned.0.future.get() };
    let Some(future) = future else { return 1 };
    match future.as_mut().poll(&mut Context::from_waker(&waker)) {
        Poll::Pending => {
            let woken = state.get() == State::Woken;
            state.set(if woken { State::Ready } else { State::Waits });
            mem::forget(owned);
            woken.into()
        }
        Poll::Ready(Ok(value)) => value.into_abi() << 1,
        Poll::Ready(Err(error)) => error.into_abi() << 1 | 1,
    }
}

/// Ends a future.
///
/// # Safety
/// The future is one of `Task::new` that has not ended.
#[unsafe(export_name = "mpy:drop_future")]
unsafe extern "C-unwind" fn drop_future(task: *const Task) {
    // SAFETY: as the caller promises.
    drop(Owned(unsafe { Rc::from_raw(task) }));
}

/// Frees a future that was polled when an exception ended that, as if its frame were one of the stack: what it holds is
/// forgotten.
///
/// # Safety
/// The future is one of `Task::new` that has not ended.
#[unsafe(export_name = "mpy:abandon_future")]
unsafe extern "C-unwind" fn abandon_future(task: *const Task) {
    // SAFETY: as the caller promises.
    let task = unsafe { Rc::from_raw(task) };
    if let Some(future) = task.take() {
        // SAFETY: the future is moved nowhere, and its memory is that of a box.
        unsafe {
            let future = Box::into_raw(Pin::into_inner_unchecked(future));
            let layout = Layout::for_value(&*future);
            if layout.size() > 0 {
                dealloc(future.cast(), layout);
            }
        }
    }
}

/// A future as an awaitable of Python's. It runs while it is awaited, or as a task.
pub fn future_to_promise<F>(future: F) -> Promise
where
    F: Future<Output = Result<JsValue, JsValue>> + 'static,
{
    // SAFETY: Python gets the future, and returns an object.
    unsafe { JsValue::from_abi(new_future(Task::new(future))) }.unchecked_into()
}

/// The same with a result of another type.
pub fn future_to_promise_typed<T, F>(future: F) -> Promise<<T as wasm_bindgen::sys::Promising>::Resolution>
where
    F: Future<Output = Result<T, JsValue>> + 'static,
    T: wasm_bindgen::sys::Promising + FromWasmAbi + wasm_bindgen::JsGeneric + Into<JsValue>,
{
    let promise: JsValue = future_to_promise(async move { future.await.map(Into::into) }).into();
    promise.unchecked_into()
}

/// Runs a future as a task of asyncio.
pub fn spawn_local<F>(future: F)
where
    F: Future<Output = ()> + 'static,
{
    let future = async move {
        future.await;
        Ok(JsValue::UNDEFINED)
    };
    // SAFETY: Python gets the future.
    unsafe { spawn_future(Task::new(future)) };
}

/// An awaitable that is awaited.
struct Awaited {
    /// The handle of the awaitable before it runs, of its task while it does, and then 0.
    object: Cell<u32>,
    runs: Cell<bool>,
    waker: Cell<Option<Waker>>,
    outcome: Cell<Option<Outcome>>,
}

/// Tells of the end of an awaitable.
///
/// # Safety
/// The pointer is one that `start_await` was given, and is not used again.
#[unsafe(export_name = "mpy:end_await")]
unsafe extern "C-unwind" fn end_await(awaited: *const Awaited, object: u32, failed: u32) {
    // SAFETY: as the caller promises.
    let (awaited, object) = unsafe { (Rc::from_raw(awaited), JsValue::from_abi(object)) };
    // There was none before.
    mem::forget(awaited.outcome.replace(Some(if failed == 0 { Ok(object) } else { Err(object) })));
    if let Some(waker) = awaited.waker.take() {
        waker.wake();
    }
}

/// Tells that an awaitable will not end.
///
/// # Safety
/// As of `end_await`.
#[unsafe(export_name = "mpy:drop_await")]
unsafe extern "C-unwind" fn drop_await(awaited: *const Awaited) {
    // SAFETY: as the caller promises.
    drop(unsafe { Rc::from_raw(awaited) });
}

// These two are not generic, and not inlined, so that there is one of them.
#[inline(never)]
fn new_awaited(object: JsValue) -> Rc<Awaited> {
    let object = Cell::new(object.into_abi());
    Rc::new(Awaited { object, runs: Cell::new(false), waker: Cell::new(None), outcome: Cell::new(None) })
}

#[inline(never)]
fn poll_awaited(awaited: &Rc<Awaited>, cx: &mut Context<'_>) -> Option<Outcome> {
    if !awaited.runs.replace(true) {
        // SAFETY: Python gets the object and a reference.
        let task = unsafe { start_await(awaited.object.take(), Rc::into_raw(Rc::clone(awaited))) };
        awaited.object.set(task);
    }
    let outcome = awaited.outcome.take();
    if outcome.is_some() {
        drop_handle(awaited);
    } else {
        awaited.waker.set(Some(cx.waker().clone()));
    }
    outcome
}

fn drop_handle(awaited: &Awaited) {
    let object = awaited.object.take();
    if object != 0 {
        // SAFETY: it is a handle.
        drop(unsafe { JsValue::from_abi(object) });
    }
}

/// An awaitable of Python's as a future: what it returns, or the exception that it raises.
pub struct JsFuture<T = JsValue, E = JsValue> {
    awaited: Rc<Awaited>,
    types: PhantomData<fn() -> (T, E)>,
}

impl<T, E> Drop for JsFuture<T, E> {
    fn drop(&mut self) {
        stop_awaiting(&self.awaited);
    }
}

#[inline(never)]
fn stop_awaiting(awaited: &Awaited) {
    if awaited.runs.get() && awaited.outcome.take().is_none() && awaited.object.get() != 0 {
        cancel_await(awaited.object.take());
    } else {
        drop_handle(awaited);
    }
}

impl<T, E> fmt::Debug for JsFuture<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JsFuture { ... }")
    }
}

impl<T, E> From<Promise<T, E>> for JsFuture<T, E>
where
    T: FromWasmAbi + 'static,
    E: FromWasmAbi + 'static,
{
    fn from(promise: Promise<T, E>) -> JsFuture<T, E> {
        JsFuture { awaited: new_awaited(promise.unchecked_into()), types: PhantomData }
    }
}

fn converted<T: FromWasmAbi + 'static>(value: JsValue) -> T {
    if TypeId::of::<T>() == TypeId::of::<JsValue>() {
        // SAFETY: the types are the same.
        return unsafe { mem::transmute_copy(&ManuallyDrop::new(value)) };
    }
    wasm_bindgen::__rt::wbg_cast(value)
}

impl<T, E> Future for JsFuture<T, E>
where
    T: FromWasmAbi + 'static,
    E: FromWasmAbi + 'static,
{
    type Output = Result<T, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<T, E>> {
        match poll_awaited(&self.awaited, cx) {
            None => Poll::Pending,
            Some(Ok(value)) => Poll::Ready(Ok(converted(value))),
            Some(Err(error)) => Poll::Ready(Err(converted(error))),
        }
    }
}
