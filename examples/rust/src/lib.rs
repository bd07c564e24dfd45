//! A LED that blinks as on an Arduino, and iterators that cost nothing.
#![no_std]

#[link(wasm_import_module = "wiring")]
unsafe extern "C" {
    #[link_name = "pinMode"]
    safe fn pin_mode(pin: u32, mode: u32);
    #[link_name = "digitalWrite"]
    safe fn digital_write(pin: u32, level: u32);
    safe fn delay(ms: u32);
    fn print(text: *const u8, length: usize);
}

const LED: u32 = 2;
const OUTPUT: u32 = 1;

#[panic_handler]
fn on_panic(_: &core::panic::PanicInfo) -> ! {
    core::arch::wasm32::unreachable()
}

fn say(text: &str) {
    unsafe { print(text.as_ptr(), text.len()) }
}

#[unsafe(no_mangle)]
extern "C" fn setup() {
    pin_mode(LED, OUTPUT);
    say("hello from Rust\n");
}

#[unsafe(no_mangle)]
extern "C" fn r#loop() {
    for (level, ms) in [(1, 100), (0, 900)] {
        digital_write(LED, level);
        delay(ms);
    }
}

/// The sum of the squares of the odd numbers below `n`: a chain that compiles to one loop.
#[unsafe(no_mangle)]
extern "C" fn odd_squares(n: u32) -> u32 {
    (0..n).filter(|i| i % 2 == 1).map(|i| i.wrapping_mul(i)).fold(0, u32::wrapping_add)
}
