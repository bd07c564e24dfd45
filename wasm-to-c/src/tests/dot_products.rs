//! Sums of products of bytes.

use super::{products, translated, trusted};
use crate::options::Options;

/// A loop that adds products of two bytes from local 0 and local 1 on to local 3, with local 2 as its counter. Local 4 is another one.
const LOOP: &str = "(loop
    (local.set 3 (i32.add (i32.mul (i32.load8_s offset=1 (local.get 0)) (i32.load8_s offset=1 (local.get 1)))
        (i32.add (i32.mul (i32.add (i32.load8_s (local.get 0)) (i32.const 0)) (i32.load8_s (local.get 1))) (local.get 3))))
    (local.set 0 (i32.add (local.get 0) (i32.const 2)))
    (local.set 1 (i32.add (local.get 1) (i32.const 2)))
    (br_if 0 (local.tee 2 (i32.sub (local.get 2) (i32.const 2)))))
  (i32.add (local.get 3) (local.get 0))";

fn function(body: &str) -> String {
    format!("(func (export \"f\") (param i32 i32 i32) (result i32) (local i32 i32) {body})")
}

#[test]
fn loops_that_add_products_of_bytes_become_calls() {
    let c = trusted(&function(LOOP));
    let call = "if (WASM_MULTIPLIES_BYTES & (uint32_t)(l2 >= 4u)) {";
    assert!(c.contains(call), "{c}");
    assert!(c.contains("t0 = l2 & (-4u);"), "{c}");
    assert!(c.contains("l3 = wasm_dot_product(l3, (const uint8_t *)(memory_base + (l0)), (const uint8_t *)(memory_base + (l1)), t0, 0x0u);"), "{c}");
    assert!(c.contains("l0 = l0 + t0;") && c.contains("l2 = l2 - t0;"), "{c}");
    // The rest is left to the loop.
    assert!(c.contains("if (l2 == 0) goto L"), "{c}");
    assert!(c.contains("do {\n"), "{c}");
    // A constant, which may be added to either.
    let both = LOOP.replace(
        "(i32.load8_s offset=1 (local.get 0))",
        "(i32.add (i32.load8_s offset=1 (local.get 0)) (i32.const 5))",
    );
    let both = both.replace("(i32.const 0)", "(i32.const 5)");
    assert!(trusted(&function(&both)).contains("t0, 0x50005u)"));
    let second = LOOP.replace(
        "(i32.load8_s offset=1 (local.get 1))",
        "(i32.add (i32.load8_s offset=1 (local.get 1)) (i32.const 5))",
    );
    let second =
        second.replace("(i32.load8_s (local.get 1))", "(i32.add (i32.load8_s (local.get 1)) (i32.const 5))");
    let c = trusted(&function(&second));
    assert!(c.contains("wasm_dot_product(l3, (const uint8_t *)(memory_base + (l1)), (const uint8_t *)(memory_base + (l0)), t0, 0x50005u)"), "{c}");
    // Up to an end.
    let ends = LOOP.replace("(i32.sub (local.get 2) (i32.const 2))", "(local.get 2)");
    let ends = ends.replace("(local.tee 2", "(i32.ne (local.get 0)");
    let c = trusted(&function(&ends));
    assert!(c.contains("WASM_MULTIPLIES_BYTES & (uint32_t)((l2 - l0) >= 4u)"), "{c}");
}

#[test]
fn labels_are_those_of_one_place() {
    // The last label of the function is that of the block.
    let last = "(block (br_if 0 (local.get 4)) (loop (br_if 1 (local.get 3)) (br 0)))";
    let looped = LOOP.replace("(i32.add (local.get 3) (local.get 0))", "");
    let c = trusted(&function(&format!("{looped} {last} (local.get 3)")));
    assert!(c.contains("wasm_dot_product"), "{c}");
    let mut labels: Vec<&str> =
        c.lines().map(str::trim).filter(|line| line.starts_with('L') && line.ends_with(":;")).collect();
    let count = labels.len();
    labels.sort_unstable();
    labels.dedup();
    assert!(count > 2 && labels.len() == count, "{c}");
}

#[test]
fn loops_with_a_broken_premise_stay_as_they_are() {
    for (part, other) in [
        // Something else happens.
        ("(local.set 1 (i32.add", "(i32.store8 (local.get 1) (local.get 3)) (local.set 1 (i32.add"),
        ("(local.set 1 (i32.add", "(local.set 4 (i32.load8_u (local.get 1))) (local.set 1 (i32.add"),
        (
            "(local.set 1 (i32.add",
            "(local.set 4 (i32.div_u (local.get 4) (local.get 1))) (local.set 1 (i32.add",
        ),
        // The bytes do not follow one another, are others, or are added elsewhere.
        ("offset=1 (local.get 0)", "offset=2 (local.get 0)"),
        ("offset=1 (local.get 0)", "(local.get 0)"),
        (
            "(local.set 1 (i32.add (local.get 1) (i32.const 2)))",
            "(local.set 1 (i32.add (local.get 1) (i32.const 3)))",
        ),
        ("(local.set 1 (i32.add (local.get 1) (i32.const 2)))", ""),
        (
            "(local.set 1 (i32.add (local.get 1) (i32.const 2)))",
            "(local.set 1 (i32.add (local.get 1) (local.get 4)))",
        ),
        ("(i32.load8_s offset=1 (local.get 1))", "(i32.load8_u offset=1 (local.get 1))"),
        ("(i32.load8_s (local.get 1))", "(i32.load16_s (local.get 1))"),
        ("(i32.load8_s (local.get 1))", "(local.get 1)"),
        ("(local.get 3))))", "(local.get 4))))"),
        ("(local.get 3))))", "(i32.add (local.get 3) (local.get 3)))))"),
        // Constants differ, or their sum with a byte has more than 16 bits.
        ("(i32.const 0)", "(i32.const 1)"),
        // Not as many bytes as are counted.
        ("(i32.sub (local.get 2) (i32.const 2))", "(i32.sub (local.get 2) (i32.const 1))"),
        ("(i32.sub (local.get 2) (i32.const 2))", "(i32.sub (local.get 2) (local.get 4))"),
        (
            "(local.tee 2 (i32.sub (local.get 2) (i32.const 2)))",
            "(i32.lt_u (local.tee 2 (i32.sub (local.get 2) (i32.const 2))) (local.get 4))",
        ),
        // The end moves.
        ("(local.tee 2 (i32.sub (local.get 2) (i32.const 2)))", "(i32.ne (local.get 0) (local.get 3))"),
        // The sum is read in an iteration, or what one computes behind the loop.
        ("(local.set 1 (i32.add", "(local.set 4 (local.get 3)) (local.set 1 (i32.add"),
        ("(br_if", "(local.set 4 (i32.add (local.get 0) (local.get 1))) (br_if"),
    ] {
        assert!(LOOP.contains(part), "{part}");
        // Local 4 is read behind it.
        let body =
            LOOP.replace(part, other).replace("(local.get 3) (local.get 0))", "(local.get 3) (local.get 4))");
        assert!(!trusted(&function(&body)).contains("wasm_dot_product"), "{part} {other}");
    }
    let large = LOOP.replace(
        "(i32.load8_s offset=1 (local.get 0))",
        "(i32.add (i32.load8_s offset=1 (local.get 0)) (i32.const 32641))",
    );
    assert!(
        !trusted(&function(&large.replace("(i32.const 0)", "(i32.const 32641)")))
            .contains("wasm_dot_product")
    );
    // What an iteration reads of a variable that it sets later is from the iteration before.
    let delayed = LOOP
        .replace("(load8_s (local.get 1)", "(load8_s (local.get 4)")
        .replace("offset=1 (local.get 1)", "offset=1 (local.get 4)");
    let delayed = delayed.replace("(br_if", "(local.set 4 (local.get 1)) (br_if");
    assert!(!trusted(&function(&delayed)).contains("wasm_dot_product"));
}

#[test]
fn checked_loops_stay_as_they_are() {
    let text = format!("(module (memory 1) {})", function(LOOP));
    assert!(!translated(&text, &Options::default()).contains("wasm_dot_product"));
}

#[test]
fn four_products_of_bytes_are_computed_at_once() {
    let quads = |sum: &str| {
        let c = trusted(&format!(
            "(func (export \"f\") (param i32 i32) (result i32) (local.set 0 {sum}) (local.get 0))"
        ));
        c.matches("WASM_QUAD_PRODUCT").count()
    };
    let load = |local: u32, at: u32| format!("(i32.load8_s offset={at} (local.get {local}))");
    let mul = |a: &str, b: &str| format!("(i32.mul {a} {b})");
    let sum = |terms: &[String]| {
        terms[1..].iter().fold(terms[0].clone(), |sum, term| format!("(i32.add {sum} {term})"))
    };
    let of = |order: &[u32], a: u32, b: u32| -> Vec<String> {
        order.iter().map(|at| mul(&load(0, a + at), &load(1, b + at))).collect()
    };
    assert_eq!(quads(&sum(&of(&[0, 1, 2, 3], 0, 0))), 1);
    assert_eq!(quads(&sum(&of(&[2, 0, 3, 1], 4, 9))), 1);
    assert_eq!(quads(&sum(&of(&[7, 1, 2, 3, 5, 4, 6, 0], 0, 0))), 2);
    // With what else is added, the factors exchanged, and a constant.
    let mut terms = of(&[0, 1, 2], 0, 0);
    terms.extend([mul(&load(1, 3), &load(0, 3)), "(local.get 1)".to_owned()]);
    assert_eq!(quads(&sum(&terms)), 1);
    let plus = |at: u32, by: i32| mul(&format!("(i32.add {} (i32.const {by}))", load(0, at)), &load(1, at));
    assert_eq!(quads(&sum(&[plus(0, 5), plus(1, 5), plus(2, 5), plus(3, 5)])), 1);
    let constant = |at: u32, number: i32| mul(&load(0, at), &format!("(i32.const {number})"));
    assert_eq!(quads(&sum(&[constant(0, 1), constant(1, -32768), constant(2, 32767), constant(3, 0)])), 1);
    // Too few, too far apart, unequal constants, or constants that 16 bits do not hold.
    assert_eq!(quads(&sum(&of(&[0, 1, 2], 0, 0))), 0);
    assert_eq!(quads(&sum(&of(&[0, 1, 2, 4], 0, 0))), 0);
    assert_eq!(quads(&sum(&of(&[0, 1, 2, 2], 0, 0))), 0);
    assert_eq!(quads(&sum(&[plus(0, 5), plus(1, 5), plus(2, 6), plus(3, 5)])), 0);
    assert_eq!(quads(&sum(&[plus(0, 32641), plus(1, 32641), plus(2, 32641), plus(3, 32641)])), 0);
    assert_eq!(quads(&sum(&[constant(0, 1), constant(1, -32769), constant(2, 32767), constant(3, 0)])), 0);
    assert_eq!(quads(&sum(&[constant(0, 1), constant(1, 3), constant(2, 32768), constant(3, 0)])), 0);
    // Two bytes are no numbers of 16 bits.
    let long = |a: &str, b: &str| format!("(i64.mul {a} {b})");
    assert_eq!(products(&long("(i64.load8_s (local.get 0))", "(i64.load8_s (local.get 0))")), [1, 0]);
}
