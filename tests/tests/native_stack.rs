//! Modules that would overflow the native stack, most of them without recursion. Calls must end in an exception, and the
//! board must go on. `STACK_BOARD=NAME` runs all on one board.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use cargo_mpy::options::BuildOptions;
use tests::board;

const BOARDS: [&str; 4] = ["unix", "qemu-armv6m", "qemu-rv32imc", "qemu-xtensawin"];

fn repeated(text: &str, count: usize) -> String {
    [text].repeat(count).join(" ")
}

/// A function `g` with so many results, which are all different and never known to the compiler.
fn results(count: usize) -> String {
    let mut text = format!("(func $g (param i32) (result {})", repeated("i64", count));
    for at in 0..count {
        let _ = write!(text, " (i64.load offset={} (local.get 0))", at % 1000);
    }
    text + ")"
}

/// A function with so many results that is called by Python.
fn values(count: usize) -> String {
    let loads = (0..count).fold(String::new(), |mut text, at| {
        let _ = write!(text, " (i64.load offset={} (local.get 0))", at % 1000);
        text
    });
    let results = repeated("i64", count);
    format!("(module (memory 1) (func (export \"f\") (param i32) (result {results}) {loads}))")
}

/// Calls an import with so many parameters, which is its own caller.
fn arguments(count: usize) -> String {
    let params = repeated("i64", count);
    let args = (0..count).fold(String::new(), |text, at| text + &format!("(local.get {at})"));
    let zeros = repeated("(i64.const 0)", count);
    format!(
        "(module (import \"arguments\" \"g\" (func $g (param {params}) (result i64))) \
         (func (export \"g\") (param {params}) (result i64) (i64.add (i64.const 1) (call $g {args}))) \
         (func (export \"f\") (param i32) (result i64) (call $g {zeros})))"
    )
}

/// Each of `count` functions calls the next one between the two parts of its body. That it does so in two places, and
/// stores something behind, keeps compilers from making one function of all.
fn chain(count: usize, params: &str, args: &str, last: &str, [before, behind]: [&str; 2]) -> String {
    let mut text = String::new();
    for at in 0..count {
        let next = match at + 1 {
            next if next < count => {
                let call = |address: u32| {
                    format!(
                        "(call $f{next} {})",
                        args.replacen("(local.get 0)", &format!("(i32.const {address})"), 1)
                    )
                };
                format!("(if (result i64) (i32.load (local.get 0)) (then {}) (else {}))", call(8), call(16))
            }
            _ => last.to_owned(),
        };
        let _ = writeln!(
            text,
            "(func $f{at} {params} (result i64) (local $last i64) {before} (local.set $last {next}) \
             {behind} (i64.store (i32.const 72) (local.get $last)) (local.get $last))"
        );
    }
    text
}

const EXHAUSTED: &str = "RuntimeError call stack exhausted";
/// What MicroPython itself says, where it is asked before a call.
const DEPTH: &str = "RuntimeError maximum recursion depth exceeded";

/// Python calls `f`.
struct Shape {
    name: &'static str,
    wat: String,
    expected: &'static str,
}

/// Calls a function at all depths of Python's own stack, until there is an exception.
const DEEP: &str = "
def deep(f):
    try:
        f(0)
    except Exception as e:
        return type(e).__name__ + ' ' + str(e)
    return deep(f)
";

/// Each uses much more than the 2 KB that MicroPython reserves on these boards. `exported` are the results of a function
/// that alone has to use more than Python does for a call.
fn shapes(exported: usize) -> Vec<Shape> {
    let module = |code: &str, first: &str| {
        format!(
            "(module (memory 9216 9216 (pagesize 1)) (table 1 1 funcref) (type $t (func (param i32) (result i64))) \
             {code} (func (export \"f\") (param i32) (result i64) {first}))"
        )
    };
    let call = "(call $f0 (local.get 0))";
    let used = |count: usize| {
        let drops = repeated("drop", count - 1);
        format!(
            "(call $g (local.get 0)) {drops} (local.set $last) (i64.store (i32.const 64) (local.get $last))"
        )
    };
    // What is loaded before the next function is called is used behind it, in this order.
    let locals = |count: usize| {
        (0..count).fold(String::new(), |mut text, at| {
            let _ = write!(text, "(local $v{at} i64)");
            text
        })
    };
    let loads = |count: usize| {
        (0..count).fold(String::new(), |mut text, at| {
            let _ = write!(text, "(local.set $v{at} (i64.load offset={at} (local.get 0)))");
            text
        })
    };
    let sum = |value: &str| {
        format!("(local.set $last (i64.rotl (i64.add (local.get $last) (local.get {value})) (i64.const 1)))")
    };
    let sums = |count: usize| (0..count).map(|at| sum(&format!("$v{at}"))).collect::<String>();
    let (param, arg) = ("(param i32)", "(local.get 0)");
    let wide = format!("(param i32 {})", repeated("i64", 250));
    let wide_args = (0..=250).map(|at| format!("(local.get {at})")).collect::<String>();
    let wide_first: String = (0..250).map(|at| format!("(i64.load offset={at} (local.get 0))")).collect();
    let wide_sums: String = (1..=250).map(|at| sum(&at.to_string())).collect();
    let recursion = |again: &str| {
        format!(
            "(func $f0 (type $t) (local $last i64) {} {} (local.set $last {again}) {} (local.get $last))",
            locals(100),
            loads(100),
            sums(100)
        )
    };
    vec![
        Shape {
            name: "results",
            wat: module(&(results(400) + &chain(3, param, arg, "(i64.const 1)", [&used(400), ""])), call),
            expected: EXHAUSTED,
        },
        Shape {
            name: "small_frames",
            wat: module(&(results(8) + &chain(200, param, arg, "(i64.const 1)", [&used(8), ""])), call),
            expected: EXHAUSTED,
        },
        Shape {
            name: "parameters",
            wat: module(
                &chain(6, &wide, &wide_args, &format!("{wide_sums} (local.get $last)"), ["", ""]),
                &format!("(call $f0 (local.get 0) {wide_first})"),
            ),
            expected: EXHAUSTED,
        },
        // The function that Python calls.
        Shape {
            name: "exported",
            wat: module(&results(exported), &format!("(local $last i64) {} (i64.const 1)", used(exported))),
            expected: EXHAUSTED,
        },
        Shape {
            name: "recursion",
            wat: module(&recursion("(call $f0 (i32.add (local.get 0) (i32.const 1)))"), call),
            expected: EXHAUSTED,
        },
        Shape {
            name: "references",
            wat: module(
                &("(elem (i32.const 0) $f0)".to_owned()
                    + &recursion("(call_indirect (type $t) (i32.add (local.get 0) (i32.const 1)) (i32.const 0))")),
                call,
            ),
            expected: EXHAUSTED,
        },
        Shape { name: "arguments", wat: arguments(250), expected: DEPTH },
        // Python's function is the module's own, so there is no other check on the way around.
        Shape {
            name: "imported",
            wat: "(module (import \"imported\" \"f\" (func $f (param i32) (result i64))) \
                  (func (export \"f\") (param i32) (result i64) (i64.add (i64.const 1) (call $f (local.get 0)))))"
                .to_owned(),
            expected: DEPTH,
        },
        Shape { name: "values", wat: values(400), expected: DEPTH },
    ]
}

/// Each shape on this machine, and on an emulated board, which are taken in turn.
#[test]
fn calls_end_in_an_exception_before_the_stack_does() {
    check(is_usual);
}

#[test]
#[ignore = "nightly"]
fn calls_end_in_an_exception_everywhere() {
    check(|shape, board, memory| !is_usual(shape, board, memory));
}

/// Whether every run tries this shape, on the board and in the memory of these numbers.
fn is_usual(shape: usize, board: usize, memory: usize) -> bool {
    if board == 0 { memory == 0 } else { board == 1 + shape % (BOARDS.len() - 1) }
}

/// Tries the shapes, on boards and in memories, all of them numbers, that are `wanted`; with `STACK_BOARD`, all on one board.
fn check(wanted: impl Fn(usize, usize, usize) -> bool) {
    // Both tests write modules of the same names.
    static TURN: Mutex<()> = Mutex::new(());
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let only = std::env::var("STACK_BOARD").ok();
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("native_stack");
    let boards = board::named(&BOARDS);
    for board in boards.into_iter().filter(|board| only.as_ref().is_none_or(|only| *only == board.name)) {
        let name = board.name.as_str();
        let number = BOARDS.iter().position(|known| *known == name).expect("one of them");
        // The checks are the same in both.
        let memories: &[&str] = if name == "unix" { &["checked", "masked"] } else { &["checked"] };
        for (at_memory, memory) in memories.iter().enumerate() {
            let shapes = shapes(if name == "unix" { 1000 } else { 400 });
            let shapes = shapes
                .into_iter()
                .enumerate()
                .filter(|(at, _)| only.is_some() || wanted(*at, number, at_memory));
            for (_, Shape { name: shape, wat, expected }) in shapes {
                let input = folder.join(name).join(format!("{shape}.wat"));
                std::fs::create_dir_all(folder.join(name)).expect("a folder");
                std::fs::write(&input, wat).expect("a module");
                let options = BuildOptions {
                    input: Some(input),
                    memory: Some((*memory).to_owned()),
                    ..board::options(board, &folder.join("target"))
                };
                let module = board::module(&options).unwrap_or_else(|why| panic!("{name} {shape}: {why:?}"));
                let code = format!(
                    "{DEEP}kept = [bytearray(b'x' * 64) for _ in range(50)]\nimport {shape}\n\
                     print(deep({shape}.f), deep({shape}.f), all(x == b'x' * 64 for x in kept))\n"
                );
                let output = board::execute(board, &[module], &code)
                    .unwrap_or_else(|why| panic!("{name} {memory} {shape}: {why}"));
                assert_eq!(output.trim(), format!("{expected} {expected} True"), "{name} {memory} {shape}");
            }
        }
    }
}
