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
answer, said = lambda text: None, []
def report(text):
    said.append("hook: " + text)
    return answer(text)
builtins.report = report
def once(f, *args):
    try: f(*args)
    except BaseException as e: said.append(type(e).__name__ + " " + (str(e) or "-"))
    if m.is_panicking(): said.append("panics")
# Always the same.
def attempt(times, f, *args):
    before = None
    for i in range(times):
        said[:] = []
        once(f, *args)
        if said != before: print("; ".join(said))
        before = list(said)
def raises(exception):
    def answer(text): raise exception
    return answer
for name in ("as it must", "hook panics", "hook fails", "other"):
    attempt(1, m.fail, name)
for answer in (raises(ValueError("a hook's")), raises(MemoryError()), raises(KeyboardInterrupt())):
    attempt(3, m.fail, "as it must")
# A hook that comes back to Rust, where nothing panics yet, and which panics itself.
def again(text):
    if m.is_panicking(): said.append("panics")
    if text == "as it must": once(m.fail, "hook panics")
answer = again
attempt(2, m.fail, "as it must")
answer = raises(ValueError("a hook's"))
attempt(1, m.throw, "thrown")
answer = lambda text: None
attempt(1, m.throw, "thrown")
answer = raises(ValueError("a hook's"))
m.catches()
attempt(2, m.fail, "as it must")
m.take()
attempt(2, m.fail, "as it must")
*/
/* expect
hook: as it must; RuntimeError as it must, src/lib.rs:33
hook: hook panics; RuntimeError hook panics, src/lib.rs:34
hook: hook fails; RuntimeError hook fails, src/lib.rs:35
hook: ?; RuntimeError other, of 5 letters, src/lib.rs:36
hook: as it must; RuntimeError as it must, src/lib.rs:33
hook: as it must; RuntimeError as it must, src/lib.rs:33
hook: as it must; KeyboardInterrupt -
hook: as it must; hook: hook panics; RuntimeError hook panics, src/lib.rs:34; RuntimeError as it must, src/lib.rs:33
hook: ?; ValueError a hook's
hook: ?; RuntimeError thrown
hook: caught; RuntimeError as it must, src/lib.rs:33
RuntimeError as it must, src/lib.rs:33
*/
