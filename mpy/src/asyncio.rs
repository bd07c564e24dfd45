//! Waiting with Python's `asyncio`, in `async` functions of Rust.
//!
//! ```no_run
//! use core::time::Duration;
//! use mpy::asyncio::{self, Event};
//! use mpy::hal::Pin;
//! use wasm_bindgen::prelude::*;
//!
//! /// Blinks until the event is set.
//! #[wasm_bindgen]
//! pub async fn blink(mut led: Pin, stop: Event) -> Result<(), mpy::Exception> {
//!     use embedded_hal::digital::StatefulOutputPin;
//!     while !stop.is_set()? {
//!         led.toggle()?;
//!         asyncio::sleep(Duration::from_millis(500)).await;
//!     }
//!     Ok(())
//! }
//! ```
//!
//! ```python
//! stop = asyncio.Event()
//! asyncio.create_task(module.blink(led, stop))
//! ```
//!
//! A future runs where Python awaits it, or as a task. If Python cancels that, what the future holds is dropped. A future
//! that awaits an object of Python's and is dropped cancels that.
//!
//! Wakers must be called in the thread of asyncio, and not in an interrupt handler. [`ThreadSafeFlag`] can be set anywhere.

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::cell::RefCell;
use core::fmt;
use core::future::{Future, poll_fn};
use core::task::{Poll, Waker};
use core::time::Duration;

use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use wasm_bindgen_futures::js_sys::Promise;

use crate::builtins::to_bytes;
use crate::object::Object;
use crate::{Result, time};

type Caught<T> = core::result::Result<T, JsValue>;

#[wasm_bindgen(module = "asyncio")]
extern "C" {
    #[wasm_bindgen(js_name = sleep_ms)]
    fn start_sleep(ms: i32) -> JsValue;

    /// `asyncio.Event`: tasks wait until it is set.
    ///
    /// ```no_run
    /// use mpy::asyncio::Event;
    /// use wasm_bindgen::prelude::*;
    ///
    /// /// Waits for a signal, and is ready for the next one.
    /// #[wasm_bindgen]
    /// pub async fn next(signal: Event) -> mpy::Result<()> {
    ///     signal.wait().await?;
    ///     signal.clear()
    /// }
    /// ```
    #[derive(Clone, Debug)]
    pub type Event;
    #[wasm_bindgen(constructor, catch)]
    fn new_event() -> Caught<Event>;
    #[wasm_bindgen(method, catch, js_name = set)]
    fn set_event(this: &Event) -> Caught<()>;
    #[wasm_bindgen(method, catch, js_name = clear)]
    fn clear_event(this: &Event) -> Caught<()>;
    #[wasm_bindgen(method, catch, js_name = is_set)]
    fn event_is_set(this: &Event) -> Caught<bool>;
    #[wasm_bindgen(method, catch, js_name = wait)]
    fn wait_for_event(this: &Event) -> Caught<JsValue>;

    /// `asyncio.ThreadSafeFlag`: one task waits until it is set, which interrupt handlers and other threads can do.
    ///
    /// ```no_run
    /// use mpy::asyncio::ThreadSafeFlag;
    /// use mpy::hal::Pin;
    /// use mpy::interrupt::{Edges, Handler, Kind};
    /// use wasm_bindgen::prelude::*;
    ///
    /// /// Waits until the button is pressed.
    /// #[wasm_bindgen]
    /// pub async fn pressed(button: Pin) -> mpy::Result<()> {
    ///     let flag = ThreadSafeFlag::new()?;
    ///     let pressed = flag.clone();
    ///     let _handler = Handler::on_pin(&button, Edges::Falling, Kind::Hard, move || {
    ///         // There is nobody to tell of an exception.
    ///         let _ = pressed.set();
    ///     })?;
    ///     flag.wait().await
    /// }
    /// ```
    #[derive(Clone, Debug)]
    pub type ThreadSafeFlag;
    #[wasm_bindgen(constructor, catch)]
    fn new_flag() -> Caught<ThreadSafeFlag>;
    #[wasm_bindgen(method, catch, js_name = set)]
    fn set_flag(this: &ThreadSafeFlag) -> Caught<()>;
    #[wasm_bindgen(method, catch, js_name = clear)]
    fn clear_flag(this: &ThreadSafeFlag) -> Caught<()>;
    #[wasm_bindgen(method, catch, js_name = wait)]
    fn wait_for_flag(this: &ThreadSafeFlag) -> Caught<JsValue>;

    /// `asyncio.StreamReader`: a socket, a `machine.UART` or another stream, from which a task reads.
    ///
    /// ```no_run
    /// use mpy::asyncio::StreamReader;
    /// use wasm_bindgen::prelude::*;
    ///
    /// /// A line with the number of bytes that follow it, and these bytes.
    /// #[wasm_bindgen]
    /// pub async fn receive(uart: JsValue) -> Result<Vec<u8>, JsValue> {
    ///     let reader = StreamReader::new(uart)?;
    ///     let line = String::from_utf8_lossy(&reader.read_line().await?).into_owned();
    ///     let count = line.trim().parse().map_err(|_| JsError::new("no number"))?;
    ///     Ok(reader.read_exactly(count).await?)
    /// }
    /// ```
    #[derive(Clone, Debug)]
    pub type StreamReader;
    #[wasm_bindgen(constructor, catch)]
    fn new_reader(stream: &JsValue) -> Caught<StreamReader>;
    #[wasm_bindgen(method, catch, js_name = read)]
    fn start_read(this: &StreamReader, most: i32) -> Caught<JsValue>;
    #[wasm_bindgen(method, catch, js_name = readexactly)]
    fn start_read_exactly(this: &StreamReader, count: u32) -> Caught<JsValue>;
    #[wasm_bindgen(method, catch, js_name = readline)]
    fn start_read_line(this: &StreamReader) -> Caught<JsValue>;

    /// `asyncio.StreamWriter`: a socket, a `machine.UART` or another stream, to which a task writes.
    ///
    /// ```no_run
    /// use mpy::asyncio::StreamWriter;
    /// use wasm_bindgen::prelude::*;
    ///
    /// #[wasm_bindgen]
    /// pub async fn send(socket: JsValue, bytes: Vec<u8>) -> mpy::Result<()> {
    ///     let writer = StreamWriter::new(socket)?;
    ///     writer.write(&bytes).await?;
    ///     writer.close()
    /// }
    /// ```
    #[derive(Clone, Debug)]
    pub type StreamWriter;
    #[wasm_bindgen(constructor, catch)]
    fn new_writer(stream: &JsValue, extra: &JsValue) -> Caught<StreamWriter>;
    #[wasm_bindgen(method, catch, js_name = write)]
    fn put(this: &StreamWriter, bytes: &[u8]) -> Caught<()>;
    #[wasm_bindgen(method, catch, js_name = drain)]
    fn start_drain(this: &StreamWriter) -> Caught<JsValue>;
    #[wasm_bindgen(method, catch, js_name = close)]
    fn close_stream(this: &StreamWriter) -> Caught<()>;
}

/// Awaits an object of Python's: a coroutine, a task, or another awaitable.
///
/// # Errors
/// The exception that it raises.
pub async fn wait(awaitable: impl Into<Object>) -> Result<Object> {
    let object: JsValue = awaitable.into().into();
    Ok(await_object(object).await?.into())
}

async fn await_object(object: JsValue) -> Caught<JsValue> {
    JsFuture::from(Promise::from(object)).await
}

/// Runs a future as a task.
///
/// ```no_run
/// use mpy::asyncio;
/// use wasm_bindgen::prelude::*;
///
/// /// Returns at once, and prints a second later.
/// #[wasm_bindgen]
/// pub fn remind() {
///     asyncio::spawn(async {
///         asyncio::sleep_ms(1000).await;
///         mpy::println!("a second has passed");
///     });
/// }
/// ```
pub fn spawn(future: impl Future<Output = ()> + 'static) {
    wasm_bindgen_futures::spawn_local(future);
}

/// Lets other tasks run for so many milliseconds.
pub async fn sleep_ms(ms: u32) {
    // A larger one would not be a small integer.
    const MOST: u32 = 1 << 29;
    let mut left = ms;
    loop {
        let part = left.min(MOST);
        if let Err(exception) = await_object(start_sleep(part.cast_signed())).await {
            wasm_bindgen::throw_val(exception);
        }
        left -= part;
        if left == 0 {
            return;
        }
    }
}

/// Lets other tasks run for this time. What is less than a millisecond is slept without them.
pub async fn sleep(duration: Duration) {
    let mut ms = duration.as_millis();
    loop {
        let part = ms.min(u128::from(u32::MAX));
        sleep_ms(part as u32).await;
        ms -= part;
        if ms == 0 {
            break;
        }
    }
    let rest = Duration::from_nanos(u64::from(duration.subsec_nanos() % 1_000_000));
    if !rest.is_zero() {
        time::sleep(rest);
    }
}

impl Event {
    /// An event that is not set.
    ///
    /// # Errors
    /// Python's, if there is no memory, as of all methods here.
    pub fn new() -> Result<Event> {
        Ok(Event::new_event()?)
    }

    /// Sets it, which wakes all tasks that wait. Not for interrupt handlers.
    ///
    /// # Errors
    /// Python's.
    pub fn set(&self) -> Result<()> {
        Ok(self.set_event()?)
    }

    /// Unsets it.
    ///
    /// # Errors
    /// Python's.
    pub fn clear(&self) -> Result<()> {
        Ok(self.clear_event()?)
    }

    /// Whether it is set.
    ///
    /// # Errors
    /// Python's.
    pub fn is_set(&self) -> Result<bool> {
        Ok(self.event_is_set()?)
    }

    /// Waits until it is set.
    ///
    /// # Errors
    /// Python's.
    pub async fn wait(&self) -> Result<()> {
        await_object(self.wait_for_event()?).await?;
        Ok(())
    }
}

impl ThreadSafeFlag {
    /// A flag that is not set.
    ///
    /// # Errors
    /// Python's, if there is no memory, as of all methods here.
    pub fn new() -> Result<ThreadSafeFlag> {
        Ok(ThreadSafeFlag::new_flag()?)
    }

    /// Sets it, which wakes the task that waits.
    ///
    /// # Errors
    /// Python's.
    pub fn set(&self) -> Result<()> {
        Ok(self.set_flag()?)
    }

    /// Unsets it.
    ///
    /// # Errors
    /// Python's.
    pub fn clear(&self) -> Result<()> {
        Ok(self.clear_flag()?)
    }

    /// Waits until it is set, and unsets it.
    ///
    /// # Errors
    /// Python's.
    pub async fn wait(&self) -> Result<()> {
        await_object(self.wait_for_flag()?).await?;
        Ok(())
    }
}

impl StreamReader {
    /// Reads from this stream.
    ///
    /// # Errors
    /// Python's, as of all methods here.
    pub fn new(stream: impl Into<Object>) -> Result<StreamReader> {
        Ok(StreamReader::new_reader(&stream.into().into())?)
    }

    /// As many bytes as there are, at most `most`; none at the end of the stream.
    ///
    /// # Errors
    /// Python's.
    pub async fn read(&self, most: u16) -> Result<Vec<u8>> {
        Ok(to_bytes(&await_object(self.start_read(most.into())?).await?)?)
    }

    /// So many bytes.
    ///
    /// # Errors
    /// Python's: `EOFError` at the end of the stream.
    pub async fn read_exactly(&self, count: u32) -> Result<Vec<u8>> {
        Ok(to_bytes(&await_object(self.start_read_exactly(count)?).await?)?)
    }

    /// A line with its end; nothing at the end of the stream.
    ///
    /// # Errors
    /// Python's.
    pub async fn read_line(&self) -> Result<Vec<u8>> {
        Ok(to_bytes(&await_object(self.start_read_line()?).await?)?)
    }
}

impl StreamWriter {
    /// Writes to this stream.
    ///
    /// # Errors
    /// Python's, as of all methods here.
    pub fn new(stream: impl Into<Object>) -> Result<StreamWriter> {
        Ok(StreamWriter::new_writer(&stream.into().into(), &JsValue::NULL)?)
    }

    /// Writes all bytes.
    ///
    /// # Errors
    /// Python's.
    pub async fn write(&self, bytes: &[u8]) -> Result<()> {
        self.put(bytes)?;
        await_object(self.start_drain()?).await?;
        Ok(())
    }

    /// Closes the stream.
    ///
    /// # Errors
    /// Python's.
    pub fn close(&self) -> Result<()> {
        Ok(self.close_stream()?)
    }
}

/// A queue between tasks, of values of Rust. asyncio of MicroPython has none.
///
/// ```no_run
/// use std::rc::Rc;
///
/// use mpy::asyncio::{Queue, spawn};
/// use wasm_bindgen::prelude::*;
///
/// #[wasm_bindgen]
/// pub async fn sum(count: u32) -> u32 {
///     let queue = Rc::new(Queue::new(8));
///     let numbers = Rc::clone(&queue);
///     spawn(async move {
///         for number in 0..count {
///             numbers.put(number).await;
///         }
///     });
///     let mut sum = 0;
///     for _ in 0..count {
///         sum += queue.get().await;
///     }
///     sum
/// }
///
/// // Code that does not wait, such as a callback, puts and gets what is possible at once.
/// let queue = Queue::new(1);
/// assert!(queue.is_empty() && queue.try_put(5).is_ok());
/// assert!(queue.is_full() && queue.try_put(6) == Err(6));
/// assert_eq!((queue.len(), queue.try_get(), queue.try_get()), (1, Some(5), None));
/// ```
pub struct Queue<T> {
    most: usize,
    inner: RefCell<Inner<T>>,
}

struct Inner<T> {
    items: VecDeque<T>,
    waiting: Vec<Waker>,
}

impl<T> Inner<T> {
    fn wait(&mut self, waker: &Waker) {
        if !self.waiting.iter().any(|known| known.will_wake(waker)) {
            self.waiting.push(waker.clone());
        }
    }
}

impl<T> Queue<T> {
    /// A queue of at most so many items.
    pub const fn new(most: usize) -> Queue<T> {
        Queue { most, inner: RefCell::new(Inner { items: VecDeque::new(), waiting: Vec::new() }) }
    }

    /// The number of items.
    pub fn len(&self) -> usize {
        self.inner.borrow().items.len()
    }

    /// Whether there are no items.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether there is no room for another item.
    pub fn is_full(&self) -> bool {
        self.len() >= self.most
    }

    /// What changes the queue wakes all that wait, because those who are woken may have been cancelled.
    fn change<R>(&self, change: impl FnOnce(&mut VecDeque<T>) -> R) -> R {
        let mut inner = self.inner.borrow_mut();
        let result = change(&mut inner.items);
        let waiting = core::mem::take(&mut inner.waiting);
        drop(inner);
        waiting.into_iter().for_each(Waker::wake);
        result
    }

    /// Adds an item, if there is room.
    ///
    /// # Errors
    /// The item, if the queue is full.
    pub fn try_put(&self, item: T) -> core::result::Result<(), T> {
        if self.is_full() {
            return Err(item);
        }
        self.change(|items| items.push_back(item));
        Ok(())
    }

    /// Removes the first item, if there is one.
    pub fn try_get(&self) -> Option<T> {
        if self.is_empty() { None } else { self.change(VecDeque::pop_front) }
    }

    /// Adds an item, when there is room.
    pub async fn put(&self, item: T) {
        let mut item = Some(item);
        poll_fn(|cx| match item.take().map(|item| self.try_put(item)) {
            Some(Err(left)) => {
                item = Some(left);
                self.inner.borrow_mut().wait(cx.waker());
                Poll::Pending
            }
            _ => Poll::Ready(()),
        })
        .await;
    }

    /// Removes the first item, when there is one.
    pub async fn get(&self) -> T {
        poll_fn(|cx| match self.try_get() {
            Some(item) => Poll::Ready(item),
            None => {
                self.inner.borrow_mut().wait(cx.waker());
                Poll::Pending
            }
        })
        .await
    }
}

impl<T> fmt::Debug for Queue<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Queue").field("len", &self.len()).field("most", &self.most).finish()
    }
}

#[cfg(test)]
mod tests {
    use core::pin::pin;
    use core::task::Context;

    use super::*;

    #[test]
    fn a_queue_is_in_order_and_has_an_end() {
        let queue = Queue::new(2);
        let mut cx = Context::from_waker(Waker::noop());
        let mut first = pin!(queue.get());
        assert!(first.as_mut().poll(&mut cx).is_pending());
        assert_eq!((queue.try_put(1), queue.try_put(2), queue.try_put(3)), (Ok(()), Ok(()), Err(3)));
        let mut third = pin!(queue.put(3));
        assert!(third.as_mut().poll(&mut cx).is_pending());
        assert_eq!(first.poll(&mut cx), Poll::Ready(1));
        assert!(third.poll(&mut cx).is_ready());
        assert_eq!((queue.len(), queue.is_full()), (2, true));
        assert_eq!([queue.try_get(), queue.try_get(), queue.try_get()], [Some(2), Some(3), None]);
        assert!(queue.is_empty());
    }
}
