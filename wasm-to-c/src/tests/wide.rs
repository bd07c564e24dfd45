//! Addresses of 64 bits: what each premise is for.

use super::*;

/// The C of a function with i32 parameters 0 to 2 and i32 locals 3 to 7, with a page of memory.
fn c_of(body: &str, options: &Options) -> String {
    let head = "(module (memory 1) (func (export \"f\") (param i32 i32 i32) (local i32 i32 i32 i32 i32)";
    translated(&format!("{head} {body}))"), options)
}

fn fast() -> Options {
    Options { safety: Safety::Trusted, for_speed: true, wide_addresses: true, ..Options::default() }
}

/// How many accesses are 64 bits wide in a loop that ends when parameter 2 is 0.
fn wide(body: &str) -> usize {
    c_of(&counted(body), &fast()).matches("WASM_WIDE(").count()
}

fn counted(body: &str) -> String {
    format!("(loop {body} {} (br_if 0 {L2}))", plus(2, -1))
}

fn load(address: &str) -> String {
    add(3, &format!("(i32.load8_u {address})"))
}

fn both(a: &str, b: &str) -> String {
    format!("(i32.add {a} {b})")
}

#[test]
fn addresses_that_are_stepped_are_wide() {
    for (body, count) in [
        (format!("{} {}", load(P0), plus(0, 4)), 1),
        (format!("{} {}", load(P0), plus(0, -4)), 1),
        // By what the loop does not change, which may be negative.
        (format!("{} {}", load(P0), add(0, P1)), 1),
        // A constant or a sum away, before and behind a step.
        (format!("{} {} {}", load(&sum(P0, -4)), plus(0, 4), load(&sum(P0, 8))), 2),
        (format!("{} {} {}", load(P0), load(&both(P0, P1)), plus(0, 4)), 2),
        (format!("{} {} {}", load(&both(P0, P1)), load(P0), plus(0, 4)), 2),
        // Only in some iterations, behind one that is in all.
        (format!("{} (if {P1} (then {})) {}", load(P0), load(&sum(P0, 4)), plus(0, 4)), 2),
        // An index.
        (format!("{} {}", load(&both(P1, &times_4(P0))), plus(0, 1)), 1),
        // More than one step.
        (format!("{} {} {} {}", load(P0), plus(0, 1), load(P0), plus(0, 1)), 2),
        (format!("{} (block (br_if 0 {P1}) {}) {}", load(P0), plus(4, 1), plus(0, 4)), 1),
        // A call does not set variables.
        (format!("{} (call 0 {P0} {P1} {P1}) {}", load(P0), plus(0, 4)), 1),
    ] {
        assert_eq!(wide(&body), count, "{body}");
    }
    // The variable is always the low half.
    let c = c_of(&counted(&format!("{} {}", load(P0), plus(0, 4))), &fast());
    for line in ["t0 = (uint64_t)l0;", "l0 = (uint32_t)t0;", "t0 = t0 + 4ull;"] {
        assert!(c.contains(line), "{c}");
    }
    // Differences have a sign.
    let c = c_of(&counted(&format!("{} {} {}", load(P0), load(&both(P0, P1)), add(0, P1))), &fast());
    assert_eq!(c.matches("(uint64_t)(int64_t)(int32_t)l1;").count(), 2, "{c}");
}

#[test]
fn addresses_that_may_wrap_around_are_not_wide() {
    let step = plus(0, 4);
    let near = load(P0);
    for body in [
        // Not in each iteration.
        format!("(if {P1} (then {near})) {step}"),
        format!("(block (br_if 0 {P1}) {near}) {step}"),
        // A step that is not the same, or not in each iteration, or moves an address by too much.
        format!("{near} {}", add(0, L3)),
        format!("{near} {}", set(0, L3)),
        format!("{near} (if {P1} (then {step}))"),
        format!("{near} {}", plus(0, 1 << 28)),
        format!("{} {}", load(&both(P1, &times_4(P0))), plus(0, 1 << 26)),
        format!("{} {}", load(&times_4(P0)), add(0, P1)),
        format!("{near} {} {}", add(0, P1), add(0, P1)),
        // The loop changes what is added, too.
        format!("{} {step} {}", load(&both(P0, P1)), plus(1, 4)),
        // A loop is in it.
        format!("(loop (br_if 0 {P1})) {near} {step}"),
    ] {
        assert_eq!(wide(&body), 0, "{body}");
    }
    for (body, count) in [
        // Before the one that is in all iterations, which may not get there.
        (format!("(if {P1} (then {})) {near} {step}", load(&sum(P0, 4))), 1),
        // Behind a step that is not known.
        (format!("{near} {} {near}", add(0, P1)), 1),
    ] {
        assert_eq!(wide(&body), count, "{body}");
    }
    // From which one others are counted: the shortest address, if nothing ends the loop between them.
    let of = |between: &str| {
        let (longer, shorter) = (load(&both(P0, P1)), load(P0));
        c_of(&format!("(block {})", counted(&format!("{longer} {between} {shorter} {step}"))), &fast())
    };
    assert!(!of("").contains("(uint64_t)(l0 + l1)"));
    assert!(of("(br_if 1 (local.get 4))").contains("(uint64_t)(l0 + l1)"));
    // Nothing is counted from an address that may not be accessed.
    let at = |address: &str| load(&both(P0, address));
    let c =
        c_of(&counted(&format!("{near} (if {P1} (then {})) {} {step}", at(L4), at(&sum(L4, 16)))), &fast());
    assert!(c.contains("(uint64_t)(int64_t)(int32_t)(l4 + 16u)"), "{c}");
    // The first address wraps around as a sum of 32 bits.
    let c = c_of(&counted(&format!("{} {step}", load(&sum(P0, 8)))), &fast());
    assert!(c.contains("t0 = ((uint64_t)(l0 + 8u)) + (-8ull);"), "{c}");
    // What is added to an index has a sign.
    let c = c_of(&counted(&load(&both(P1, "(i32.load8_u (local.get 0))"))), &fast());
    assert!(c.contains("(uint64_t)(int64_t)(int32_t)l1"), "{c}");
    // A step before an access does not move it twice.
    let c = c_of(&counted(&format!("{near} {step} {near}")), &fast());
    assert_eq!(c.matches("WASM_WIDE(memory_base, t0)").count(), 2, "{c}");
    let body = counted(&format!("{near} {step}"));
    for options in [
        Options { wide_addresses: false, ..fast() },
        Options { for_speed: false, ..fast() },
        // What is checked, or masked.
        Options { safety: Safety::Checked, ..fast() },
        Options { safety: Safety::Masked, ..fast() },
    ] {
        let loop_with_two_ends = body.replace("(br_if 0", "(br_if 0 (local.get 4)) (br_if 0");
        let c = c_of(&loop_with_two_ends, &options);
        assert!(!c.contains("WASM_WIDE(") && !c.contains("uint64_t"), "{options:?}: {c}");
    }
    // What is checked before a loop is inside.
    let checked = Options { safety: Safety::Checked, ..fast() };
    let c = c_of(&body, &checked);
    assert_eq!(c.matches("WASM_WIDE(").count(), 1);
    // What is not, in the other loop, has an address of 32 bits.
    assert!(c.contains("wasm_cell(memory_base, l0, "), "{c}");
    let loads = [4, 0, 100].map(|at| load(&format!("offset={at} {P0}")));
    let c = c_of(&counted(&format!("{} (call 0 {P0} {P1} {P1}) {step}", loads.concat())), &checked);
    assert!(c.contains("WASM_WIDE(") && c.contains("wasm_inside(l0, 65435u)"), "{c}");
    assert_eq!(c_of(&body, &Options { wide_addresses: false, ..checked }).matches("WASM_WIDE(").count(), 0);
}

#[test]
fn numbers_below_half_of_all_are_indices_of_64_bits() {
    let of = |value: &str, local: &str| format!("{} {}", set(4, value), load(&both(local, L4)));
    for value in ["(i32.load8_u (local.get 0))", "(i32.and (local.get 3) (i32.const 0x7fffffff))"] {
        assert_eq!(wide(&of(value, P1)), 1, "{value}");
    }
    for (value, local) in [
        // It may be more, or the array changes.
        ("(i32.load8_s (local.get 0))", P1),
        ("(i32.and (local.get 3) (i32.const 0x80000000))", P1),
        ("(local.get 3)", P1),
        ("(i32.load8_u (local.get 0))", L3),
    ] {
        assert_eq!(wide(&of(value, local)), 0, "{value}");
    }
    // It is set again on some way.
    let byte = set(4, "(i32.load8_u (local.get 0))");
    let read = load(&both(P1, L4));
    assert_eq!(wide(&format!("{byte} (block (br_if 0 {P1}) {}) {read}", plus(5, 1))), 1);
    assert_eq!(wide(&format!("{byte} (block (br_if 0 {P1}) {}) {read}", set(4, L3))), 0);
    assert_eq!(wide(&format!("(block (br_if 0 {P1}) {byte}) {read}")), 0);
    // Times the size of an element, unless that wraps around.
    let scaled = |mask: u32, by: u32| {
        let index = format!("(i32.shl (i32.and (local.get 3) (i32.const {mask})) (i32.const {by}))");
        c_of(&counted(&load(&both(P1, &index))), &fast())
    };
    assert!(scaled(255, 2).contains("* 4ull"));
    assert!(!scaled(0x7fff_ffff, 2).contains("ull"));
}
