//! Loops with branches, several iterations at a time: what each premise is for.

use super::*;

fn speed() -> Options {
    Options { safety: Safety::Trusted, for_speed: true, ..Options::default() }
}

/// The C of a function with two parameters, whose locals 2 to 4 are i32.
fn c(body: &str, options: &Options) -> String {
    let head = "(func (export \"f\") (param i32 i32) (result i32) (local i32 i32 i32)";
    translated(&format!("(module (memory 1) {head} {body} (i32.add (local.get 2) (local.get 3))))"), options)
}

/// What the locals are before.
const FIRST: &str = "(local.set 2 (i32.const 0)) (local.set 3 (local.get 0))";
/// What local 3 becomes in each iteration of the loops here.
const MIX: &str = "(local.set 3 (i32.xor (local.get 3) (i32.const 77)))";
/// A way out of them.
const LEAVE: &str = "(br_if 1 (i32.and (local.get 3) (i32.const 8)))";

/// A loop whose counter, local 2, ends at a number.
fn counted(body: &str, step: i32, end: i32) -> String {
    let step = format!("(local.set 2 (i32.add (local.get 2) (i32.const {step})))");
    let again = format!("(br_if 0 (i32.ne (local.get 2) (i32.const {end})))");
    format!("{FIRST} (block (loop {MIX} {body} {step} {again}))")
}

/// How many iterations a loop has in C.
fn iterations(body: &str) -> usize {
    c(body, &speed()).matches("^ 77u").count()
}

#[test]
fn counters_are_compared_once_for_several_iterations() {
    let body = format!("(local.set 4 (i32.sub (local.get 2) (i32.const 3))) {LEAVE}");
    let text = c(&counted(&body, 2, 24), &speed());
    let mut rest = &text[..];
    let mut next = |part: &str| {
        let at = rest.find(part).unwrap_or_else(|| panic!("{part} in\n{rest}\nof\n{text}"));
        rest = &rest[at + part.len()..];
    };
    next("do {");
    let reads = ["l4 = l2 - 3u;", "l4 = l2 + (-1u);", "l4 = l2 + 1u;", "l4 = l2 + 3u;"];
    let steps = ["", "l2 = l2 + 2u;", "l2 = l2 + 4u;", "l2 = l2 + 6u;"];
    for (read, step) in reads.into_iter().zip(steps) {
        ["l3 = l3 ^ 77u;", read, "if (l3 & 8u) ", step, "goto L1;"].into_iter().for_each(&mut next);
    }
    next("l2 = l2 + 8u;\n    } while (l2 != 24u);\nL1:;\n    return l2 + l3;");
    assert_eq!(text.matches("l2 = l2 + ").count(), 4, "{text}");
}

#[test]
fn variables_are_read_as_far_ahead_as_they_would_be() {
    // Before and behind their step, in what is stored, in a block inside, and in what is returned.
    let store = "(i32.store8 offset=9 (i32.add (local.get 2) (local.get 0)) (local.get 2))";
    let inside = "(if (local.get 3) (then (local.set 4 (local.get 2))))";
    let back = "(if (i32.lt_u (local.get 3) (i32.const 5)) (then (return (local.get 2))))";
    let other = "(local.set 0 (i32.add (local.get 0) (i32.const -4)))";
    let text = c(&counted(&format!("{other} {store} {inside} {back}"), 1, 4), &speed());
    for part in [
        "((l2 + 1u) + (l0 + (-8u))), 9) = (uint8_t)(l2 + 1u)",
        "l4 = l2 + 3u;",
        "return l2 + 2u;",
        "l2 = l2 + 4u;\n",
        "l0 = l0 + (-16u);\n",
    ] {
        assert!(text.contains(part), "{part} in\n{text}");
    }
    // A variable that is set elsewhere in the loop, or in some iterations only, is stepped as before.
    for set in ["(local.set 4 (local.get 0))", "(if (local.get 3) (then (local.set 4 (i32.const 1))))"] {
        let step = "(local.set 4 (i32.add (local.get 4) (i32.const 5)))";
        let text = c(&counted(&format!("{LEAVE} {step} {set}"), 1, 4), &speed());
        assert_eq!(text.matches("l4 = l4 + 5u;").count(), 4, "{text}");
    }
    let rarely = "(if (local.get 3) (then (local.set 4 (i32.add (local.get 4) (i32.const 5)))))";
    assert_eq!(c(&counted(rarely, 1, 4), &speed()).matches("l4 = l4 + 5u;").count(), 4);
}

#[test]
fn sums_with_a_variable_that_is_ahead_may_wrap_around() {
    // Both addresses are accessed in every iteration, so the first sum does not wrap around: that with another constant may.
    let load = |by: i32| {
        let address = format!("(i32.add (local.get 0) (i32.const {by}))");
        format!("(local.set 3 (i32.xor (local.get 3) (i32.load8_u {address})))")
    };
    let step = "(local.set 0 (i32.add (local.get 0) (i32.const -64)))";
    let text = c(&counted(&format!("{} {} {step} {LEAVE}", load(0), load(4)), 1, 4), &speed());
    assert_eq!(text.matches("WASM_AT_INDEX(wasm_u8, memory_base, l0, 4)").count(), 1, "{text}");
    for by in [-60, -124, -188] {
        assert!(text.contains(&format!("(memory_base + (l0 + ({by}u)))")), "{by} in\n{text}");
    }
}

#[test]
fn loops_end_with_what_repeats_them() {
    // The branch back is in a block, and something is behind it in both.
    let step = "(local.set 2 (i32.add (local.get 2) (i32.const 1)))";
    let again = "(br_if 1 (i32.ne (local.get 2) (i32.const 8)))";
    let leave = "(br_if 0 (i32.and (local.get 3) (i32.const 8)))";
    let looped = |again: &str| {
        let inner = format!("{leave} {step} {again} (local.set 4 (i32.const 5))");
        format!("{FIRST} (loop {MIX} (block {inner}) (local.set 3 (i32.const 6)))")
    };
    let text = c(&looped(again), &speed());
    assert_eq!(iterations(&looped(again)), 4, "{text}");
    let at = |part: &str| text.find(part).unwrap_or_else(|| panic!("{part} in\n{text}"));
    let places = ["do {", "^ 77u", "} while (l2 != 8u);", "l4 = 5u;", ":;\n    l3 = 6u;"];
    assert!(places.map(at).is_sorted(), "{text}");
    assert_eq!((text.matches("l4 = 5u;").count(), text.matches("l3 = 6u;").count()), (1, 1));
    // What is behind one of two branches back is a part of the loop.
    assert_eq!(iterations(&looped(&format!("(br_if 1 (local.get 3)) {again}"))), 1);
    let twice = looped(&again.replace("br_if 1", "br_if 1 (local.get 1)) (br_if 1"));
    assert!(!c(&twice, &speed()).contains("while ("));
    // Code for size stays as it is.
    assert!(!c(&looped(again), &Options { for_speed: false, ..speed() }).contains("while ("));
}

#[test]
fn iterations_stay_as_they_are_without_a_premise() {
    let of = |body: &str, trips: i32| iterations(&counted(body, 1, trips));
    assert_eq!([3, 5, 6, 7, 8].map(|trips| of(LEAVE, trips)), [3, 1, 3, 1, 4]);
    assert_eq!([iterations(&counted(LEAVE, -4, -40)), iterations(&counted(LEAVE, 4, 42))], [2, 1]);
    // Whatever the step is, it ends there.
    assert_eq!(iterations(&counted(LEAVE, 0, 4)), 1);
    // Nobody knows how often, or the number of trips changes in between.
    let start = counted(LEAVE, 1, 8).replace(FIRST, "(local.set 2 (local.get 1))");
    assert_eq!(iterations(&start), 1);
    let end = counted(LEAVE, 1, 8).replace("(i32.const 8))))", "(local.get 1))))");
    assert_eq!(iterations(&end), 1);
    let changed = "(if (local.get 3) (then (local.set 2 (i32.const 1))))";
    assert_eq!(of(&format!("{LEAVE} {changed}"), 8), 1);
    let step = "(local.set 2 (i32.add (local.get 2) (i32.const 1)))";
    let skipped = counted(LEAVE, 1, 8).replace(step, &format!("(if (local.get 3) (then {step}))"));
    assert_eq!(iterations(&skipped), 1);
    // Another iteration may begin elsewhere, too.
    assert_eq!(of(&format!("{LEAVE} (br_if 0 (i32.eqz (local.get 3)))"), 8), 1);
    // Nothing inside is a loop, a call or an access that is checked.
    assert_eq!(of(&format!("{LEAVE} (loop (br_if 0 (local.get 3)))"), 8), 1);
    assert_eq!(of(&format!("{LEAVE} (drop (call 0 (local.get 0) (local.get 1)))"), 8), 1);
    let load = "(local.set 4 (i32.load (local.get 4)))";
    let store = "(i32.store (local.get 3) (i32.const 1))";
    for access in [load, store] {
        let body = counted(&format!("{LEAVE} {access}"), 1, 8);
        let count = |safety| c(&body, &Options { safety, ..speed() }).matches("^ 77u").count();
        assert_eq!([Safety::Trusted, Safety::Masked, Safety::Checked].map(count), [4, 1, 1]);
    }
    // Without branches, `loops` decides, and only the C compiler's flags say how often it is written.
    assert_eq!(of("", 8), 1);
    // Long loops stay as they are.
    let long = |count: usize| of(&format!("{LEAVE} {}", MIX.repeat(count)), 8);
    assert_eq!([long(0), long(10), long(25), long(90)], [4, 4 * 11, 2 * 26, 91]);
    for options in [Options { for_speed: false, ..speed() }, Options { wide_addresses: true, ..speed() }] {
        assert_eq!(c(&counted(LEAVE, 1, 8), &options).matches("^ 77u").count(), 1);
    }
}
