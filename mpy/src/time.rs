//! Time since some time, and sleeping.

use core::cell::Cell;
use core::ops::{Add, AddAssign, Sub};
pub use core::time::Duration;

mod python {
    // Numbers of 64 bits, because ticks have more than 32 on some ports. They are never negative.
    crate::import::import! {
        "time":
        fn ticks_us() -> i64;
        fn ticks_ms() -> i64;
        fn sleep_us(us: i32);
        fn sleep_ms(ms: i32);
    }
}

/// Ticks start anew after a power of two that ports choose, and that is this or more.
const MASK: u32 = (1 << 30) - 1;

fn low(ticks: i64) -> u32 {
    ticks as u32 & MASK
}

/// Microseconds since some time, which start anew after 2^30 of them, about 18 minutes.
///
/// ```no_run
/// use mpy::time::{ticks_diff, ticks_us};
///
/// /// How many microseconds a function takes.
/// fn measure(f: impl FnOnce()) -> i32 {
///     let start = ticks_us();
///     f();
///     ticks_diff(ticks_us(), start)
/// }
/// ```
pub fn ticks_us() -> u32 {
    // SAFETY: it has no conditions.
    low(unsafe { python::ticks_us() })
}

/// Milliseconds since some time, which start anew after 2^30 of them, about 12 days.
///
/// ```no_run
/// use mpy::time::{ticks_diff, ticks_ms};
///
/// let start = ticks_ms();
/// while ticks_diff(ticks_ms(), start) < 50 {
///     mpy::interrupt::check();
/// }
/// ```
pub fn ticks_ms() -> u32 {
    // SAFETY: it has no conditions.
    low(unsafe { python::ticks_ms() })
}

/// The ticks from `start` to `end`, both of the same function; negative if `end` is the earlier one. They must not be
/// further apart than half of what ticks count, about 9 minutes of [`ticks_us`].
pub fn ticks_diff(end: u32, start: u32) -> i32 {
    // The sign is bit 29.
    (end.wrapping_sub(start) << 2).cast_signed() >> 2
}

/// The time that an [`Instant`] counts, and the ticks when it was counted.
struct Clock {
    us: Cell<u64>,
    ticks_us: Cell<u32>,
    ticks_ms: Cell<u32>,
}

// SAFETY: a module runs in one thread.
unsafe impl Sync for Clock {}

static CLOCK: Clock = Clock { us: Cell::new(0), ticks_us: Cell::new(0), ticks_ms: Cell::new(0) };

/// The microseconds between two times, of which the last 30 bits are known, and the milliseconds with a tolerance.
fn elapsed_us(us: u32, ms: u32) -> u64 {
    let period = u64::from(MASK) + 1;
    // Which of the times with these bits is the nearest to the milliseconds.
    let nearest = (u64::from(ms) * 1000 + period / 2).saturating_sub(us.into()) / period;
    nearest * period + u64::from(us)
}

/// A time of a clock that never goes back, in microseconds, as `std::time::Instant` elsewhere.
///
/// It is right if the clock is read at least once in 12 days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(u64);

impl Instant {
    /// The time now.
    pub fn now() -> Instant {
        let (us, ms) = (ticks_us(), ticks_ms());
        let passed = |now: u32, before: &Cell<u32>| now.wrapping_sub(before.replace(now)) & MASK;
        let passed = elapsed_us(passed(us, &CLOCK.ticks_us), passed(ms, &CLOCK.ticks_ms));
        CLOCK.us.set(CLOCK.us.get() + passed);
        Instant(CLOCK.us.get())
    }

    /// The time since then.
    ///
    /// ```no_run
    /// let start = mpy::time::Instant::now();
    /// mpy::println!("{:?}", start.elapsed());
    /// ```
    pub fn elapsed(&self) -> Duration {
        Instant::now().duration_since(*self)
    }

    /// The time from `earlier` to this; nothing if `earlier` is later.
    ///
    /// ```no_run
    /// use mpy::time::{Duration, Instant};
    ///
    /// /// Whether two events belong together.
    /// fn is_double(first: Instant, second: Instant) -> bool {
    ///     second.duration_since(first) < Duration::from_millis(300)
    /// }
    /// ```
    pub fn duration_since(&self, earlier: Instant) -> Duration {
        Duration::from_micros(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Duration> for Instant {
    type Output = Instant;

    fn add(self, duration: Duration) -> Instant {
        Instant(self.0 + duration.as_micros() as u64)
    }
}

impl AddAssign<Duration> for Instant {
    fn add_assign(&mut self, duration: Duration) {
        *self = *self + duration;
    }
}

impl Sub for Instant {
    type Output = Duration;

    fn sub(self, earlier: Instant) -> Duration {
        self.duration_since(earlier)
    }
}

/// Sleeps, and lets MicroPython do its own work meanwhile. Ctrl-C ends it by a `KeyboardInterrupt`.
pub fn sleep(duration: Duration) {
    // More would not be a small integer.
    const MOST_MS: u128 = 1 << 29;
    let mut ms = duration.as_millis();
    while ms > 0 {
        let part = ms.min(MOST_MS);
        // SAFETY: it has no conditions.
        unsafe { python::sleep_ms(part as i32) };
        ms -= part;
    }
    let us = duration.subsec_nanos() % 1_000_000;
    if us > 0 {
        // SAFETY: it has no conditions.
        unsafe { python::sleep_us(us.div_ceil(1000) as i32) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_differ_across_their_end() {
        assert_eq!(ticks_diff(5, MASK), 6);
        assert_eq!(ticks_diff(MASK, 5), -6);
        assert_eq!(ticks_diff(1 << 28, 0), 1 << 28);
    }

    #[test]
    fn microseconds_are_those_that_fit_the_milliseconds() {
        let period = u64::from(MASK) + 1;
        for us in
            [0, 1, 999, 1_000_000, period / 2, period - 1, period, period + 1, 5 * period + 7, 900 * period]
        {
            for error in [-2000_i64, 0, 2000] {
                let ms = us.saturating_add_signed(error) / 1000;
                assert_eq!(elapsed_us((us % period) as u32, ms as u32), us, "{us} {error}");
            }
        }
    }
}
