//! `panic = "unwind"` without wasm-bindgen: exported functions may unwind, or must not; `catch_unwind`; hooks.
//! boards: all
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

/// Panics when it is dropped, and may catch that.
struct Fails(bool);

impl Drop for Fails {
    fn drop(&mut self) {
        if self.0 {
            drop(panic::catch_unwind(|| panic!("caught in a destructor")));
        } else {
            panic!("in a destructor")
        }
    }
}

#[link(wasm_import_module = "host")]
unsafe extern "C-unwind" {
    safe fn call(n: u32) -> u32;
}

#[unsafe(no_mangle)]
pub extern "C-unwind" fn run(n: u32) -> u32 {
    let _guard = Guard::new();
    match n {
        9 => panic!("nine is {n}"),
        10 => panic::panic_any(n),
        11 => panic::panic_any("a str"),
        12 => panic::resume_unwind(Box::new(String::from("resumed"))),
        13 => panic!("{:ü>300}", n),
        14 | 15 => {
            let _fails = Fails(n == 14);
            call(5)
        }
        16 => {
            let _fails = Fails(true);
            panic!("outside of a destructor")
        }
        17 => {
            drop(Fails(false));
            n
        }
        _ => call(n),
    }
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
def attempt(name, n):
    try: said = getattr(m, name)(n)
    except BaseException as e: said = repr(e)
    print(name, n, said if n != 13 else len(str(said)), m.ended())
for hooks in range(2):
    for name in ("must_not", "run", "catches"):
        for n in (5, 1, 9, 5, 6) + tuple(range(10, 18)): attempt(name, n)
    for n in (10, 1 << 30): attempt("reserve", n)
    m.hook()
*/
/* expect
must_not 5 ValueError(5,) 2
must_not 1 1 2
must_not 9 RuntimeError('nine is 9, src/lib.rs:48',) 2
must_not 5 ValueError(5,) 2
must_not 6 KeyboardInterrupt() 2
must_not 10 RuntimeError('Box<dyn Any>',) 2
must_not 11 RuntimeError('a str',) 2
must_not 12 RuntimeError('resumed',) 2
must_not 13 529 2
must_not 14 ValueError(5,) 2
must_not 15 RuntimeError('in a destructor, src/lib.rs:34',) 1
must_not 16 RuntimeError('outside of a destructor',) 2
must_not 17 RuntimeError('in a destructor, src/lib.rs:34',) 2
run 5 ValueError(5,) 1
run 1 1 1
run 9 RuntimeError('nine is 9, src/lib.rs:48',) 1
run 5 ValueError(5,) 1
run 6 KeyboardInterrupt() 1
run 10 RuntimeError('Box<dyn Any>',) 1
run 11 RuntimeError('a str',) 1
run 12 RuntimeError('resumed',) 1
run 13 529 1
run 14 ValueError(5,) 1
run 15 RuntimeError('in a destructor, src/lib.rs:34',) 0
run 16 RuntimeError('outside of a destructor',) 1
run 17 RuntimeError('in a destructor, src/lib.rs:34',) 1
catches 5 ValueError(5,) 1
catches 1 1 1
catches 9 1000 1
catches 5 ValueError(5,) 1
catches 6 KeyboardInterrupt() 1
catches 10 1000 1
catches 11 1000 1
catches 12 1000 1
catches 13 4 1
catches 14 ValueError(5,) 1
catches 15 1000 0
catches 16 1000 1
catches 17 1000 1
reserve 10 10 1
reserve 1073741824 MemoryError('out of memory',) 1
must_not 5 ValueError(5,) 2
must_not 1 1 2
hook
must_not 9 RuntimeError('nine is 9, src/lib.rs:48',) 2
must_not 5 ValueError(5,) 2
must_not 6 KeyboardInterrupt() 2
hook
must_not 10 RuntimeError('Box<dyn Any>',) 2
hook
must_not 11 RuntimeError('a str',) 2
must_not 12 RuntimeError('resumed',) 2
hook
must_not 13 529 2
hook
must_not 14 ValueError(5,) 2
hook
must_not 15 RuntimeError('in a destructor, src/lib.rs:34',) 1
hook
hook
must_not 16 RuntimeError('outside of a destructor',) 2
hook
must_not 17 RuntimeError('in a destructor, src/lib.rs:34',) 2
run 5 ValueError(5,) 1
run 1 1 1
hook
run 9 RuntimeError('nine is 9, src/lib.rs:48',) 1
run 5 ValueError(5,) 1
run 6 KeyboardInterrupt() 1
hook
run 10 RuntimeError('Box<dyn Any>',) 1
hook
run 11 RuntimeError('a str',) 1
run 12 RuntimeError('resumed',) 1
hook
run 13 529 1
hook
run 14 ValueError(5,) 1
hook
run 15 RuntimeError('in a destructor, src/lib.rs:34',) 0
hook
hook
run 16 RuntimeError('outside of a destructor',) 1
hook
run 17 RuntimeError('in a destructor, src/lib.rs:34',) 1
catches 5 ValueError(5,) 1
catches 1 1 1
hook
catches 9 1000 1
catches 5 ValueError(5,) 1
catches 6 KeyboardInterrupt() 1
hook
catches 10 1000 1
hook
catches 11 1000 1
catches 12 1000 1
hook
catches 13 4 1
hook
catches 14 ValueError(5,) 1
hook
catches 15 1000 0
hook
hook
catches 16 1000 1
hook
catches 17 1000 1
reserve 10 10 1
reserve 1073741824 MemoryError('out of memory',) 1
*/
