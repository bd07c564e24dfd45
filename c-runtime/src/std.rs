//! What `std` has no implementation of in WebAssembly, by MicroPython's functions. It is linked to a user's crate that
//! uses some of it, and no part of this one. The build adds a `define!` for each function of `std` that there is one for
//! here, with its symbol.

use std::cell::Cell;
use std::fmt;
use std::io::{self, IoSlice};
use std::time::{Duration, Instant, SystemTime, SystemTimeError};

#[link(wasm_import_module = "mpy")]
extern "C-unwind" {
    fn print(text: *const u8, len: usize);
    fn print_error(text: *const u8, len: usize);
    fn wasi_random_get(bytes: *mut u8, len: usize) -> u32;
    fn wasi_proc_exit(status: u32);
    fn unix_time() -> u64;
}

#[link(wasm_import_module = "time")]
extern "C-unwind" {
    // Ticks have more than 32 bits on some ports. They are never negative.
    fn ticks_us() -> i64;
    fn ticks_ms() -> i64;
    fn sleep_us(us: i32);
    fn sleep_ms(ms: i32);
}

/// The time that an `Instant` counts, and the ticks when it was counted.
struct Clock {
    us: Cell<u64>,
    ticks_us: Cell<u32>,
    ticks_ms: Cell<u32>,
}

// SAFETY: a module runs in one thread.
unsafe impl Sync for Clock {}

static CLOCK: Clock = Clock { us: Cell::new(0), ticks_us: Cell::new(0), ticks_ms: Cell::new(0) };

/// Ticks start anew after 2^30 of them at the earliest. Of the times with the microseconds' last bits, it is the one that
/// is nearest to the milliseconds, so that nothing is lost within 12 days.
fn now() -> Instant {
    const PERIOD: u64 = 1 << 30;
    let passed = |ticks: i64, before: &Cell<u32>| {
        let now = ticks as u32 & (PERIOD as u32 - 1);
        u64::from(now.wrapping_sub(before.replace(now)) & (PERIOD as u32 - 1))
    };
    // SAFETY: they have no conditions.
    let (us, ms) = unsafe { (ticks_us(), ticks_ms()) };
    let (us, ms) = (passed(us, &CLOCK.ticks_us), passed(ms, &CLOCK.ticks_ms));
    CLOCK.us.set(CLOCK.us.get() + (ms * 1000 + PERIOD / 2).saturating_sub(us) / PERIOD * PERIOD + us);
    // SAFETY: on this target, an `Instant` is a `Duration`, and that of 0 is zeros; another size does not compile.
    let zero = unsafe { std::mem::transmute::<Duration, Instant>(Duration::ZERO) };
    zero + Duration::from_micros(CLOCK.us.get())
}

fn system_now() -> SystemTime {
    // SAFETY: it has no conditions.
    SystemTime::UNIX_EPOCH + Duration::from_nanos(unsafe { unix_time() })
}

/// MicroPython counts milliseconds, and may sleep one less.
fn sleep(duration: Duration) {
    // More would not be a small integer.
    const MOST_MS: u128 = 1 << 29;
    let end = now().checked_add(duration);
    loop {
        let left = end.map_or(Duration::MAX, |end| end.saturating_duration_since(now()));
        let ms = left.as_millis().min(MOST_MS) as i32;
        // SAFETY: they have no conditions.
        match ms {
            0 if left.is_zero() => return,
            0 => unsafe { sleep_us(left.subsec_nanos().div_ceil(1000) as i32) },
            _ => unsafe { sleep_ms(ms) },
        }
    }
}

fn exit(status: i32) -> ! {
    // SAFETY: it has no conditions.
    unsafe { wasi_proc_exit(status as u32) };
    unreachable!()
}

fn hashmap_random_keys() -> (u64, u64) {
    let mut keys = [0_u64; 2];
    // SAFETY: it writes as many bytes.
    unsafe { wasi_random_get(keys.as_mut_ptr().cast(), size_of_val(&keys)) };
    (keys[0], keys[1])
}

/// One of Python's outputs, which is not buffered here.
struct Output(unsafe extern "C-unwind" fn(*const u8, usize));

impl Output {
    fn put(&self, bytes: &[u8]) -> usize {
        if !bytes.is_empty() {
            // SAFETY: they are that many bytes.
            unsafe { (self.0)(bytes.as_ptr(), bytes.len()) };
        }
        bytes.len()
    }
}

impl fmt::Write for Output {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.put(text.as_bytes());
        Ok(())
    }
}

fn write_fmt(
    write: unsafe extern "C-unwind" fn(*const u8, usize),
    text: fmt::Arguments<'_>,
) -> io::Result<()> {
    fmt::Write::write_fmt(&mut Output(write), text).map_err(|_| io::Error::from(io::ErrorKind::Other))
}

/// Defines a function of `std`.
macro_rules! define {
    (@ $symbol:literal fn($($name:ident: $ty:ty),*) $(-> $result:ty)? $body:block) => {
        const _: () = {
            #[export_name = $symbol]
            pub fn defined($($name: $ty),*) $(-> $result)? $body
        };
    };
    ("Instant::now", $symbol:literal) => { define!(@ $symbol fn() -> Instant { now() }); };
    ("Instant::elapsed", $symbol:literal) => {
        define!(@ $symbol fn(since: &Instant) -> Duration { now().duration_since(*since) });
    };
    ("SystemTime::now", $symbol:literal) => { define!(@ $symbol fn() -> SystemTime { system_now() }); };
    ("SystemTime::elapsed", $symbol:literal) => {
        define!(@ $symbol fn(since: &SystemTime) -> Result<Duration, SystemTimeError> {
            system_now().duration_since(*since)
        });
    };
    ("sleep", $symbol:literal) => { define!(@ $symbol fn(duration: Duration) { sleep(duration) }); };
    ("sleep_ms", $symbol:literal) => {
        define!(@ $symbol fn(ms: u32) { sleep(Duration::from_millis(ms.into())) });
    };
    ("exit", $symbol:literal) => { define!(@ $symbol fn(status: i32) -> ! { exit(status) }); };
    ("hashmap_random_keys", $symbol:literal) => {
        define!(@ $symbol fn() -> (u64, u64) { hashmap_random_keys() });
    };
    ("_print", $symbol:literal) => {
        define!(@ $symbol fn(text: fmt::Arguments<'_>) { let _ = write_fmt(print, text); });
    };
    ("_eprint", $symbol:literal) => {
        define!(@ $symbol fn(text: fmt::Arguments<'_>) { let _ = write_fmt(print_error, text); });
    };
    // Methods of `io::Write`. All that `self` says is which output it is.
    ("stdout::write", $symbol:literal) => { define!(@write print, $symbol); };
    ("stderr::write", $symbol:literal) => { define!(@write print_error, $symbol); };
    ("stdout::write_vectored", $symbol:literal) => { define!(@write_vectored print, $symbol); };
    ("stderr::write_vectored", $symbol:literal) => { define!(@write_vectored print_error, $symbol); };
    ("stdout::write_all", $symbol:literal) => { define!(@write_all print, $symbol); };
    ("stderr::write_all", $symbol:literal) => { define!(@write_all print_error, $symbol); };
    ("stdout::write_fmt", $symbol:literal) => { define!(@write_fmt print, $symbol); };
    ("stderr::write_fmt", $symbol:literal) => { define!(@write_fmt print_error, $symbol); };
    (@write $write:ident, $symbol:literal) => {
        define!(@ $symbol fn(_this: *mut (), bytes: &[u8]) -> io::Result<usize> { Ok(Output($write).put(bytes)) });
    };
    (@write_vectored $write:ident, $symbol:literal) => {
        define!(@ $symbol fn(_this: *mut (), parts: &[IoSlice<'_>]) -> io::Result<usize> {
            Ok(parts.iter().map(|part| Output($write).put(part)).sum())
        });
    };
    (@write_all $write:ident, $symbol:literal) => {
        define!(@ $symbol fn(_this: *mut (), bytes: &[u8]) -> io::Result<()> {
            Output($write).put(bytes);
            Ok(())
        });
    };
    (@write_fmt $write:ident, $symbol:literal) => {
        define!(@ $symbol fn(_this: *mut (), text: fmt::Arguments<'_>) -> io::Result<()> { write_fmt($write, text) });
    };
}
