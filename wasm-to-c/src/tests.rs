//! Tests of whole translations.

mod dot_products;
mod linked_lists;
mod recurrences;
mod unroll;
mod vectors;
mod versions;
mod wide;

use crate::options::{Options, Safety, WasmModule};
use crate::translate::transpile;

/// The C of a module of a page of memory and one function, whose accesses are trusted.
fn trusted(function: &str) -> String {
    let text = format!("(module (memory 1) {function})");
    let options = Options { safety: Safety::Trusted, ..Options::default() };
    translated(&text, &options)
}

/// The C of a module.
fn translated(text: &str, options: &Options) -> String {
    let buffer = wast::parser::ParseBuffer::new(text).unwrap();
    let bytes = wast::parser::parse::<wast::Wat<'_>>(&buffer).unwrap().encode().unwrap();
    transpile(&WasmModule::new("test", bytes), options).unwrap().unit.source
}

#[test]
fn zeros_of_data_segments_are_written_over_other_bytes() {
    let written = |memory: &str, segments: [(&str, &str); 2]| {
        let data = segments.map(|(offset, bytes)| format!("(data ({offset}) \"{bytes}\")")).concat();
        let global = "(import \"m\" \"g\" (global $g i32))";
        let options = Options { linkable: true, ..Options::default() };
        let c = translated(&format!("(module {global} {memory} {data})"), &options);
        [0, 1].map(|index| {
            let bytes = c.split_once(&format!("data{index}[")).and_then(|(_, rest)| rest.split_once(']'));
            bytes.map_or(0, |(bytes, _)| bytes.parse().unwrap())
        })
    };
    let (own, imported) = ("(memory 1)", "(import \"m\" \"m\" (memory 1))");
    let (one, zeros) = ("1\\00\\00", "\\00\\00\\00\\00");
    let at = |first: &'static str, second: &'static str| [(first, one), (second, one)];
    // The memory has zeros behind the last byte that is written, and those before it may be written over.
    assert_eq!(written(own, at("i32.const 8", "i32.const 9")), [1, 1]);
    assert_eq!(written(own, at("i32.const 8", "i32.const 8")), [1, 1]);
    assert_eq!(written(own, at("i32.const 8", "i32.const 7")), [1, 3]);
    assert_eq!(written(own, at("i32.const 8", "global.get $g")), [1, 3]);
    assert_eq!(written(own, at("global.get $g", "i32.const 99")), [1, 3]);
    assert_eq!(written(own, [("i32.const 8", one), ("i32.const 8", zeros)]), [1, 4]);
    assert_eq!(written(own, [("i32.const 8", zeros), ("i32.const 8", zeros)]), [0, 0]);
    // Who has it may have written there.
    assert_eq!(written(imported, at("i32.const 8", "i32.const 20")), [3, 3]);
}

#[test]
fn sums_with_addresses_that_were_accessed_do_not_wrap_around() {
    let near = "(i32.load8_u (i32.add (local.get 0) (i32.const 4)))";
    let at = "(i32.load8_u (local.get 0))";
    let head = "(func (export \"f\") (param i32) (result i32)";
    let (wraps, behind) = ("(memory_base + (l0 + 4u))", "WASM_AT_INDEX(wasm_u8, memory_base, l0, 4)");
    assert!(trusted(&format!("{head} {near})")).contains(wraps));
    assert!(trusted(&format!("{head} (i32.add {at} {near}))")).contains(behind));
    // Only in the past, only on this way, and not once it is another.
    assert!(trusted(&format!("{head} (i32.add {near} {at}))")).contains(wraps));
    assert!(trusted(&format!("{head} (if (local.get 0) (then (drop {at}))) {near})")).contains(wraps));
    let other = "(local.set 0 (i32.const -4))";
    assert!(!trusted(&format!("{head} (drop {at}) {other} {near})")).contains(behind));
}

#[test]
fn addresses_with_many_neighbours_in_a_loop_are_marked() {
    let accesses = |count: usize| {
        let each =
            (0..count).map(|at| format!("(f32.store offset={} (local.get 1) (f32.const 0))", 4 + 4 * at));
        let each: String = each.collect();
        let body = format!("(local.set 1 (i32.shl (local.get 0) (i32.const 2))) {each}");
        let step = "(local.tee 0 (i32.sub (local.get 0) (i32.const 1)))";
        trusted(&format!("(func (export \"f\") (param i32) (local i32) (loop {body} (br_if 0 {step})))"))
    };
    assert!(accesses(16).contains("l1 = l0 << (2u & 31);\n        WASM_NEIGHBOURS(l1);\n"));
    assert!(!accesses(16 - 1).contains("WASM_NEIGHBOURS"));
}

#[test]
fn functions_behind_the_largest_table_are_read_over() {
    for functions in ["", "$f", "$f $f"] {
        let fields = format!("(table 1 funcref) (func $f) (elem (i32.const 0xffffffff) func {functions})");
        let text = format!("(module {fields})");
        let buffer = wast::parser::ParseBuffer::new(&text).unwrap();
        let module = wast::parser::parse::<wast::Wat<'_>>(&buffer).unwrap().encode().unwrap();
        assert!(crate::relocs::data_symbols(&module).is_empty());
        assert_eq!(error(&fields, Safety::Checked, None), None, "{functions}");
    }
}

/// The error about a module with these fields; none when it is translated.
fn error(fields: &str, safety: Safety, bytes: Option<u32>) -> Option<&'static str> {
    let text = format!("(module {fields})");
    let buffer = wast::parser::ParseBuffer::new(&text).unwrap();
    let module = wast::parser::parse::<wast::Wat<'_>>(&buffer).unwrap().encode().unwrap();
    let module = WasmModule { memory_bytes: bytes, ..WasmModule::new("test", module) };
    transpile(&module, &Options { safety, ..Options::default() }).err().map(|error| error.code)
}

#[test]
fn what_no_target_has_room_for_is_refused() {
    let large = Some("memory-too-large");
    for (fields, checked, masked) in [
        ("(memory 16385)", None, large),
        ("(memory 16384)", None, None),
        ("(memory 32767)", None, large),
        ("(memory 32768)", large, large),
        ("(memory 40000)", large, large),
        ("(memory 65536)", large, large),
        ("(memory 0) (memory 65536 65536)", large, large),
        ("(memory 4294967295 (pagesize 1))", large, large),
        ("(import \"env\" \"memory\" (memory 65536))", large, large),
        // What it may grow to need not be there.
        ("(memory 1 65536) (func (drop (memory.grow (i32.const 1))))", None, None),
        ("(table 10000001 funcref)", large, large),
        ("(table 4294967295 funcref)", large, large),
        ("(table 1 4294967295 funcref)", None, None),
    ] {
        assert_eq!(error(fields, Safety::Checked, None), checked, "{fields}");
        assert_eq!(error(fields, Safety::Masked, None), masked, "{fields}");
    }
    // What the linker said is used is no better than what is declared.
    assert_eq!(error("(memory 65536)", Safety::Checked, Some(0xffff_fff0)), large);
    assert_eq!(error("(memory 65536)", Safety::Checked, Some(16)), None);
}

#[test]
fn what_only_another_module_has_is_refused() {
    let unknown = Some("unknown-import");
    for (fields, expected) in [
        ("(import \"env\" \"base\" (global i32))", unknown),
        ("(import \"env\" \"count\" (global (mut i64)))", unknown),
        ("(import \"env\" \"table\" (table 4 funcref))", unknown),
        ("(import \"env\" \"memory\" (memory 1))", None),
        ("(import \"env\" \"tag\" (tag (param i32)))", None),
        ("(import \"env\" \"f\" (func))", None),
    ] {
        assert_eq!(error(fields, Safety::Checked, None), expected, "{fields}");
    }
}

#[test]
fn short_loops_with_known_trip_counts_are_unrolled() {
    let looped = |body: &str, last: &str| {
        let text = format!("(loop {body} (br_if 0 {last}))");
        trusted(&format!("(func (export \"f\") (param i32) (local i32) (local i64) {text})"))
    };
    let step = "(local.set 1 (i32.add (local.get 1) (i32.const 4)))";
    let last = "(i32.ne (local.get 1) (i32.const 64))";
    let unrolled = |c: &str, times: &str| c.contains(&format!("WASM_{times}(\n            l1 = l1 + 4u;\n"));
    let once = |c: &str| c.contains("do {\n") && !c.contains("WASM_TWICE") && !c.contains("WASM_FOUR_TIMES");
    let until = |end: u32| format!("(i32.ne (local.get 1) (i32.const {end}))");
    for (end, times) in [(64, "FOUR_TIMES"), (16, "FOUR_TIMES"), (72, "TWICE"), (56, "TWICE"), (8, "TWICE")] {
        assert!(unrolled(&looped(step, &until(end)), times), "{end}");
    }
    assert!(unrolled(&looped(&format!("(block {step} (local.set 0 (i32.const 1)))"), last), "FOUR_TIMES"));
    // More accesses are written twice at most.
    let accesses = |count: usize| {
        let store = "(i32.store (local.get 0) (i32.const 0))".repeat(count);
        looped(&format!("{step} {store}"), last)
    };
    for (count, times) in
        [(4, "FOUR_TIMES"), (5, "TWICE"), (6, "TWICE"), (7, "TWICE_WIDE"), (8, "TWICE_WIDE")]
    {
        assert!(unrolled(&accesses(count), times), "{count}");
    }
    assert!(once(&accesses(9)));
    assert!(once(&looped(step, "(i32.ne (local.get 1) (i32.const 62))")));
    assert!(once(&looped(step, "(i32.ne (local.get 1) (i32.const 68))")));
    assert!(once(&looped(step, "(i32.ne (local.get 1) (local.get 0))")));
    assert!(once(&looped(step, "(i32.lt_u (local.get 1) (i32.const 64))")));
    assert!(once(&looped(step, "(i32.ne (i32.ne (local.get 1) (i32.const 0)) (i32.const 64))")));
    assert!(looped(&format!("{step} {step}"), last).contains("WASM_FOUR_TIMES"));
    assert!(once(&looped(&format!("{step} {step} {step}"), "(i32.ne (local.get 1) (i32.const 60))")));
    assert!(once(&looped(&format!("{step} (if (local.get 0) (then (local.set 0 (i32.const 0))))"), last)));
    assert!(once(&looped(&format!("{step} (if (local.get 0) (then (local.set 1 (i32.const 0))))"), last)));
    assert!(once(&looped("(local.set 0 (i32.add (local.get 0) (i32.const 4)))", "(local.get 0)")));
    // Repeated from other places, too, or not from the end.
    let other = "(if (local.get 0) (then (br 1)))";
    assert!(!looped(&format!("{step} {other}"), last).contains("do {"));
    assert!(!looped(step, &format!("{last}) (local.set 0 (i32.const 1)")).contains("do {"));
}

/// How many accesses of a function are checked. It has parameters 0 and 1, and locals 2 to 4; the memory has 4096 bytes.
fn checked_accesses(body: &str) -> usize {
    let text = format!(
        "(module (memory 4096 4096 (pagesize 1)) (tag $e) (func $other) (func $throws (throw $e))
           (func (export \"f\") (param i32 i32) (local i32 i32 i32) {body}))"
    );
    let buffer = wast::parser::ParseBuffer::new(&text).unwrap();
    let bytes = wast::parser::parse::<wast::Wat<'_>>(&buffer).unwrap().encode().unwrap();
    let module = WasmModule::new("test", bytes);
    let trees = crate::translate::trees(&module, &Options::default(), usize::MAX).unwrap();
    trees.matches("{checked}").count()
}

const LOAD_2: &str = "(drop (i32.load (local.get 2)))";
/// Statements that no C compiler and no pass leaves out.
const KEEP_2: &str = "(local.set 1 (i32.load (local.get 2)))";

fn set(local: u32, value: impl std::fmt::Display) -> String {
    format!("(local.set {local} {value})")
}

fn plus(local: u32, by: i32) -> String {
    set(local, format_args!("(i32.add (local.get {local}) (i32.const {by}))"))
}

const P0: &str = "(local.get 0)";
const P1: &str = "(local.get 1)";
const L2: &str = "(local.get 2)";
const L3: &str = "(local.get 3)";
const L4: &str = "(local.get 4)";

fn sum(value: &str, by: i32) -> String {
    format!("(i32.add {value} (i32.const {by}))")
}

fn add(local: u32, value: &str) -> String {
    set(local, format_args!("(i32.add (local.get {local}) {value})"))
}

fn times_4(value: &str) -> String {
    format!("(i32.shl {value} (i32.const 2))")
}

fn below(value: &str, number: i32) -> String {
    format!("(i32.lt_u {value} (i32.const {number}))")
}

fn number(value: i32) -> String {
    format!("(i32.const {value})")
}

fn until(local: u32, value: i32) -> String {
    format!("(br_if 0 (i32.ne (local.get {local}) (i32.const {value})))")
}

#[test]
fn accesses_that_are_proved_need_no_check() {
    let start = set(2, number(0));
    let step = plus(2, 4);
    for body in [
        // Counted up, down, and from below 0.
        format!("{start} (loop {KEEP_2} {} {})", plus(2, 4), until(2, 4096)),
        format!("(local.set 2 (i32.const 4096)) (loop {} {KEEP_2} {})", plus(2, -4), until(2, 0)),
        format!(
            "{} (loop (local.set 1 (i32.load (i32.add (local.get 2) (i32.const 64)))) {} {})",
            set(2, number(-64)),
            plus(2, 4),
            until(2, 0)
        ),
        // Another variable that the same loop steps.
        format!(
            "{start} {} (loop {KEEP_2} {} {} {})",
            set(3, number(10)),
            plus(2, 4),
            plus(3, -1),
            until(3, 0)
        ),
        // A condition.
        format!("(block (br_if 0 (i32.gt_u (local.get 2) (i32.const 4092))) {KEEP_2})"),
        format!("{} (if (i32.lt_u (local.get 2) (i32.const 4093)) (then {KEEP_2}))", set(2, "(local.get 0)")),
        format!(
            "{} (if (i32.lt_s (i32.sub (local.get 2) (i32.const 8)) (i32.const 5)) (then (if (i32.ge_s (local.get 2) (i32.const 8)) (then {KEEP_2}))))",
            set(2, "(local.get 0)")
        ),
        // The same on both paths.
        format!("(if (local.get 0) (then {}) (else {})) {KEEP_2}", set(2, number(8)), set(2, number(4092))),
        // What another variable is compared with.
        format!(
            "{} {} (block (br_if 0 (i32.gt_u (local.get 3) (i32.const 4000))) {KEEP_2})",
            set(3, "(local.get 0)"),
            set(2, "(i32.add (local.get 3) (i32.const 8))")
        ),
        // Computed before what it is made of is compared.
        format!("{} (block (br_if 0 (i32.gt_u {P0} (i32.const 1023))) {KEEP_2})", set(2, times_4(P0))),
        format!(
            "{} (block (br_if 0 (i32.gt_u {P0} (i32.const 511))) {KEEP_2})",
            set(2, format_args!("(i32.or {P0} (i32.const 64))"))
        ),
        format!(
            "{} (block (br_if 0 (i32.gt_u {P0} (i32.const 4092))) {KEEP_2})",
            set(2, format_args!("(i32.sub (i32.const 4092) {P0})"))
        ),
        // The result of a comparison.
        format!("{} (if {P1} (then (drop (i32.load {P0}))))", set(1, below(P0, 4093))),
        // A multiple of a variable that is compared, whatever both are stepped by.
        format!(
            "{start} (loop (block (br_if 0 (i32.gt_u {L3} (i32.const 1023))) {KEEP_2}) {} {} (br_if 0 {P0}))",
            plus(2, 4),
            plus(3, 1)
        ),
        format!(
            "{start} {} (loop (block (br_if 0 (i32.gt_u {L3} (i32.const 1023))) {KEEP_2}) {} {} (br_if 0 {P0}))",
            set(3, number(0)),
            add(2, &times_4(P0)),
            add(3, P0)
        ),
        // A remainder, behind a mask that changes nothing.
        format!(
            "{} {} (local.set 1 (i32.load (i32.shl (i32.and {L2} (i32.const 65535)) (i32.const 2))))",
            set(3, format_args!("(i32.div_u {P0} (i32.const 24))")),
            set(2, format_args!("(i32.sub {P0} (i32.mul {L3} (i32.const 24)))"))
        ),
        // The same step on both paths, and one by way of another variable.
        format!("{start} (loop {KEEP_2} (if {P0} (then {step}) (else {step})) {})", until(2, 4096)),
        format!("{start} (loop {KEEP_2} {} {} {})", set(3, L2), set(2, sum(L3, 4)), until(2, 4096)),
        // From one variable to another, which are a known number of steps apart.
        format!(
            "{start} (loop {} {} (loop (local.set 1 (i32.load {L3})) {} (br_if 0 (i32.ne {L3} {L4}))) {} {})",
            set(4, sum(L2, 96)),
            set(3, L2),
            plus(3, 16),
            plus(2, 96),
            until(2, 1920)
        ),
        // More than is known at first, but not all.
        format!(
            "{} (loop {KEEP_2} {} (br_if 0 {}))",
            set(2, number(1)),
            set(2, times_4(L2)),
            below(L2, 4000)
        ),
    ] {
        assert_eq!(checked_accesses(&body), 0, "{body}");
    }
}

#[test]
fn accesses_with_a_broken_premise_are_checked() {
    let start = set(2, number(0));
    let step = plus(2, 4);
    for body in [
        // The end is never reached, or reached at once.
        format!("{start} (loop {KEEP_2} {step} {})", until(2, 4094)),
        format!("{start} (loop {KEEP_2} {step} {})", until(2, 0)),
        format!("{start} (loop {KEEP_2} {step} {})", until(2, 4100)),
        // More than one step, or one in a loop inside.
        format!("{start} (loop {KEEP_2} {step} {step} {})", until(2, 4092)),
        format!("{start} (loop {KEEP_2} (loop {step} (br_if 0 (local.get 1))) {})", until(2, 4096)),
        // The other variable is stepped although the counted one is not.
        format!(
            "{start} {} (loop {KEEP_2} {step} (if (local.get 1) (then {})) {})",
            set(3, number(10)),
            plus(3, -1),
            until(3, 0)
        ),
        // Repeated from elsewhere, without a look at the end.
        format!("{start} (loop {KEEP_2} {step} (br_if 0 (local.get 1)) {})", until(2, 4096)),
        // Set to something else.
        format!(
            "{start} (loop {KEEP_2} (local.set 2 (i32.add (local.get 2) (local.get 0))) {})",
            until(2, 4096)
        ),
        // Known on one path only.
        format!(
            "(if (local.get 0) (then {}) (else (local.set 2 (local.get 1)))) {KEEP_2}",
            set(2, number(8))
        ),
        format!("{start} (block (br_if 0 (local.get 0)) (local.set 2 (local.get 1))) {KEEP_2}"),
        format!(
            "{start} (block (br_table 0 1 (local.get 0)) (unreachable)) (local.set 2 (local.get 1)) {KEEP_2}"
        ),
        // 0 until the second iteration.
        format!("(loop {KEEP_2} (local.set 2 (local.get 0)) (br_if 0 (local.get 1)))"),
        // The sum was made before the variable was set.
        format!(
            "{} {} {} (block (br_if 0 (i32.gt_u (local.get 3) (i32.const 4000))) {KEEP_2})",
            set(3, "(local.get 0)"),
            set(2, "(i32.add (local.get 3) (i32.const 8))"),
            set(3, "(local.get 1)")
        ),
        format!(
            "{} {} (loop {} (block (br_if 0 (i32.gt_u (local.get 3) (i32.const 4000))) {KEEP_2}) (br_if 0 (local.get 1)))",
            set(3, "(local.get 0)"),
            set(2, "(local.get 3)"),
            plus(3, 1)
        ),
        // Signed and unsigned.
        format!("{} (if (i32.lt_s (local.get 2) (i32.const 4000)) (then {KEEP_2}))", set(2, "(local.get 0)")),
        format!("(block (br_if 0 (i32.lt_u (local.get 2) (i32.const 4092))) {LOAD_2})")
            .replace("(local.get 2)", "(local.get 0)"),
        // Caught after it was set.
        format!(
            "{start} (block (try_table (catch_all 0) (local.set 2 (local.get 0)) (call $throws) (return))) {KEEP_2}"
        ),
        format!("{start} try (local.set 2 (local.get 0)) (call $throws) catch_all {KEEP_2} end"),
        // One byte too far.
        format!("{} {KEEP_2}", set(2, number(4093))),
        "(block (br_if 0 (i32.gt_u (local.get 0) (i32.const 4093))) (local.set 1 (i32.load (local.get 0))))"
            .to_owned(),
        // No remainder: of something else, by something else, or of a signed number.
        format!(
            "{} {} {KEEP_2}",
            set(3, format_args!("(i32.div_u {P0} (i32.const 24))")),
            set(2, format_args!("(i32.sub {P1} (i32.mul {L3} (i32.const 24)))"))
        ),
        format!(
            "{} {} {KEEP_2}",
            set(3, format_args!("(i32.div_u {P0} (i32.const 24))")),
            set(2, format_args!("(i32.sub {P0} (i32.mul {L3} (i32.const 23)))"))
        ),
        format!(
            "{} {} {KEEP_2}",
            set(3, format_args!("(i32.div_s {P0} (i32.const 24))")),
            set(2, format_args!("(i32.sub {P0} (i32.mul {L3} (i32.const 24)))"))
        ),
        format!(
            "{} {} {KEEP_2}",
            set(3, format_args!("(i32.div_u {P0} (i32.const 4094))")),
            set(2, format_args!("(i32.sub {P0} (i32.mul {L3} (i32.const 4094)))"))
        ),
        // A mask that changes something.
        format!(
            "(block (br_if 0 (i32.gt_u {P0} (i32.const 5000))) {} (br_if 0 (i32.gt_u {L2} (i32.const 100))) (local.set 1 (i32.load {P0})))",
            set(2, format_args!("(i32.and {P0} (i32.const 4095))"))
        ),
        // What it was made of was set in between, or wraps around.
        format!(
            "{} (local.set 0 {P1}) (block (br_if 0 (i32.gt_u {P0} (i32.const 1023))) {KEEP_2})",
            set(2, times_4(P0))
        ),
        format!("{} (block (br_if 0 (i32.gt_u {P0} (i32.const 1073741825))) {KEEP_2})", set(2, times_4(P0))),
        format!(
            "{} (block (br_if 0 (i32.gt_u {P0} (i32.const 4093))) {KEEP_2})",
            set(2, format_args!("(i32.sub (i32.const 4092) {P0})"))
        ),
        format!("{} (local.set 0 {P1}) (if {L3} (then (drop (i32.load {P0}))))", set(3, below(P0, 4093))),
        format!("{} (if (i32.eqz {L3}) (then (drop (i32.load {P0}))))", set(3, below(P0, 4093))),
        // The other variable is not stepped, in some iterations or by as much.
        format!(
            "{start} (loop (block (br_if 0 (i32.gt_u {L3} (i32.const 1023))) {KEEP_2}) {step} (if {P1} (then {})) (br_if 0 {P0}))",
            plus(3, 1)
        ),
        format!(
            "{start} (loop (block (br_if 0 (i32.gt_u {L3} (i32.const 1023))) {KEEP_2}) {} (local.set 0 (i32.load {L3})) {} (br_if 0 {P1}))",
            add(2, &times_4(P0)),
            add(3, P0)
        ),
        format!(
            "{start} (loop (block (br_if 0 (i32.gt_u {L3} (i32.const 1023))) {KEEP_2}) (if {P1} (then {step}) (else {})) {} (br_if 0 {P0}))",
            plus(2, 8),
            plus(3, 1)
        ),
        format!("{start} (loop {KEEP_2} (if {P0} (then {step}) (else {})) {})", plus(2, 8), until(2, 4096)),
        format!(
            "{start} {} (loop {KEEP_2} {} {} {})",
            set(3, number(4)),
            set(2, format_args!("(i32.add {L2} (select {L3} (i32.const 4) {P0}))")),
            set(3, "(i32.load (i32.const 0))"),
            until(2, 4096)
        ),
        // The end moves.
        format!(
            "{start} {} (loop {KEEP_2} {step} {} (br_if 0 (i32.ne {L2} {L4})))",
            set(4, number(96)),
            plus(4, 8)
        ),
        // Only at first.
        format!(
            "{} (loop {KEEP_2} {} (br_if 0 {}))",
            set(2, number(1)),
            set(2, times_4(L2)),
            below(L2, 4096)
        ),
        format!("{} (loop {KEEP_2} {} (br_if 0 {P0}))", set(2, number(1)), set(2, times_4(L2))),
        // Compared in another iteration.
        format!(
            "(loop (if {P1} (then {KEEP_2})) {} {} (br_if 0 {P0}))",
            set(2, "(i32.load (i32.const 0))"),
            set(1, below(L2, 4093))
        )
        .replace(KEEP_2, LOAD_2)
        .replace(
            &set(2, "(i32.load (i32.const 0))"),
            &format!("{} {}", set(3, L2), set(2, "(i32.load (i32.const 0))")),
        )
        .replace(&set(1, below(L2, 4093)), &set(1, below(L3, 4093))),
        // An outer loop starts again with what an inner one left.
        format!("{start} (loop (loop {KEEP_2} {step} {}) (br_if 0 (local.get 0)))", until(2, 4096)),
    ] {
        assert!(checked_accesses(&body) > 0, "{body}");
    }
}

#[test]
fn what_is_deeper_than_the_tree_is_checked() {
    let deep = |body: &str| format!("{}{body}{}", "(block ".repeat(1100), ")".repeat(1100));
    let start = set(2, number(0));
    let step = plus(2, 4);
    for body in [
        // Such a loop may set it again.
        format!("(loop {KEEP_2} (local.set 2 (local.get 0)) (br_if 0 (local.get 1)))"),
        format!("(loop {step} (br_if 0 (local.get 0))) {KEEP_2}"),
    ] {
        assert!(checked_accesses(&format!("{start} {}", deep(&body))) > 0, "{body}");
    }
    // A step in such a loop is not one of the loop around.
    let inner = deep(&format!("(loop {step} (br_if 0 (local.get 0)))"));
    assert!(checked_accesses(&format!("{start} (loop {KEEP_2} {inner} {})", until(2, 4096))) > 0);
}

/// The number of products in a function body that are narrow, and of pairs of products, in a trusted memory. Locals 1 to 5 are
/// i64s, 0 and 6 are i32s.
fn products(body: &str) -> [usize; 2] {
    let c = trusted(&format!(
        "(func (export \"f\") (param i32 i64) (result i64) (local i64 i64 i64 i64 i32) {body})"
    ));
    ["narrow_product(", "WASM_DUAL_PRODUCT"].map(|name| c.matches(name).count())
}

#[test]
fn products_of_few_bits_are_narrow_and_make_pairs() {
    let load = |offset: u32| format!("(i64.load16_s offset={offset} (local.get 0))");
    let load_32 = |offset: u32| format!("(i64.extend_i32_s (i32.load16_s offset={offset} (local.get 0)))");
    let mul = |a: &str, b: &str| format!("(i64.mul {a} {b})");
    let add = |a: &str, b: &str| format!("(i64.add {a} {b})");
    let (narrow, pair) = ([1, 0], [0, 1]);

    // The factors have 16 bits, by an operator or by all values of a variable.
    assert_eq!(products(&mul(&load(0), &load(8))), narrow);
    assert_eq!(products(&mul(&load_32(0), "(i64.load8_u (local.get 0))")), narrow);
    assert_eq!(products(&format!("(local.set 2 {}) {}", load(0), mul("(local.get 2)", &load(8)))), narrow);
    let copied = format!("(local.set 2 {}) (local.set 3 (local.get 2))", load(0));
    assert_eq!(products(&format!("{copied} {}", mul("(local.get 3)", &load(8)))), narrow);
    // One value is large, an argument, or larger in each iteration; or the product is.
    assert_eq!(products(&mul("(local.get 1)", &load(8))), [0, 0]);
    let large =
        format!("(local.set 2 {}) (if (local.get 0) (then (local.set 2 (i64.const 65537))))", load(0));
    assert_eq!(products(&format!("{large} {}", mul("(local.get 2)", &load(8)))), [0, 0]);
    let grows = format!(
        "(local.set 2 {}) (loop (local.set 2 (i64.add (local.get 2) (i64.const 1))) (br_if 0 (local.get 0)))",
        load(0)
    );
    assert_eq!(products(&format!("{grows} {}", mul("(local.get 2)", &load(8)))), [0, 0]);
    let unsigned = "(i64.load16_u (local.get 0))";
    assert_eq!(products(&mul(unsigned, unsigned)), [0, 0]);

    // Neighbours, in any order, in memory both or one.
    let of = |a: u32, b: u32| mul(&load(a), &load(b));
    assert_eq!(products(&add(&of(0, 8), &of(2, 10))), pair);
    assert_eq!(products(&add(&of(10, 2), &add("(local.get 1)", &of(0, 8)))), pair);
    assert_eq!(products(&add(&add(&of(0, 8), &of(4, 12)), &add(&of(6, 14), &of(2, 10)))), [0, 2]);
    let taps = format!("(local.set 2 {}) (local.set 3 {})", load(16), load(32));
    assert_eq!(
        products(&format!(
            "{taps} {}",
            add(&mul("(local.get 2)", &load(0)), &mul("(local.get 3)", &load(2)))
        )),
        pair
    );
    // Not apart by 2, of another address or kind of number, or one thing twice.
    assert_eq!(products(&add(&of(0, 8), &of(4, 12))), [2, 0]);
    assert_eq!(
        products(&add(
            &of(0, 8),
            &mul("(i64.load16_s offset=2 (local.get 6))", "(i64.load8_s (local.get 0))")
        )),
        [2, 0]
    );
    assert_eq!(
        products(&add(
            &of(0, 8),
            &mul("(i64.load16_u offset=2 (local.get 0))", "(i64.load8_s (local.get 0))")
        )),
        [2, 0]
    );
    assert_eq!(products(&add(&of(0, 8), &of(0, 8))), [2, 0]);
    // A difference is no sum.
    assert_eq!(products(&format!("(i64.sub {} {})", of(0, 8), of(2, 10))), [2, 0]);
}

#[test]
fn checked_products_make_no_pairs() {
    let load = |offset: u32| format!("(i32.load16_s offset={offset} (local.get 0))");
    let of = |a: u32, b: u32| format!("(i32.mul {} {})", load(a), load(b));
    let sum = format!("(i32.add {} {})", of(0, 8), of(2, 10));
    let c = |memory: &str, before: &str| {
        let text = format!("(module {memory} (func (export \"f\") (param i32) (result i32) {before} {sum}))");
        translated(&text, &Options::default())
    };
    assert!(!c("(memory 1)", "").contains("WASM_DUAL_PRODUCT"));
    // Unless they are proved to be inside.
    let proved = "(local.set 0 (i32.and (local.get 0) (i32.const 0xfff)))";
    assert!(c("(memory 1)", proved).contains("WASM_DUAL_PRODUCT"));
}

#[test]
fn choices_between_what_is_compared_are_extrema() {
    let select = |bits: u32, op: &str, operands: [u32; 4]| {
        let [first, second, a, b] = operands.map(|local| format!("(local.get {local})"));
        let ty = format!("i{bits}");
        trusted(&format!(
            "(func (export \"f\") (param {ty} {ty} {ty}) (result {ty})
               (select {first} {second} (i{bits}.{op} {a} {b})))"
        ))
    };
    for bits in [32, 64] {
        for (op, max) in [("gt_s", true), ("ge_s", true), ("lt_s", false), ("le_s", false)] {
            for (operands, max) in [([0, 1, 0, 1], max), ([1, 0, 0, 1], !max)] {
                let function = format!("wasm_{}_s{bits}(", if max { "max" } else { "min" });
                assert!(select(bits, op, operands).contains(&function), "{bits} {op} {operands:?}");
            }
        }
        // Other numbers are compared, or as unsigned ones, or for being the same.
        for (op, operands) in
            [("gt_s", [0, 2, 0, 1]), ("gt_s", [0, 0, 0, 1]), ("gt_u", [0, 1, 0, 1]), ("eq", [0, 1, 0, 1])]
        {
            let c = select(bits, op, operands);
            assert!(!c.contains("wasm_max_s") && !c.contains("wasm_min_s"), "{bits} {op} {operands:?}");
        }
    }
}
