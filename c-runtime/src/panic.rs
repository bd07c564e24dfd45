//! What a panic comes to in a crate with `std`: an exception that says the message and the place. It is linked to
//! a user's crate and no part of this one; nothing but the end of `std`'s own handler calls it.
#![no_std]

use core::fmt::Write;
use core::panic::PanicInfo;

#[link(wasm_import_module = "mpy")]
unsafe extern "C" {
    fn panic(message: *const u8, len: usize) -> !;
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
