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
    let call = "if (WASM_HAS_DOT_PRODUCT_s8_32 & (uint32_t)(l2 >= 4u)) {";
    assert!(c.contains(call), "{c}");
    assert!(c.contains("t0 = l2 & (-4u);"), "{c}");
    assert!(c.contains("l3 = wasm_dot_product_s8_32(l3, (const uint8_t *)(memory_base + (l0)), (const uint8_t *)(memory_base + (l1)), t0, 0);"), "{c}");
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
    assert!(trusted(&function(&both)).contains("t0, 5)"));
    let second = LOOP.replace(
        "(i32.load8_s offset=1 (local.get 1))",
        "(i32.add (i32.load8_s offset=1 (local.get 1)) (i32.const 5))",
    );
    let second =
        second.replace("(i32.load8_s (local.get 1))", "(i32.add (i32.load8_s (local.get 1)) (i32.const 5))");
    let c = trusted(&function(&second));
    assert!(c.contains("wasm_dot_product_s8_32(l3, (const uint8_t *)(memory_base + (l1)), (const uint8_t *)(memory_base + (l0)), t0, 5)"), "{c}");
    // Up to an end.
    let ends = LOOP.replace("(i32.sub (local.get 2) (i32.const 2))", "(local.get 2)");
    let ends = ends.replace("(local.tee 2", "(i32.ne (local.get 0)");
    let c = trusted(&function(&ends));
    assert!(c.contains("WASM_HAS_DOT_PRODUCT_s8_32 & (uint32_t)((l2 - l0) >= 4u)"), "{c}");
}

/// The loop with numbers of another kind.
fn of_numbers(load: &str, bytes: u32, ty: &str) -> String {
    let body = LOOP.replace("i32.load8_s offset=1", &format!("{load} offset={bytes}"));
    let body =
        body.replace("(i32.add (i32.load8_s (local.get 0)) (i32.const 0))", "(i32.load8_s (local.get 0))");
    let body = body.replace("i32.load8_s", load).replace("i32.mul", &format!("{ty}.mul"));
    let body = body.replace("(i32.add (i64.mul", "(i64.add (i64.mul");
    ["0", "1"].iter().fold(body, |body, local| {
        let step = |by| format!("(i32.add (local.get {local}) (i32.const {by}))");
        body.replace(&step(2), &step(2 * bytes))
    })
}

fn long_function(body: &str) -> String {
    let body = body.replace("(i32.add (local.get 3) (local.get 0))", "(local.get 3)");
    format!("(func (export \"f\") (param i32 i32 i32) (result i64) (local i64 i32) {body})")
}

#[test]
fn numbers_of_several_kinds_are_multiplied() {
    for (load, bytes, kind) in [
        ("i32.load8_u", 1, "u8"),
        ("i32.load16_s", 2, "s16"),
        ("i32.load16_u", 2, "u16"),
        ("i32.load", 4, "u32"),
    ] {
        let c = trusted(&function(&of_numbers(load, bytes, "i32")));
        assert!(c.contains(&format!("if (WASM_HAS_DOT_PRODUCT_{kind}_32 & (uint32_t)(l2 >= 4u)) {{")), "{c}");
        assert!(c.contains(&format!("l3 = wasm_dot_product_{kind}_32(l3, ")), "{c}");
    }
    for (load, bytes, kind) in [
        ("i64.load16_s", 2, "s16"),
        ("i64.load16_u", 2, "u16"),
        ("i64.load32_s", 4, "s32"),
        ("i64.load32_u", 4, "u32"),
    ] {
        let c = trusted(&long_function(&of_numbers(load, bytes, "i64")));
        assert!(c.contains(&format!("l3 = wasm_dot_product_{kind}_64(l3, ")), "{c}");
    }
    // A product that 32 bits hold.
    let product = |load: &str, bytes| {
        let body = of_numbers(load, bytes, "i32");
        let body = body
            .replace("(i32.add (i32.mul", "(i64.add (i32.mul")
            .replace("(i32.mul", "(i64.extend_i32_s (i32.mul");
        let body = body.replace(&format!("({load} (local.get 1)))"), &format!("({load} (local.get 1))))"));
        let ends = format!("offset={bytes} (local.get 1)))");
        long_function(&body.replace(&ends, &format!("{ends})")))
    };
    assert!(trusted(&product("i32.load16_s", 2)).contains("l3 = wasm_dot_product_s16_64(l3, "));
    assert!(!trusted(&product("i32.load16_u", 2)).contains("wasm_dot_product"));
    assert!(!trusted(&product("i32.load", 4)).contains("wasm_dot_product"));
    // No processor has these.
    assert!(!trusted(&long_function(&of_numbers("i64.load8_s", 1, "i64"))).contains("wasm_dot_product"));
    assert!(!trusted(&long_function(&of_numbers("i64.load", 8, "i64"))).contains("wasm_dot_product"));
    // An addend is for bytes only.
    let plus = of_numbers("i32.load16_s", 2, "i32")
        .replace("(i32.load16_s (local.get 0))", "(i32.add (i32.load16_s (local.get 0)) (i32.const 1))");
    let plus = plus.replace(
        "(i32.load16_s offset=2 (local.get 0))",
        "(i32.add (i32.load16_s offset=2 (local.get 0)) (i32.const 1))",
    );
    assert!(!trusted(&function(&plus)).contains("wasm_dot_product"));
    // Bytes step by one, numbers of 16 bits by two.
    let close = of_numbers("i32.load16_s", 2, "i32").replace("offset=2", "offset=1");
    assert!(!trusted(&function(&close)).contains("wasm_dot_product"));
}

#[test]
fn a_counter_may_count_bytes() {
    let counts = |by: u32, left: &str| {
        let body = of_numbers("i32.load16_s", 2, "i32").replace(
            "(i32.sub (local.get 2) (i32.const 2))",
            &format!("(i32.sub (local.get 2) (i32.const {by}))"),
        );
        let c = trusted(&function(&body));
        assert!(c.contains(left), "{c}");
    };
    counts(4, "(uint32_t)(l2 >= 8u)");
    counts(4, "t0 = (l2 >> (1u & 31)) & (-4u);");
    counts(4, "l2 = l2 + (t0 * (-2u));");
    counts(16, "t0 = (l2 >> (3u & 31)) & (-4u);");
}

#[test]
fn what_an_iteration_computes_may_be_read_behind_it() {
    let body = LOOP.replace("(br_if", "(local.set 4 (i32.add (local.get 0) (i32.const 7))) (br_if");
    let body = body.replace("(local.get 3) (local.get 0))", "(local.get 3) (local.get 4))");
    let c = trusted(&function(&body));
    // Local 0 has stepped before it was read, and that is what it has now.
    let after = c.split("l0 = l0 + t0;").nth(1).expect("a call");
    assert!(after.contains("l4 = l0 + 7u;"), "{c}");
    let body = LOOP.replace(
        "(local.set 0 (i32.add",
        "(local.set 4 (i32.add (local.get 0) (local.get 1))) (local.set 0 (i32.add",
    );
    let body = body.replace("(local.get 3) (local.get 0))", "(local.get 3) (local.get 4))");
    let c = trusted(&function(&body));
    // It was computed from both before they stepped.
    let after = c.split("l1 = l1 + t0;").nth(1).expect("a call");
    assert!(after.contains("l4 = (l0 + l1) - 4u;") || after.contains("l4 = (l0 + l1) + (-4u);"), "{c}");
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
        ("(i32.sub (local.get 2) (i32.const 2))", "(i32.sub (local.get 2) (i32.const 6))"),
        ("(i32.sub (local.get 2) (i32.const 2))", "(i32.sub (local.get 2) (local.get 4))"),
        (
            "(local.tee 2 (i32.sub (local.get 2) (i32.const 2)))",
            "(i32.lt_u (local.tee 2 (i32.sub (local.get 2) (i32.const 2))) (local.get 4))",
        ),
        // The end moves.
        ("(local.tee 2 (i32.sub (local.get 2) (i32.const 2)))", "(i32.ne (local.get 0) (local.get 3))"),
        // The sum is read in an iteration, or what one computes behind the loop.
        ("(local.set 1 (i32.add", "(local.set 4 (local.get 3)) (local.set 1 (i32.add"),
        ("(br_if", "(local.set 4 (i32.add (local.get 0) (local.get 3))) (br_if"),
        ("(br_if", "(local.set 4 (i32.load8_s (local.get 1))) (br_if"),
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
