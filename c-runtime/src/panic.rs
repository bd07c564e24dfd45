//! What a panic comes to in a crate with `std`: an exception that says the message and the place. It is linked to
//! a user's crate and no part of this one; nothing but `std`'s own handler and the bindings call it.
//!
//! In a crate that unwinds, a panic stays one of Rust's until it leaves the module, and what the imports here raise is an
//! exception of WebAssembly's.
#![no_std]
#![allow(improper_ctypes)]
#![cfg_attr(panic = "unwind", feature(alloc_error_hook))]

#[cfg(panic = "unwind")]
extern crate std;

use core::fmt::{Display, Write};
use core::panic::PanicInfo;
use core::ptr;

#[link(wasm_import_module = "mpy")]
unsafe extern "C-unwind" {
    fn panic(message: *const u8, len: usize) -> !;
    #[cfg(panic = "unwind")]
    safe fn out_of_memory() -> !;
    /// Throws once more what has left a function.
    #[cfg(panic = "unwind")]
    safe fn throw_again();
    /// Raises what was caught last, if anything was.
    #[cfg(panic = "unwind")]
    safe fn raise_caught();
    /// Nobody in Rust has the exception any longer.
    #[cfg(panic = "unwind")]
    safe fn exception_ends(object: u32);
}

// What the build makes of `std` where the program sets hooks, or unwinds.
#[link(wasm_import_module = "mpy:std")]
unsafe extern "C-unwind" {
    /// `std`'s own handler.
    fn handler(info: &PanicInfo) -> !;
    /// Counts this many panics, all of which run hooks.
    safe fn set_counts(count: bool);
    /// Copies the variable with the hook and its lock, and back.
    fn save_hook(to: *mut Hook);
    fn restore_hook(from: *const Hook);
}

/// As much of a text as has room: the message of a panic must not need the heap, which may be its cause.
#[repr(C)]
struct Text {
    len: usize,
    bytes: [u8; 256],
}

impl Write for Text {
    fn write_str(&mut self, text: &str) -> core::fmt::Result {
        let mut len = text.len().min(self.bytes.len() - self.len);
        // Whole letters.
        while !text.is_char_boundary(len) {
            len -= 1;
        }
        for at in 0..len {
            self.bytes[self.len + at] = text.as_bytes()[at];
        }
        self.len += len;
        Ok(())
    }
}

impl Text {
    const fn new() -> Text {
        Text { bytes: [0; 256], len: 0 }
    }

    /// The message and the place of a panic.
    fn write_panic(&mut self, info: &PanicInfo) {
        let _ = write!(self, "{}", info.message());
        if let Some(place) = info.location() {
            let _ = self.write_str(", ");
            let _ = self.write_str(place.file());
            let _ = self.write_str(":");
            self.write_number(place.line());
        }
    }

    fn raise(&self) -> ! {
        // SAFETY: the text is that long.
        unsafe { panic(self.bytes.as_ptr(), self.len) }
    }

    /// `std`'s way to write numbers would cost a module more than this.
    fn write_number(&mut self, number: u32) {
        if number > 9 {
            self.write_number(number / 10);
        }
        if let Some(byte) = self.bytes.get_mut(self.len) {
            *byte = b'0' + (number % 10) as u8;
            self.len += 1;
        }
    }
}

#[export_name = "mpy:panic"]
pub fn on_panic(info: &PanicInfo) -> ! {
    let mut text = Text::new();
    text.write_panic(info);
    text.raise()
}

/// As large as the variable can be.
pub type Hook = [u32; 4];

/// A panic whose hook runs. The build gives it a place in the frame that calls the hook, of 32 bytes.
pub struct Panic {
    /// Null where it began without a message, by `panic_any` or `resume_unwind`.
    info: *const PanicInfo<'static>,
    hook: Hook,
}

/// The innermost.
static mut CURRENT: *const Panic = ptr::null();
/// What the panic is about that begins now.
static mut INFO: *const PanicInfo<'static> = ptr::null();

/// Makes another panic the current one; null stands for none. Returns the one before.
#[export_name = "mpy:panicking"]
pub extern "C-unwind" fn swap(new: *const Panic) -> *const Panic {
    // SAFETY: modules have one thread.
    let old = unsafe { ptr::replace(&raw mut CURRENT, new) };
    // Else `std` counts those that unwind.
    if !(old.is_null() && new.is_null()) || cfg!(not(panic = "unwind")) {
        set_counts(!new.is_null());
    }
    old
}

/// Stands before `std`'s handler.
#[export_name = "mpy:panic_begins"]
pub fn begins(info: &PanicInfo) -> ! {
    // SAFETY: modules have one thread.
    unsafe {
        #[cfg(panic = "unwind")]
        unwinding::remember(info);
        INFO = ptr::from_ref(info).cast();
        handler(info)
    }
}

/// Stands before what calls the hook. A panic in a hook ends that of which it is the hook.
#[export_name = "mpy:hook_begins"]
pub extern "C-unwind" fn hook_begins(panic: &mut Panic) {
    // SAFETY: modules have one thread, and the frame of the other panic is below.
    unsafe {
        panic.info = ptr::replace(&raw mut INFO, ptr::null());
        #[cfg(panic = "unwind")]
        if panic.info.is_null() {
            unwinding::forget();
        }
        save_hook(&raw mut panic.hook);
        if let Some(current) = swap(ptr::null()).as_ref() {
            ends(current);
        }
        // `std` counts it itself.
        CURRENT = panic;
    }
}

/// The hook of `panic` does not return, and so does not unlock itself.
#[export_name = "mpy:hook_ends"]
pub extern "C-unwind" fn hook_ends(panic: &Panic) {
    // SAFETY: it was saved.
    unsafe { restore_hook(&raw const panic.hook) }
}

/// Ends a panic whose hook does not return; returns if it has no message.
#[export_name = "mpy:panic_ends"]
pub extern "C-unwind" fn ends(panic: &Panic) {
    hook_ends(panic);
    // SAFETY: the frame of the panic is below.
    if let Some(info) = unsafe { panic.info.as_ref() } {
        on_panic(info);
    }
}

/// A panic ends after its hook. Its payload is a `&mut dyn PanicPayload`, which is `std`'s own, or null where the
/// compiler found that nobody looks at it.
#[export_name = "mpy:panic_after_hook"]
pub extern "C-unwind" fn after_hook(payload: *const (), vtable: *const ()) -> ! {
    // SAFETY: the frame of the panic is below.
    if let Some(info) = unsafe { swap(ptr::null()).as_ref().and_then(|panic| panic.info.as_ref()) } {
        on_panic(info);
    }
    let mut text = Text::new();
    if payload.is_null() {
        let _ = text.write_str("Box<dyn Any>");
    } else {
        // `Display` is the first trait above `PanicPayload`, so its functions come first in the table
        // (https://doc.rust-lang.org/src/core/panic.rs.html).
        let payload: &dyn Display = unsafe { core::mem::transmute((payload, vtable)) };
        let _ = write!(text, "{payload}");
    }
    text.raise()
}

#[cfg(panic = "unwind")]
mod unwinding {
    use core::fmt::Write;
    use core::panic::PanicInfo;
    use core::ptr;
    use std::boxed::Box;
    use std::panic;
    use std::string::String;

    use super::{CURRENT, Text, exception_ends, on_panic, out_of_memory, raise_caught, throw_again};

    /// An exception of Python's as the payload of a panic, so that `catch_unwind` catches it: its index in the table of
    /// objects.
    struct Exception(u32);

    impl Drop for Exception {
        fn drop(&mut self) {
            exception_ends(self.0);
        }
    }

    /// Throws an exception of Python's, of which no hook is told.
    #[unsafe(export_name = "mpy:throw")]
    pub extern "C-unwind" fn throw(object: u32) {
        panic::resume_unwind(Box::new(Exception(object)));
    }

    /// Ends what has left a function, and what it holds: what it said is the last that a panic said.
    #[unsafe(export_name = "mpy:catch")]
    pub extern "C-unwind" fn catch() {
        let Err(payload) = panic::catch_unwind(|| throw_again()) else { return };
        let message = match payload.downcast_ref::<&str>() {
            Some(message) => message,
            None => payload.downcast_ref::<String>().map_or("Box<dyn Any>", String::as_str),
        };
        // SAFETY: modules have one thread.
        unsafe { &mut *(&raw mut LAST) }.be(message);
    }

    impl Text {
        /// Makes this `message`, unless it is that and a place.
        fn be(&mut self, message: &str) {
            let len = message.len().min(self.len);
            let begins = self.bytes[..len] == message.as_bytes()[..len];
            // A long one is cut.
            if len == 0 || !begins || (len < message.len() && len < self.bytes.len() - 3) {
                self.len = 0;
                let _ = self.write_str(message);
            }
        }
    }

    /// What the last panic said: its payload does not tell where it was.
    static mut LAST: Text = Text::new();

    /// Memory that runs out is an exception as well. To the compiler, this also means that it unwinds.
    #[unsafe(export_name = "mpy:init_unwinding")]
    pub extern "C" fn init() {
        std::alloc::set_alloc_error_hook(|_| out_of_memory());
    }

    #[unsafe(export_name = "mpy:last_panic")]
    pub extern "C" fn last() -> *mut () {
        (&raw mut LAST).cast()
    }

    /// What `core` says of a panic that has come to where it must not unwind (`panic_cannot_unwind`,
    /// `panic_in_cleanup`).
    const TOO_FAR: [&str; 2] = ["panic in a function that cannot unwind", "panic in a destructor during cleanup"];

    /// What has unwound too far is raised, before `std` aborts the program.
    pub fn remember(info: &PanicInfo) {
        if info.message().as_str().is_some_and(|text| TOO_FAR.contains(&text)) {
            raise_caught();
            on_panic(info);
        }
        // SAFETY: modules have one thread.
        let last = unsafe { &mut *(&raw mut LAST) };
        last.len = 0;
        last.write_panic(info);
    }

    /// A panic begins that has no message.
    pub fn forget() {
        // SAFETY: modules have one thread.
        unsafe { (*(&raw mut LAST)).len = 0 }
    }

    /// The hook has returned, and the panic unwinds.
    #[unsafe(export_name = "mpy:panic_unwinds")]
    pub extern "C" fn unwinds() {
        // SAFETY: modules have one thread.
        unsafe { CURRENT = ptr::null() }
    }
}
