//! Numbers of a linear recurrence that are computed of the one before: what each premise is for.

use super::*;

/// Of a function with an i32 and the address 1, with two locals of either type more.
fn c(body: &str, options: &Options) -> String {
    let text = format!(
        "(module (memory 1) (func (export \"f\") (param i32 i32) (local i32 i32 i64 i64) {body} (drop (i32.load offset=99 (local.get 2)))))"
    );
    translated(&text, options)
}

fn speed() -> Options {
    Options { safety: Safety::Trusted, for_speed: true, ..Options::default() }
}

/// How many numbers are computed of the one before.
fn count(body: &str) -> usize {
    c(body, &speed()).matches("= wasm_product(t").count()
}

/// The number of the recurrence after so many steps, and `more`.
fn number(steps: usize, more: u32) -> String {
    let (mut a, mut b) = (1u32, 0u32);
    for _ in 0..steps {
        (a, b) = (a.wrapping_mul(1_664_525), b.wrapping_mul(1_664_525).wrapping_add(1_013_904_223));
    }
    format!("(i32.add (i32.mul (local.get 0) (i32.const {a})) (i32.const {}))", b.wrapping_add(more))
}

fn store(at: u32, value: &str) -> String {
    format!("(i32.store8 offset={at} (local.get 1) (i32.shr_u {value} (i32.const 8)))")
}

fn set(local: u32, value: &str) -> String {
    format!("(local.set {local} {value})")
}

/// As LLVM has it, which keeps the last.
fn three() -> String {
    let stores = [2, 1].map(|at: usize| store(at as u32 - 1, &number(at, 0)));
    format!("{} {} {}", set(2, &number(3, 0)), store(2, "(local.get 2)"), stores.concat())
}

#[test]
fn numbers_are_computed_of_the_one_before_in_their_order() {
    let text = c(&three(), &speed());
    let at = |part: &str| text.find(part).unwrap_or_else(|| panic!("{part} in\n{text}"));
    let places = [
        "t0 = wasm_product(l0, 1664525u) + 1013904223u;",
        "*(wasm_u8 *)(memory_base + (l1)) = (uint8_t)(t0 >>",
        "t1 = wasm_product(t0, 1664525u) + 1013904223u;",
        "l1, 1) = (uint8_t)(t1 >>",
        "t2 = wasm_product(t1, 1664525u) + 1013904223u;",
        "l2 = t2;",
        "l1, 2) = (uint8_t)(t2 >>",
    ];
    assert!(places.map(at).is_sorted(), "{text}");
    // The number that all are computed of becomes the last.
    let body = format!("{} {} {}", store(0, &number(2, 0)), store(1, &number(1, 0)), set(0, &number(3, 0)));
    assert_eq!(count(&body), 2);
    // Of 64 bits, with constants that wrap around, and in other statements between lines.
    let wide = |steps: u32| {
        let a = 6_364_136_223_846_793_005_u64;
        let (a, b) = (0..steps)
            .fold((1, 0), |(x, y): (u64, u64), _| (x.wrapping_mul(a), y.wrapping_mul(a).wrapping_add(1)));
        format!("(i64.add (i64.mul (local.get 4) (i64.const {a})) (i64.const {b}))")
    };
    let stores: Vec<String> =
        (1..4).rev().map(|at| format!("(i64.store offset={} (local.get 1) {})", 8 * at, wide(at))).collect();
    let text = c(&stores.concat(), &speed());
    assert_eq!(text.matches(" = (t").count(), 2, "{text}");
    // A division by a constant does not trap, but for 0.
    let divided = |by: i32| {
        let value = |steps| format!("(i32.rem_u {} (i32.const {by}))", number(steps, 0));
        count(&format!("{} {}", store(0, &value(2)), store(1, &value(1))))
    };
    assert_eq!([3, -1, 0].map(divided), [1, 1, 0]);
}

#[test]
fn numbers_stay_as_they_are_without_a_premise() {
    let two = |first: &str, second: &str| count(&format!("{} {}", store(4, first), store(2, second)));
    assert_eq!(two(&number(2, 0), &number(1, 0)), 1);
    // Not the next one, or of something else.
    assert_eq!(two(&number(2, 1), &number(1, 0)), 0);
    assert_eq!(two(&number(3, 0), &number(1, 0)), 0);
    assert_eq!(two(&number(2, 0), &number(1, 0).replace("local.get 0", "local.get 2")), 0);
    // What is read from memory may be what is stored.
    let loaded = format!("(i32.xor (i32.load8_u offset=4 (local.get 1)) {})", number(1, 0));
    assert_eq!(two(&number(2, 0), &loaded), 0);
    // Stores that overlap, or may, and those that may trap.
    let at = |first: &str, second: &str| {
        let store = |place: &str, steps| format!("(i32.store16 {place} {})", number(steps, 0));
        count(&format!("{} {}", store(first, 2), store(second, 1)))
    };
    assert_eq!(at("offset=2 (local.get 1)", "(local.get 1)"), 1);
    assert_eq!(at("offset=1 (local.get 1)", "(local.get 1)"), 0);
    assert_eq!(at("(local.get 1)", "offset=1 (local.get 1)"), 0);
    assert_eq!(at("offset=2 (local.get 1)", "(local.get 2)"), 0);
    // The second would need no check in the other order.
    let upwards = format!("{} {}", store(0, &number(2, 0)), store(2, &number(1, 0)));
    assert_eq!(count(&upwards), 1);
    for safety in [Safety::Checked, Safety::Masked] {
        assert!(!c(&upwards, &Options { safety, ..speed() }).contains("wasm_product(t"));
    }
    // A variable that is read before it is set, is set again, or is part of an address.
    let between =
        |stmt: &str| count(&format!("{} {stmt} {}", store(4, &number(2, 0)), store(2, &number(1, 0))));
    assert_eq!(between(&set(2, &number(3, 0))), 2);
    assert_eq!(between(&set(1, &number(3, 0))), 0);
    assert_eq!(between(&set(0, "(local.get 2)")), 0);
    assert_eq!(between(&set(0, &number(1, 0))), 1);
    assert_eq!(between("(call 0 (local.get 0) (local.get 1))"), 0);
    assert_eq!(between("(if (local.get 2) (then (local.set 0 (i32.const 1))))"), 0);
    let mixed = format!("(i32.xor (local.get 3) {})", number(1, 0));
    assert_eq!(count(&format!("{} {}", store(4, &mixed), set(3, &number(2, 0)))), 0);
    assert_eq!(count(&format!("{} {}", set(3, &number(2, 0)), store(4, &mixed))), 1);
    // Code for size keeps its size, and larger machines need not wait for the number before.
    for options in [Options { for_speed: false, ..speed() }, Options { wide_addresses: true, ..speed() }] {
        assert!(!c(&three(), &options).contains("wasm_product(t"));
    }
}
