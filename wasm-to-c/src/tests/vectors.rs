//! Tests of translations of vectors.

use super::translated;
use crate::options::{Options, Safety};

/// How many accesses of a module with this memory and function are checked, and its C.
fn of_vectors(memory: &str, safety: Safety, body: &str) -> (usize, String) {
    let text = format!("(module (memory {memory}) (func (export \"f\") (param i32) (result v128) {body}))");
    let c = translated(&text, &Options { safety, ..Options::default() });
    (c.matches("wasm_cell(").count() + c.matches("wasm_inside(").count(), c)
}

#[test]
fn accesses_of_vectors_are_proved_as_others_are() {
    let checked = |body: &str| of_vectors("1", Safety::Checked, body).0;
    // As wide as a vector, the half of one that is loaded, and a lane.
    for (op, width) in [
        ("v128.load", 16),
        ("v128.load8x8_s", 8),
        ("v128.load64_zero", 8),
        ("v128.load32_splat", 4),
        ("v128.load16_splat", 2),
    ] {
        let load = |at: u32| format!("({op} (i32.rem_u (local.get 0) (i32.const {at})))");
        assert_eq!(checked(&load(65536 - width + 1)), 0, "{op}");
        assert_eq!(checked(&load(65536 - width + 2)), 1, "{op}");
    }
    let lane = |op: &str, at: u32| {
        format!("({op} 1 (i32.rem_u (local.get 0) (i32.const {at})) (v128.const i64x2 0 0))")
    };
    assert_eq!(checked(&lane("v128.load32_lane", 65533)), 0);
    assert_eq!(checked(&lane("v128.load32_lane", 65534)), 1);
    let store = |at: u32| format!("{} (v128.const i64x2 0 0)", lane("v128.store64_lane", at));
    assert_eq!(checked(&store(65529)), 0);
    assert_eq!(checked(&store(65530)), 1);
    // One that is inside says it of those behind.
    let twice = "(drop (v128.load (local.get 0))) (v128.load (local.get 0))";
    assert_eq!(checked(twice), 1);
}

#[test]
fn a_masked_memory_has_room_behind_it_for_a_vector() {
    // Farther than the fields of structures are.
    let load = |op: &str| format!("(drop ({op} offset=300 (local.get 0))) (v128.const i64x2 0 0)");
    for (op, bytes) in [("v128.load", 65536 + 16), ("v128.load64_splat", 65536 + 8), ("i64.load", 65536 + 8)]
    {
        let c = of_vectors("1", Safety::Masked, &load(op)).1;
        assert!(c.contains(&format!("memory[{bytes}]")), "{op}: {c}");
    }
}

#[test]
fn lanes_are_shuffled_as_wide_as_they_are() {
    let shuffle = |lanes: &str| {
        let body = format!("(i8x16.shuffle {lanes} (v128.const i64x2 1 2) (v128.const i64x2 3 4))");
        of_vectors("1", Safety::Checked, &body).1
    };
    for (lanes, c) in [
        (
            "8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23",
            "simd_i64x2_shuffle(WASM_V128(0x1ull, 0x2ull), WASM_V128(0x3ull, 0x4ull), 1, 2)",
        ),
        (
            "4 5 6 7 0 1 2 3 28 29 30 31 16 17 18 19",
            "simd_i32x4_shuffle(WASM_V128(0x1ull, 0x2ull), WASM_V128(0x3ull, 0x4ull), 1, 0, 7, 4)",
        ),
        ("2 3 4 5 0 1 2 3 28 29 30 31 16 17 18 19", ", 1, 2, 0, 1, 14, 15, 8, 9)"),
        ("1 2 3 4 0 1 2 3 28 29 30 31 16 17 18 19", "simd_i8x16_shuffle("),
        ("0 1 2 3 0 1 2 3 28 29 31 30 16 17 18 19", "simd_i8x16_shuffle("),
    ] {
        assert!(shuffle(lanes).contains(c), "{lanes}: {}", shuffle(lanes));
    }
}

#[test]
fn only_modules_with_vectors_include_their_operators() {
    let includes = |text: &str| translated(text, &Options::default()).contains("wasm_simd.h");
    assert!(!includes("(module (memory 1) (func (export \"f\") (drop (i64.load (i32.const 0)))))"));
    for text in [
        "(module (func (param v128)))",
        "(module (func (local v128)))",
        "(module (global v128 (v128.const i64x2 1 2)))",
        "(module (func (drop (block (result v128) (unreachable)))))",
        "(module (func (if (result v128) (i32.const 1) (then (unreachable)) (else (unreachable))) (drop)))",
        "(module (memory 1) (func (v128.store8_lane 0 (i32.const 0) (v128.const i64x2 1 2))))",
    ] {
        assert!(includes(text), "{text}");
    }
}

#[test]
fn products_of_lanes_of_few_bits_are_narrow() {
    let c = |body: &str| {
        let text = format!(
            "(module (memory 1) (func $v (result v128) (v128.const i64x2 0 0)) \
             (func (export \"f\") (param $p v128) (param $n i32) (result v128) (local $x v128) (local $y v128) {body}))"
        );
        translated(&text, &Options { safety: Safety::Trusted, ..Options::default() })
    };
    let narrow = |body: &str| {
        let c = c(body);
        c.matches("simd_narrow_product").count() + c.matches("simd_low_product").count()
    };
    const S16: &str = "(i32x4.extend_low_i16x8_s (local.get $p))";
    const U16: &str = "(i32x4.extend_high_i16x8_u (local.get $p))";
    const U8: &str = "(i32x4.extend_low_i16x8_u (i16x8.extend_high_i8x16_u (local.get $p)))";
    const LOADED: &str = "(i32x4.splat (i32.load16_s (local.get $n)))";
    let mul = |a: &str, b: &str| format!("(i32x4.mul {a} {b})");
    let long = |value: &str| format!("(i64x2.extend_high_i32x4_s {value})");
    let number = |lanes: &str| format!("(v128.const i32x4 {lanes})");
    for body in [
        mul(S16, S16),
        mul(U8, LOADED),
        mul(S16, &number("-32768 32767 0 1")),
        mul("(i32x4.splat (i32.const -32768))", S16),
        format!("(i64x2.mul {} {})", long(S16), long(S16)),
        format!("(i64x2.mul {} (v128.const i64x2 -32768 32767))", long(S16)),
        format!("(i64x2.extmul_high_i32x4_s {S16} {S16})"),
        // A local that has such numbers alone.
        format!(
            "(local.set $x {S16}) (if (local.get $n) (then (local.set $x {}))) (local.set $y (local.get $x)) {}",
            number("1 2 3 4"),
            mul("(local.get $y)", S16)
        ),
    ] {
        assert_eq!(narrow(&body), 1, "{body}");
    }
    for body in [
        mul(S16, U16),
        mul(S16, "(local.get $p)"),
        mul(S16, &number("0 0 0 32768")),
        mul(S16, &number("0 -32769 0 0")),
        mul("(i32x4.splat (i32.load16_u (local.get $n)))", S16),
        mul("(i32x4.splat (i32.const 32768))", S16),
        // Numbers of 16 bits that are signed elsewhere only.
        mul("(i32x4.extend_low_i16x8_u (i16x8.extend_low_i8x16_s (local.get $p)))", S16),
        format!("(i64x2.mul {} (i64x2.extend_low_i32x4_u {S16}))", long(S16)),
        format!("(i64x2.mul {} {})", long(S16), long("(local.get $p)")),
        format!("(i64x2.extmul_low_i32x4_u {S16} {S16})"),
        // A local that may have others: a parameter, a result, what a loop makes of it.
        format!("(if (local.get $n) (then (local.set $p {S16}))) {}", mul("(local.get $p)", S16)),
        format!("(local.set $x {S16}) (local.set $x (call $v)) {}", mul("(local.get $x)", S16)),
        format!(
            "(local.set $x {S16}) (loop (local.set $y {}) (local.set $x (i32x4.add (local.get $x) (local.get $x))) \
             (br_if 0 (local.get $n))) (local.get $y)",
            mul("(local.get $x)", S16)
        ),
    ] {
        assert_eq!(narrow(&body), 0, "{body}");
    }
    // Bytes that are put into a vector one by one.
    let byte = |at: u32| format!("(i32.load8_u offset={at} (local.get $n))");
    let gathered = |first: &str, lanes: [u32; 3]| {
        let [a, b, d] = lanes;
        let (x, y, z) = (byte(1), byte(2), byte(3));
        let vector = format!(
            "(i8x16.replace_lane {a} (i8x16.replace_lane {b} (i8x16.replace_lane {d} {first} {x}) {y}) {z})"
        );
        c(&format!("(i32x4.extend_low_i16x8_s (i16x8.extend_low_i8x16_s {vector}))"))
            .contains("simd_v128_load32_zero")
    };
    let splat = format!("(i8x16.splat {})", byte(0));
    assert!(gathered(&splat, [3, 1, 2]) && gathered("(i8x16.splat (local.get $n))", [1, 2, 3]));
    assert!(!gathered(&splat, [1, 1, 2]) && !gathered(&splat, [1, 2, 4]) && !gathered(&splat, [0, 1, 2]));
    assert!(!gathered("(local.get $p)", [1, 2, 3]));
}

#[test]
fn numbers_are_loaded_into_wider_lanes() {
    let c_in = |safety: Safety, body: &str| {
        let text = format!(
            "(module (memory 1) (func (export \"f\") (param $p i32) (param $v v128) (result v128) {body}))"
        );
        translated(&text, &Options { safety, ..Options::default() })
    };
    let c = |body: &str| c_in(Safety::Trusted, body);
    let four =
        |sign: &str| format!("(i16x8.extend_low_i8x16_{sign} (v128.load32_zero offset=8 (local.get $p)))");
    for (body, expected) in [
        ("(v128.load8x8_s (local.get $p))".to_owned(), "SIMD_LOAD8TO16(s, "),
        ("(i16x8.extend_low_i8x16_u (v128.load64_zero (local.get $p)))".to_owned(), "SIMD_LOAD8TO16(u, "),
        (format!("(i32x4.extend_low_i16x8_s {})", four("s")), "SIMD_LOAD8TO32(s, "),
        // 8 bits without a sign are no negative number of 16 bits.
        (format!("(i32x4.extend_low_i16x8_s {})", four("u")), "SIMD_LOAD8TO32(u, "),
        (format!("(i32x4.extmul_low_i16x8_s {} {})", four("s"), four("u")), "SIMD_PRODUCTS8TO32(s, "),
    ] {
        assert!(c(&body).contains(expected), "{body}");
    }
    for body in [
        "(i16x8.extend_high_i8x16_s (v128.load64_zero (local.get $p)))".to_owned(),
        "(i16x8.extend_low_i8x16_s (v128.load32_zero (local.get $p)))".to_owned(),
        "(i16x8.extend_low_i8x16_s (v128.load (local.get $p)))".to_owned(),
        // Numbers that may lie anywhere.
        "(v128.load16x4_s align=1 (local.get $p))".to_owned(),
        // The sign is one of 16 bits only.
        format!("(i32x4.extend_low_i16x8_u {})", four("s")),
        format!("(i32x4.extend_high_i16x8_s {})", four("s")),
        format!("(i32x4.extmul_low_i16x8_s {} (local.get $v))", four("s")),
        format!("(i32x4.extmul_low_i16x8_u {} {})", four("u"), four("u")),
        format!("(i32x4.extmul_high_i16x8_s {} {})", four("s"), four("s")),
    ] {
        assert!(!c(&body).contains("SIMD_LOAD") && !c(&body).contains("SIMD_PRODUCTS"), "{body}");
    }
    // What a hint says of a module that nobody trusts means nothing. Bytes lie right anywhere.
    for (align, expected) in [(8, false), (4, false), (1, false)] {
        let body = format!("(v128.load16x4_s align={align} (local.get $p))");
        assert_eq!(c_in(Safety::Checked, &body).contains("SIMD_LOAD"), expected, "{align}");
    }
    assert!(c_in(Safety::Checked, "(v128.load8x8_s align=1 (local.get $p))").contains("SIMD_LOAD8TO16(s, "));
}
