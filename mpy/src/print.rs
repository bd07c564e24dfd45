//! Printing to Python's standard output.

use core::fmt::{self, Write};

crate::import::import! {
    "mpy":
    fn print(text: *const u8, len: usize);
}

struct Output;

impl Write for Output {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        // SAFETY: it reads the text.
        unsafe { print(text.as_ptr(), text.len()) }
        Ok(())
    }
}

/// What the macros call.
#[doc(hidden)]
pub fn write(arguments: fmt::Arguments<'_>) {
    // A text without arguments needs no formatting.
    let _ = match arguments.as_str() {
        Some(text) => Output.write_str(text),
        None => Output.write_fmt(arguments),
    };
}

/// The same with the end of a line.
#[doc(hidden)]
pub fn write_line(arguments: fmt::Arguments<'_>) {
    write(arguments);
    let _ = Output.write_str("\n");
}

/// Prints to Python's standard output, as `std::print` does elsewhere.
#[macro_export]
macro_rules! print {
    ($($argument:tt)*) => {
        $crate::print::write(::core::format_args!($($argument)*))
    };
}

/// Prints a line to Python's standard output, as `std::println` does elsewhere.
///
/// ```no_run
/// mpy::println!("{} samples", 12);
/// ```
#[macro_export]
macro_rules! println {
    () => {
        $crate::print::write(::core::format_args!("\n"))
    };
    ($($argument:tt)*) => {
        $crate::print::write_line(::core::format_args!($($argument)*))
    };
}

/// Prints the place, the text and the value of an expression, and returns the value, as `std::dbg` does elsewhere.
#[macro_export]
macro_rules! dbg {
    () => {
        $crate::println!("[{}:{}:{}]", ::core::file!(), ::core::line!(), ::core::column!())
    };
    ($value:expr $(,)?) => {
        match $value {
            value => {
                $crate::println!(
                    "[{}:{}:{}] {} = {:#?}",
                    ::core::file!(),
                    ::core::line!(),
                    ::core::column!(),
                    ::core::stringify!($value),
                    &value
                );
                value
            }
        }
    };
    ($($value:expr),+ $(,)?) => {
        ($($crate::dbg!($value)),+,)
    };
}
