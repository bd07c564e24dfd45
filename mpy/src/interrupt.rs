//! Ctrl-C in long computations, and Rust functions as handlers of interrupts.
//!
//! ```no_run
//! use mpy::hal::Adc;
//! use mpy::interrupt::{Handler, Kind, Ring};
//! use wasm_bindgen::prelude::*;
//!
//! /// From the handler to everyone else.
//! static SAMPLES: Ring<u16, 256> = Ring::new(0);
//!
//! /// Samples a thousand times per second while it exists.
//! #[wasm_bindgen]
//! pub struct Sampler(Handler);
//!
//! #[wasm_bindgen]
//! impl Sampler {
//!     #[wasm_bindgen(constructor)]
//!     pub fn new(mut adc: Adc, timer: JsValue) -> mpy::Result<Sampler> {
//!         let mut samples = SAMPLES.producer().ok_or_else(|| mpy::Exception::new("RuntimeError", &["in use".into()]))?;
//!         let handler = Handler::on_timer(timer, 1000, Kind::Hard, move || {
//!             if let Ok(sample) = adc.read_u16() {
//!                 samples.push(sample);
//!             }
//!         })?;
//!         Ok(Sampler(handler))
//!     }
//! }
//! ```
//!
//! A hard handler runs in the interrupt, between any two instructions of the program. It must be short, and cannot allocate
//! memory: MicroPython's heap is locked, and Rust's may be in the middle of a change. `Box`, a `Vec` that grows, `format!`, and
//! floats that are passed to Python raise `MemoryError` there. Integers below 2^30, methods of `machine`, atomics, what the
//! closure owns and a [`Ring`] are good. A soft handler runs between instructions of Python, where everything is allowed. It
//! waits while Rust computes, until [`check`] or a loop of an interruptible crate lets it run.
//!
//! An exception or a panic of a handler does not reach the program: MicroPython prints it, and most ports do not call the
//! handler again.

use core::cell::UnsafeCell;
use core::fmt;
use core::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use wasm_bindgen::prelude::*;

use crate::Result;
use crate::object::Object;

crate::import::import! {
    "mpy":
    fn check_interrupt();
}

#[cfg(target_arch = "wasm32")]
crate::import::import! {
    "mpy":
    fn barrier();
}

/// Lets MicroPython do what waits for it: Ctrl-C ends the call by a `KeyboardInterrupt`, and functions that were given to
/// `micropython.schedule` run.
///
/// MicroPython does this between instructions of Python, but not in native code. A loop that takes long should call
/// this every few milliseconds, if the crate is not built with the setting `interruptible`. It calls a Python function, which
/// takes some microseconds.
///
/// The exception does not return here. In a crate with `panic = "unwind"` it runs destructors, and otherwise it does not.
///
/// ```no_run
/// use wasm_bindgen::prelude::*;
///
/// #[wasm_bindgen]
/// pub fn search(limit: u32) -> Option<u32> {
///     (0..limit).find(|candidate| {
///         if candidate % 1024 == 0 {
///             mpy::interrupt::check();
///         }
///         candidate.wrapping_mul(2_654_435_761) == 12345
///     })
/// }
/// ```
pub fn check() {
    // SAFETY: it has no conditions.
    unsafe { check_interrupt() };
}

/// Memory is read and written before this as the code before it says. Atomics of `core` are not enough for what a handler of
/// an interrupt shares with the rest of a program: the C compiler that compiles the module takes them for usual variables.
///
/// ```no_run
/// use core::sync::atomic::{AtomicBool, Ordering};
///
/// static DONE: AtomicBool = AtomicBool::new(false);
///
/// fn wait() {
///     while !DONE.load(Ordering::Relaxed) {
///         mpy::interrupt::fence();
///     }
/// }
/// ```
pub fn fence() {
    #[cfg(target_arch = "wasm32")]
    // SAFETY: it has no conditions.
    unsafe {
        barrier();
    };
    #[cfg(not(target_arch = "wasm32"))]
    core::sync::atomic::compiler_fence(Ordering::SeqCst);
}

#[wasm_bindgen(module = "time")]
extern "C" {
    #[wasm_bindgen(catch)]
    fn sleep_ms(ms: u32) -> core::result::Result<(), JsValue>;
}

/// How a handler is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// In the interrupt.
    Hard,
    /// By MicroPython's scheduler.
    Soft,
}

/// Changes of a pin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edges {
    /// From low to high.
    Rising,
    /// From high to low.
    Falling,
    /// Both.
    Both,
}

/// A Rust function that interrupts call, until this is dropped.
///
/// ```no_run
/// use mpy::hal::Pin;
/// use mpy::interrupt::{Edges, Handler, Kind};
///
/// fn count(pin: Pin) -> mpy::Result<Handler> {
///     let mut count = 0_u32;
///     Handler::on_pin(pin, Edges::Rising, Kind::Hard, move || count += 1)
/// }
/// ```
pub struct Handler {
    /// Until this is dropped.
    closure: Option<Closure<dyn FnMut()>>,
    source: Object,
    is_timer: bool,
    kind: Kind,
}

impl Handler {
    fn new(
        source: impl Into<JsValue>,
        is_timer: bool,
        kind: Kind,
        handler: impl FnMut() + 'static,
    ) -> Handler {
        Handler { closure: Some(Closure::new(handler)), source: source.into().into(), is_timer, kind }
    }

    fn start(self, method: &str, argument: &str, others: &[(&str, Object)]) -> Result<Handler> {
        let mut keywords = alloc::vec![(argument, self.callable())];
        keywords.extend(others.iter().map(|(name, value)| (*name, value.clone())));
        if self.kind == Kind::Hard {
            // Ports without hard handlers may lack the parameter.
            keywords.push(("hard", true.into()));
        }
        self.source.attr(method)?.call_with(&[], &keywords)?;
        Ok(self)
    }

    /// `pin.irq(handler=…, trigger=…)` of a `machine.Pin`.
    ///
    /// # Errors
    /// Python's, as of all functions here.
    pub fn on_pin(
        pin: impl Into<JsValue>,
        edges: Edges,
        kind: Kind,
        handler: impl FnMut() + 'static,
    ) -> Result<Handler> {
        let handler = Handler::new(pin, false, kind, handler);
        let edge = |name: &str| i32::try_from(&handler.source.attr(name)?);
        let trigger = match edges {
            Edges::Rising => edge("IRQ_RISING")?,
            Edges::Falling => edge("IRQ_FALLING")?,
            Edges::Both => edge("IRQ_RISING")? | edge("IRQ_FALLING")?,
        };
        handler.start("irq", "handler", &[("trigger", trigger.into())])
    }

    /// `timer.init(freq=…, callback=…)` of a `machine.Timer`: so many times per second.
    ///
    /// # Errors
    /// Python's.
    pub fn on_timer(
        timer: impl Into<JsValue>,
        hz: u32,
        kind: Kind,
        handler: impl FnMut() + 'static,
    ) -> Result<Handler> {
        Handler::new(timer, true, kind, handler).start("init", "callback", &[("freq", hz.into())])
    }

    /// `source.irq(handler=…, …)` of any object, such as a `machine.UART`.
    ///
    /// ```no_run
    /// use mpy::interrupt::{Handler, Kind};
    /// use mpy::object::Object;
    ///
    /// /// Prints when bytes have come.
    /// fn watch(uart: Object) -> mpy::Result<Handler> {
    ///     let trigger = uart.attr("IRQ_RXIDLE")?;
    ///     Handler::on(uart, &[("trigger", trigger)], Kind::Soft, || mpy::println!("bytes"))
    /// }
    /// ```
    ///
    /// # Errors
    /// Python's.
    pub fn on(
        source: impl Into<JsValue>,
        keywords: &[(&str, Object)],
        kind: Kind,
        handler: impl FnMut() + 'static,
    ) -> Result<Handler> {
        Handler::new(source, false, kind, handler).start("irq", "handler", keywords)
    }

    /// The function as an object of Python's, which can be called with any arguments.
    ///
    /// ```no_run
    /// use mpy::interrupt::Handler;
    ///
    /// /// Calls the function once more, as the interrupt would.
    /// fn again(handler: &Handler) -> mpy::Result<()> {
    ///     handler.callable().call(&[]).map(drop)
    /// }
    /// ```
    pub fn callable(&self) -> Object {
        self.closure.as_ref().map_or_else(Object::none, |closure| closure.as_ref().clone().into())
    }
}

impl Drop for Handler {
    fn drop(&mut self) {
        // There is nobody to tell of an exception.
        let _ = if self.is_timer {
            self.source.call_method("deinit", &[])
        } else {
            self.source.attr("irq").and_then(|irq| irq.call_with(&[], &[("handler", Object::none())]))
        };
        // Calls that wait for the scheduler come now, and none later.
        let ended = if self.kind == Kind::Soft { sleep_ms(1) } else { Ok(()) };
        self.closure = None;
        if let Err(exception) = ended {
            wasm_bindgen::throw_val(exception);
        }
    }
}

impl fmt::Debug for Handler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handler").field("source", &self.source).finish()
    }
}

/// A queue of up to `N` values, from a handler of interrupts to the rest of a program or back, which disables no interrupts.
/// `N` is a power of two.
///
/// ```
/// use mpy::interrupt::Ring;
///
/// static RING: Ring<u16, 4> = Ring::new(0);
///
/// let mut producer = RING.producer().unwrap();
/// let mut consumer = RING.consumer().unwrap();
/// assert!(producer.push(1) && producer.push(2));
/// assert_eq!((consumer.len(), consumer.pop(), consumer.pop(), consumer.pop()), (2, Some(1), Some(2), None));
/// assert!(RING.producer().is_none());
/// ```
pub struct Ring<T, const N: usize> {
    items: UnsafeCell<[T; N]>,
    /// How many values were put, and how many taken.
    put: AtomicU32,
    taken: AtomicU32,
    has_producer: AtomicBool,
    has_consumer: AtomicBool,
}

// SAFETY: the only producer writes items that the only consumer does not read, as the counts say.
unsafe impl<T: Send, const N: usize> Sync for Ring<T, N> {}

impl<T: Copy, const N: usize> Ring<T, N> {
    /// An empty queue. `fill` is a value of the type.
    pub const fn new(fill: T) -> Ring<T, N> {
        assert!(N.is_power_of_two(), "N is a power of two");
        Ring {
            items: UnsafeCell::new([fill; N]),
            put: AtomicU32::new(0),
            taken: AtomicU32::new(0),
            has_producer: AtomicBool::new(false),
            has_consumer: AtomicBool::new(false),
        }
    }

    /// The side that puts values; `None` while there is one.
    pub fn producer(&self) -> Option<Producer<'_, T, N>> {
        (!self.has_producer.swap(true, Ordering::Relaxed)).then_some(Producer(self))
    }

    /// The side that takes values; `None` while there is one.
    pub fn consumer(&self) -> Option<Consumer<'_, T, N>> {
        (!self.has_consumer.swap(true, Ordering::Relaxed)).then_some(Consumer(self))
    }

    fn len(&self) -> usize {
        let (put, taken) = (self.put.load(Ordering::Acquire), self.taken.load(Ordering::Acquire));
        put.wrapping_sub(taken) as usize
    }

    /// The address of the item with this number.
    fn item(&self, number: u32) -> *mut T {
        // `N` is a power of two, so numbers may begin anew.
        self.items.get().cast::<T>().wrapping_add(number as usize % N)
    }
}

impl<T, const N: usize> fmt::Debug for Ring<T, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ring").finish_non_exhaustive()
    }
}

/// The side of a [`Ring`] that puts values.
///
/// ```
/// use mpy::interrupt::{Producer, Ring};
///
/// /// Puts what fits, and returns how many values that are.
/// fn fill(producer: &mut Producer<'_, u8, 4>, values: &[u8]) -> usize {
///     let mut values = values.iter();
///     let mut count = 0;
///     while !producer.is_full() && values.next().is_some_and(|value| producer.push(*value)) {
///         count += 1;
///     }
///     count
/// }
///
/// let ring = Ring::new(0);
/// assert_eq!(fill(&mut ring.producer().unwrap(), &[1, 2, 3, 4, 5]), 4);
/// ```
#[derive(Debug)]
pub struct Producer<'a, T, const N: usize>(&'a Ring<T, N>);

impl<T: Copy, const N: usize> Producer<'_, T, N> {
    /// Puts a value; returns false if there is no room.
    pub fn push(&mut self, item: T) -> bool {
        if self.0.len() == N {
            return false;
        }
        let put = self.0.put.load(Ordering::Relaxed);
        // SAFETY: the consumer reads it when the count says so.
        unsafe { self.0.item(put).write(item) };
        fence();
        self.0.put.store(put.wrapping_add(1), Ordering::Release);
        true
    }

    /// Whether there is no room.
    pub fn is_full(&self) -> bool {
        self.0.len() == N
    }
}

impl<T, const N: usize> Drop for Producer<'_, T, N> {
    fn drop(&mut self) {
        self.0.has_producer.store(false, Ordering::Relaxed);
    }
}

/// The side of a [`Ring`] that takes values.
///
/// ```
/// use mpy::interrupt::{Consumer, Ring};
///
/// fn sum(consumer: &mut Consumer<'_, u8, 4>) -> u32 {
///     let mut sum = 0;
///     while !consumer.is_empty() {
///         sum += u32::from(consumer.pop().unwrap_or_default());
///     }
///     sum
/// }
///
/// let ring = Ring::new(0);
/// let mut producer = ring.producer().unwrap();
/// producer.push(2);
/// producer.push(3);
/// assert_eq!(sum(&mut ring.consumer().unwrap()), 5);
/// ```
#[derive(Debug)]
pub struct Consumer<'a, T, const N: usize>(&'a Ring<T, N>);

impl<T: Copy, const N: usize> Consumer<'_, T, N> {
    /// Takes the oldest value.
    pub fn pop(&mut self) -> Option<T> {
        if self.is_empty() {
            return None;
        }
        let taken = self.0.taken.load(Ordering::Relaxed);
        fence();
        // SAFETY: it was put, and the producer does not write it before the count says so.
        let item = unsafe { self.0.item(taken).read() };
        fence();
        self.0.taken.store(taken.wrapping_add(1), Ordering::Release);
        Some(item)
    }

    /// How many values there are.
    pub fn len(&self) -> usize {
        fence();
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<T: Copy, const N: usize> Iterator for Consumer<'_, T, N> {
    type Item = T;

    /// As [`Consumer::pop`].
    fn next(&mut self) -> Option<T> {
        self.pop()
    }
}

impl<T, const N: usize> Drop for Consumer<'_, T, N> {
    fn drop(&mut self) {
        self.0.has_consumer.store(false, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ring_is_in_order_and_full_when_it_is() {
        let ring: Ring<u8, 4> = Ring::new(0);
        // The counts begin anew.
        ring.put.store(u32::MAX - 1, Ordering::Relaxed);
        ring.taken.store(u32::MAX - 1, Ordering::Relaxed);
        let (mut producer, mut consumer) = (ring.producer().unwrap(), ring.consumer().unwrap());
        assert!(ring.producer().is_none() && ring.consumer().is_none());
        for round in 0..3 {
            let put: [bool; 5] = core::array::from_fn(|at| producer.push(10 * round + at as u8));
            assert_eq!(put, [true, true, true, true, false]);
            assert!(producer.is_full());
            assert_eq!(consumer.len(), 4);
            let taken: [Option<u8>; 5] = core::array::from_fn(|_| consumer.pop());
            assert_eq!(
                taken,
                [0, 1, 2, 3]
                    .map(|at| Some(10 * round + at))
                    .into_iter()
                    .chain([None])
                    .collect::<alloc::vec::Vec<_>>()[..]
            );
        }
        drop((producer, consumer));
        assert!(ring.producer().is_some() && ring.consumer().is_some());
    }
}
