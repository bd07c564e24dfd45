//! `std` does what people expect of it, by MicroPython, and says so where it cannot.
//!
//! boards: all
//! panic: both
//! lto: both

use std::collections::HashMap;
use std::io::Write;
use std::time::{Duration, Instant, SystemTime};
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
pub fn prints(name: &str) -> bool {
    print!("plain ");
    println!("{name:>8}|{:?}\0{{}}.", Some(1));
    let mut out = std::io::stdout();
    out.write_all(b"bytes ").unwrap();
    assert_eq!(out.write(b"more ").unwrap(), 5);
    writeln!(out, "{}", name.len()).unwrap();
    let mut lock = out.lock();
    write!(lock, "locked {}", 1).unwrap();
    lock.write_all(b"\n").unwrap();
    out.flush().is_ok()
}

#[wasm_bindgen]
pub fn errors(name: &str) {
    eprintln!("{name} 1");
    let mut out = std::io::stderr();
    out.write_all(b"bytes ").unwrap();
    writeln!(out.lock(), "{}", dbg!(name.len())).unwrap();
}

#[wasm_bindgen]
pub fn clocks(ms: u64) -> Vec<f64> {
    let (start, began) = (Instant::now(), SystemTime::now());
    std::thread::sleep(Duration::from_millis(ms));
    assert!(Instant::now() >= start + Duration::from_millis(ms));
    let since = began.duration_since(SystemTime::UNIX_EPOCH).unwrap();
    vec![
        start.elapsed().as_secs_f64(),
        (Instant::now() - start).as_secs_f64(),
        since.as_secs_f64(),
        began.elapsed().unwrap().as_secs_f64(),
    ]
}

/// The order of a map's keys.
#[wasm_bindgen]
pub fn order() -> Vec<u32> {
    let map: HashMap<u32, ()> = (0..32).map(|key| (key, ())).collect();
    map.into_keys().collect()
}

/// Random bytes of all versions of getrandom.
#[wasm_bindgen]
pub fn random() -> Vec<u8> {
    let mut bytes = [0; 48];
    getrandom_02::getrandom(&mut bytes[..16]).unwrap();
    getrandom_03::fill(&mut bytes[16..32]).unwrap();
    getrandom_04::fill(&mut bytes[32..]).unwrap();
    bytes.to_vec()
}

#[wasm_bindgen]
pub fn exit(status: i32) {
    std::process::exit(status);
}

#[wasm_bindgen]
pub fn abort() {
    std::process::abort();
}

/// What cannot be.
#[wasm_bindgen]
pub fn cannot(what: u8) -> String {
    match what {
        0 => std::fs::read("a.txt").unwrap_err().to_string(),
        1 => std::fs::write("a.txt", "").unwrap_err().to_string(),
        2 => std::net::TcpStream::connect("127.0.0.1:1").unwrap_err().to_string(),
        3 => std::thread::Builder::new().spawn(|| ()).map(drop).unwrap_err().to_string(),
        4 => std::process::Command::new("ls").status().map(drop).unwrap_err().to_string(),
        5 => std::env::current_dir().map(drop).unwrap_err().to_string(),
        6 => format!("{} arguments", std::env::args().count()),
        7 => std::thread::spawn(|| 1).join().unwrap().to_string(),
        _ => std::fs::File::open("a.txt").map(|_| ()).unwrap_err().to_string(),
    }
}

/* dependencies
getrandom_02 = { package = "getrandom", version = "0.2" }
getrandom_03 = { package = "getrandom", version = "0.3" }
getrandom_04 = { package = "getrandom", version = "0.4" }
*/
/* python
import std_functions as m, time, sys
print(m.prints("name"))
m.errors("name")
if sys.platform == "linux": print("name 1\nbytes [src/lib.rs:31:32] name.len() = 4\n4")
a = time.time()
b, c, d, e = m.clocks(30)
print(0.03 <= b <= c < 5, 0.029 <= e < 5)
year = time.gmtime(0)[0] if hasattr(time, "gmtime") else 1970
print(abs(d - a - (946684800 if year == 2000 else 0)) < 5)
o = [m.order() for i in range(3)]
print(sorted(o[0]) == list(range(32)), len(set(m.random())) > 20, m.random() != m.random())
for status in (0, 3):
    try: m.exit(status)
    except SystemExit as x: print("SystemExit", x.args[0])
try: m.abort()
except RuntimeError as x: print(x)
for i in range(9):
    try: print(i, m.cannot(i))
    except RuntimeError as x: print(i, str(x).split(", /")[0])
print(m.prints("again"))
*/
/* expect
plain     name|Some(1)\0{}.
bytes more 4
locked 1
True
name 1
bytes [src/lib.rs:31:32] name.len() = 4
4
True True
True
True True True
SystemExit 0
SystemExit 3
unreachable
0 operation not supported on this platform
1 operation not supported on this platform
2 operation not supported on this platform
3 operation not supported on this platform
4 operation not supported on this platform
5 operation not supported on this platform
6 0 arguments
7 failed to spawn thread: Error { kind: Unsupported, message: "operation not supported on this platform" }
8 operation not supported on this platform
plain    again|Some(1)\0{}.
bytes more 5
locked 1
True
*/
