//! Tests of whole translations.

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
fn loops_of_an_even_number_of_turns_are_written_twice() {
    let looped = |body: &str, last: &str| {
        let text = format!("(loop {body} (br_if 0 {last}))");
        trusted(&format!("(func (export \"f\") (param i32) (local i32) (local i64) {text})"))
    };
    let step = "(local.set 1 (i32.add (local.get 1) (i32.const 4)))";
    let last = "(i32.ne (local.get 1) (i32.const 64))";
    let twice = |c: &str| c.contains("WASM_TWICE(\n            l1 = l1 + 4u;\n");
    let once = |c: &str| c.contains("do {\n") && !c.contains("WASM_TWICE");
    assert!(twice(&looped(step, last)));
    assert!(twice(&looped(&format!("(block {step} (local.set 0 (i32.const 1)))"), last)));
    assert!(once(&looped(step, "(i32.ne (local.get 1) (i32.const 62))")));
    assert!(once(&looped(step, "(i32.ne (local.get 1) (i32.const 68))")));
    assert!(once(&looped(step, "(i32.ne (local.get 1) (local.get 0))")));
    assert!(once(&looped(step, "(i32.lt_u (local.get 1) (i32.const 64))")));
    assert!(once(&looped(step, "(i32.ne (i32.ne (local.get 1) (i32.const 0)) (i32.const 64))")));
    assert!(once(&looped(&format!("{step} {step}"), last)));
    assert!(once(&looped(&format!("{step} (if (local.get 0) (then (local.set 0 (i32.const 0))))"), last)));
    assert!(once(&looped(&format!("{step} (if (local.get 0) (then (local.set 1 (i32.const 0))))"), last)));
    assert!(once(&looped("(local.set 0 (i32.add (local.get 0) (i32.const 4)))", "(local.get 0)")));
    // Repeated from other places, too, or not from the end.
    let other = "(if (local.get 0) (then (br 1)))";
    assert!(!looped(&format!("{step} {other}"), last).contains("do {"));
    assert!(!looped(step, &format!("{last}) (local.set 0 (i32.const 1)")).contains("do {"));
}
