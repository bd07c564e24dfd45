//! `panic = "unwind"` without wasm-bindgen: exported functions may unwind, or must not; `catch_unwind`; hooks.
//! panic: unwind

use std::cell::Cell;
use std::panic;

thread_local! {
    static ENDED: Cell<u32> = const { Cell::new(0) };
}

struct Guard(#[allow(dead_code)] Vec<u8>);

impl Guard {
    fn new() -> Guard {
        Guard(std::hint::black_box(vec![1; 20]))
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        ENDED.set(ENDED.get() + 1);
    }
}

#[link(wasm_import_module = "host")]
unsafe extern "C-unwind" {
    safe fn call(n: u32) -> u32;
}

#[unsafe(no_mangle)]
pub extern "C-unwind" fn run(n: u32) -> u32 {
    let _guard = Guard::new();
    if n == 9 {
        panic!("nine is {n}")
    }
    call(n)
}

#[unsafe(no_mangle)]
pub extern "C" fn must_not(n: u32) -> u32 {
    let _guard = Guard::new();
    run(n)
}

#[unsafe(no_mangle)]
pub extern "C-unwind" fn reserve(bytes: usize) -> usize {
    let _guard = Guard::new();
    std::hint::black_box(Vec::<u8>::with_capacity(bytes)).capacity()
}

#[unsafe(no_mangle)]
pub extern "C" fn catches(n: u32) -> u32 {
    panic::catch_unwind(|| run(n)).unwrap_or(1000)
}

#[unsafe(no_mangle)]
pub extern "C" fn hook() {
    panic::set_hook(Box::new(|_| drop(call(7))));
}

#[unsafe(no_mangle)]
pub extern "C" fn ended() -> u32 {
    ENDED.replace(0)
}

/* dependencies
# No dependencies.wasm-bindgen here.
*/
/* python
import sys
class Host: pass
host = sys.modules["host"] = Host()
def call(n):
    if n == 5: raise ValueError(n)
    if n == 6: raise KeyboardInterrupt
    if n == 7: print("hook")
    return n
host.call = call
import unwinding_plain as m
def attempt(f, n):
    try: print(f(n), m.ended())
    except BaseException as e: print(repr(e), m.ended())
for hooks in range(2):
    for f in (m.run, m.catches, m.must_not):
        for n in (1, 9, 5, 6): attempt(f, n)
    for n in (10, 1 << 30): attempt(m.reserve, n)
    m.hook()
*/
/* expect
1 1
RuntimeError('nine is 9, src/lib.rs:34',) 1
ValueError(5,) 1
KeyboardInterrupt() 1
1 1
1000 1
RuntimeError('nine is 9, src/lib.rs:34',) 1
RuntimeError('nine is 9, src/lib.rs:34',) 1
1 2
RuntimeError('nine is 9, src/lib.rs:34',) 2
RuntimeError('nine is 9, src/lib.rs:34',) 2
RuntimeError('nine is 9, src/lib.rs:34',) 2
10 1
MemoryError('out of memory',) 1
1 1
hook
RuntimeError('nine is 9, src/lib.rs:34',) 1
ValueError(5,) 1
KeyboardInterrupt() 1
1 1
hook
1000 1
RuntimeError('nine is 9, src/lib.rs:34',) 1
RuntimeError('nine is 9, src/lib.rs:34',) 1
1 2
hook
RuntimeError('nine is 9, src/lib.rs:34',) 2
RuntimeError('nine is 9, src/lib.rs:34',) 2
RuntimeError('nine is 9, src/lib.rs:34',) 2
10 1
MemoryError('out of memory',) 1
*/
