//! What a panic comes to in a crate with `std`: an exception that says the message and the place. It is linked to
//! a user's crate and no part of this one; nothing but `std`'s own handler and the bindings call it.
#![no_std]

use core::fmt::{Display, Write};
use core::panic::PanicInfo;
use core::ptr;

#[link(wasm_import_module = "mpy")]
unsafe extern "C" {
    fn panic(message: *const u8, len: usize) -> !;
}

/// What the build makes of `std` where the program sets hooks.
#[link(wasm_import_module = "mpy:std")]
unsafe extern "C" {
    /// `std`'s own handler.
    fn handler(info: &PanicInfo) -> !;
    /// Copies the variable with the hook and its lock, and back.
    fn save_hook(to: *mut Hook);
    fn restore_hook(from: *const Hook);
}

/// As much of a text as has room: the message of a panic must not need the heap, which may be its cause.
struct Text {
    bytes: [u8; 256],
    len: usize,
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
    let mut text = Text { bytes: [0; 256], len: 0 };
    let _ = write!(text, "{}", info.message());
    if let Some(place) = info.location() {
        let _ = text.write_str(", ");
        let _ = text.write_str(place.file());
        let _ = text.write_str(":");
        text.write_number(place.line());
    }
    unsafe { panic(text.bytes.as_ptr(), text.len) }
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
pub extern "C" fn swap(new: *const Panic) -> *const Panic {
    // SAFETY: modules have one thread.
    unsafe { ptr::replace(&raw mut CURRENT, new) }
}

/// Stands before `std`'s handler.
#[export_name = "mpy:panic_begins"]
pub fn begins(info: &PanicInfo) -> ! {
    // SAFETY: modules have one thread.
    unsafe {
        INFO = ptr::from_ref(info).cast();
        handler(info)
    }
}

/// Stands before what calls the hook. A panic in a hook ends that of which it is the hook.
#[export_name = "mpy:hook_begins"]
pub extern "C" fn hook_begins(panic: &mut Panic) {
    // SAFETY: modules have one thread, and the frame of the other panic is below.
    let current = unsafe {
        panic.info = ptr::replace(&raw mut INFO, ptr::null());
        save_hook(&raw mut panic.hook);
        swap(panic).as_ref()
    };
    if let Some(current) = current {
        let new = swap(ptr::null());
        ends(current);
        swap(new);
    }
}

/// The hook of `panic` does not return, and so does not unlock itself.
#[export_name = "mpy:hook_ends"]
pub extern "C" fn hook_ends(panic: &Panic) {
    // SAFETY: it was saved.
    unsafe { restore_hook(&raw const panic.hook) }
}

/// Ends a panic whose hook does not return; returns if it has no message.
#[export_name = "mpy:panic_ends"]
pub extern "C" fn ends(panic: &Panic) {
    hook_ends(panic);
    // SAFETY: the frame of the panic is below.
    if let Some(info) = unsafe { panic.info.as_ref() } {
        on_panic(info);
    }
}

/// A panic ends after its hook. Its payload is a `&mut dyn PanicPayload`, which is `std`'s own, or null where the
/// compiler found that nobody looks at it.
#[export_name = "mpy:panic_after_hook"]
pub extern "C" fn after_hook(payload: *const (), vtable: *const ()) -> ! {
    // SAFETY: the frame of the panic is below.
    if let Some(info) = unsafe { swap(ptr::null()).as_ref().and_then(|panic| panic.info.as_ref()) } {
        on_panic(info);
    }
    let mut text = Text { bytes: [0; 256], len: 0 };
    if payload.is_null() {
        let _ = text.write_str("Box<dyn Any>");
    } else {
        // `Display` is the first trait above `PanicPayload`, so its functions come first in the table
        // (https://doc.rust-lang.org/src/core/panic.rs.html).
        let payload: &dyn Display = unsafe { core::mem::transmute((payload, vtable)) };
        let _ = write!(text, "{payload}");
    }
    unsafe { panic(text.bytes.as_ptr(), text.len) }
}
