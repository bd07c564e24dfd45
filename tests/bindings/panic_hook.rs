//! Panic hooks run, may raise, panic and be taken back, and the exception is always that of the panic.
//! panic: both

use std::panic;
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    fn report(text: &str);
    #[wasm_bindgen(catch, js_name = report)]
    fn try_to_report(text: &str) -> Result<(), JsValue>;
}

#[wasm_bindgen(start)]
pub fn init() {
    panic::set_hook(Box::new(|info| {
        // What runs during a hook must not end in the hook's own panic.
        let text = info.payload().downcast_ref::<&str>().copied().unwrap_or("?");
        report(text);
        if text == "hook panics" {
            panic!("in the hook")
        }
        if text == "hook fails" {
            let _ = std::hint::black_box(Vec::<u8>::with_capacity(std::hint::black_box(1 << 30)));
            core::arch::wasm32::unreachable()
        }
    }));
}

#[wasm_bindgen]
pub fn fail(text: &str) {
    match text {
        "as it must" => panic!("as it must"),
        "hook panics" => panic!("hook panics"),
        "hook fails" => panic!("hook fails"),
        _ => panic!("{text}, of {} letters", text.len()),
    }
}

#[wasm_bindgen]
pub fn throw(text: String) {
    panic::panic_any(text)
}

#[wasm_bindgen]
pub fn catches() {
    panic::set_hook(Box::new(|_| assert!(try_to_report("caught").is_err())));
}

#[wasm_bindgen]
pub fn take() {
    drop(panic::take_hook());
}

#[wasm_bindgen]
pub fn is_panicking() -> bool {
    std::thread::panicking()
}

/* python
import panic_hook as m, builtins
answer = lambda text: None
def report(text):
    print("hook:", text)
    return answer(text)
builtins.report = report
def attempt(f, *args):
    try: f(*args)
    except BaseException as e: print(type(e).__name__, str(e) or "-")
    print(m.is_panicking())
def raises(exception):
    def answer(text): raise exception
    return answer
for name in ("as it must", "hook panics", "hook fails", "other"):
    attempt(m.fail, name)
for answer in (raises(ValueError("a hook's")), raises(MemoryError()), raises(KeyboardInterrupt())):
    for i in range(3): attempt(m.fail, "as it must")
# A hook that comes back to Rust, where nothing panics yet, and which panics itself.
def again(text):
    print(m.is_panicking())
    if text == "as it must": attempt(m.fail, "hook panics")
answer = again
for i in range(2): attempt(m.fail, "as it must")
answer = raises(ValueError("a hook's"))
attempt(m.throw, "thrown")
answer = lambda text: None
attempt(m.throw, "thrown")
answer = raises(ValueError("a hook's"))
m.catches()
for i in range(2): attempt(m.fail, "as it must")
m.take()
for i in range(2): attempt(m.fail, "as it must")
*/
/* expect
hook: as it must
RuntimeError as it must, src/lib.rs:33
False
hook: hook panics
RuntimeError hook panics, src/lib.rs:34
False
hook: hook fails
RuntimeError hook fails, src/lib.rs:35
False
hook: ?
RuntimeError other, of 5 letters, src/lib.rs:36
False
hook: as it must
RuntimeError as it must, src/lib.rs:33
False
hook: as it must
RuntimeError as it must, src/lib.rs:33
False
hook: as it must
RuntimeError as it must, src/lib.rs:33
False
hook: as it must
RuntimeError as it must, src/lib.rs:33
False
hook: as it must
RuntimeError as it must, src/lib.rs:33
False
hook: as it must
RuntimeError as it must, src/lib.rs:33
False
hook: as it must
KeyboardInterrupt -
False
hook: as it must
KeyboardInterrupt -
False
hook: as it must
KeyboardInterrupt -
False
hook: as it must
False
hook: hook panics
False
RuntimeError hook panics, src/lib.rs:34
False
RuntimeError as it must, src/lib.rs:33
False
hook: as it must
False
hook: hook panics
False
RuntimeError hook panics, src/lib.rs:34
False
RuntimeError as it must, src/lib.rs:33
False
hook: ?
ValueError a hook's
False
hook: ?
RuntimeError thrown
False
hook: caught
RuntimeError as it must, src/lib.rs:33
False
hook: caught
RuntimeError as it must, src/lib.rs:33
False
RuntimeError as it must, src/lib.rs:33
False
RuntimeError as it must, src/lib.rs:33
False
*/
