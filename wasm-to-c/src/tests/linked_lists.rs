//! Loops along linked lists: what each premise is for. And memories whose end is easy to compare with.

use super::*;

fn lists() -> Options {
    Options { for_speed: true, condition_flags: true, ..Options::default() }
}

/// The tree of a function with i32 parameters 0 to 2, and i32 locals 3 to 7, in a module with a checked memory of 4096 bytes.
fn tree_in(memory: &str, body: &str, options: &Options) -> String {
    let text = format!(
        "(module {memory} (global $g (mut i32) (i32.const 0)) (func $other)
           (func (export \"f\") (param i32 i32 i32) (local i32 i32 i32 i32 i32) {body}))"
    );
    let bytes = wat(&text);
    crate::translate::trees(&WasmModule::new("test", bytes), options, usize::MAX).unwrap()
}

fn wat(text: &str) -> Vec<u8> {
    let buffer = wast::parser::ParseBuffer::new(text).unwrap();
    wast::parser::parse::<wast::Wat<'_>>(&buffer).unwrap().encode().unwrap()
}

fn tree_of(body: &str, options: &Options) -> String {
    tree_in("(memory 4096 4096 (pagesize 1))", body, options)
}

/// Accesses that the loop's condition checks.
fn unchecked(body: &str) -> usize {
    tree_of(body, &lists()).matches("{checked where L").count()
}

const NEXT: &str = "(local.set 0 (i32.load (local.get 0)))";

/// A loop while what is in parameter 0 is not null.
fn list(body: &str) -> String {
    format!("(loop {body} (br_if 0 {P0}))")
}

#[test]
fn a_pointer_that_is_null_or_outside_is_found_at_once() {
    for body in [
        list(NEXT),
        // A field behind it, or a store to it.
        list("(local.set 0 (i32.load offset=8 (local.get 0)))"),
        list(&format!("(i32.store {P0} {P1}) {}", set(0, "(i32.load offset=4 (local.get 0))"))),
        // Of a copy, or of a part of a sum.
        list(&format!("{} {}", set(3, P0), set(0, "(i32.load (local.get 3))"))),
        list(&format!("{} {NEXT}", add(4, "(i32.load offset=4 (local.get 0))"))),
        // After what cannot be observed.
        list(&format!("{} {NEXT}", add(4, P1))),
        list(&format!("(block {} {NEXT})", add(4, P1))),
        // It is left in the middle, behind the access.
        format!("(block {})", list(&format!("(br_if 1 (i32.load offset=4 {P0})) {NEXT}"))),
        // It is not repeated from its end.
        format!("(loop {NEXT} (br_if 0 {P0}) {})", add(4, P1)),
    ] {
        assert_eq!(unchecked(&body), 1, "{body}");
    }
    // It is too long to be repeated from its end.
    let long = tree_of(&format!("(loop {NEXT} (br_if 0 {P0}) {})", add(4, P1).repeat(100)), &lists());
    assert!(long.contains("{checked where L"), "{long}");
    let behind = long.split_once("I32LtU(I32Add(local 0, -1), 4092)").map(|(_, behind)| behind);
    assert!(behind.is_some_and(|behind| behind.contains("{checked}")), "{long}");
    let tree = tree_of(&list(NEXT), &lists());
    let lines: Vec<&str> = tree.lines().map(str::trim_start).collect();
    let checks = lines.iter().filter(|line| line.contains("{checked}")).count();
    assert_eq!(checks, 2, "before the loop and behind it: {tree}");
    // From 1 to the last address of four bytes.
    assert!(tree.contains("I32LtU(I32Add(local 0, -1), 4092)"), "{tree}");
}

#[test]
fn lists_stay_as_they_are_without_a_premise() {
    for body in [
        // Another pointer is null or not, or that of the next iteration is not what was compared.
        format!("(loop {NEXT} (br_if 0 {P1}))"),
        format!("(loop {} (br_if 0 {P0}))", set(1, "(i32.load (local.get 1))")),
        list(&format!("{} {NEXT}", plus(0, 4))),
        list(&format!("{} {} {}", set(3, P0), set(3, P1), set(0, "(i32.load (local.get 3))"))),
        list(&format!("{} {} {}", set(3, P0), plus(0, 4), NEXT)),
        list("(local.set 0 (i32.load (i32.add (local.get 0) (local.get 1))))"),
        // What is before the access can be observed, or ends the iteration.
        list(&format!("(i32.store {P1} {P1}) {NEXT}")),
        list(&format!("(global.set $g {P0}) {NEXT}")),
        list(&format!("(call $other) {NEXT}")),
        list(&format!("{} {NEXT}", set(4, format!("(i32.div_u {P1} {L2})")))),
        format!("(block {})", list(&format!("(br_if 1 {P1}) {NEXT}"))),
        list(&format!("(if {P1} (then {NEXT}))")),
        // More than one branch repeats it.
        format!("(loop {NEXT} (br_if 0 {P1}) (br_if 0 {P0}))"),
        format!("(loop {NEXT} (br_if 0 {P0}) (br_if 0 {P1}))"),
        // The access is outside of the memory wherever the pointer is, or what is before it is.
        list("(local.set 0 (i32.load offset=5000 (local.get 0)))"),
        list(&format!("{} {NEXT}", add(4, "(i32.load offset=5000 (local.get 1))"))),
        // It is known how often it is repeated, which passes behind this one rely on.
        format!(
            "(local.set 0 (i32.const 8000)) (loop {} {} (br_if 0 {P0}))",
            add(4, "(i32.load (local.get 0))"),
            plus(0, -1000)
        ),
        // It is repeated when the pointer is null.
        format!("(loop {NEXT} (br_if 0 (i32.eqz {P0})))"),
    ] {
        assert_eq!(unchecked(&body), 0, "{body}");
    }
    let checked = |memory: &str, options: &Options| {
        tree_in(memory, &list(NEXT), options).matches("{checked where L").count()
    };
    let fixed = "(memory 4096 4096 (pagesize 1))";
    assert_eq!(checked(fixed, &lists()), 1);
    // A memory that may be larger later, or has one address.
    assert_eq!(checked("(memory 1) (func (drop (memory.grow (i32.const 1))))", &lists()), 0);
    assert_eq!(checked("(memory 4 4 (pagesize 1))", &lists()), 0);
    for options in [
        Options { for_speed: false, ..lists() },
        Options { condition_flags: false, ..lists() },
        // Messages name the access.
        Options { trap_names: true, ..lists() },
        Options { safety: Safety::Masked, ..lists() },
        Options { safety: Safety::Trusted, ..lists() },
    ] {
        assert_eq!(checked(fixed, &options), 0, "{options:?}");
    }
}

/// The C of an access in a module that uses so many bytes of a page.
fn exact(bytes: u32, declared: &str, options: &Options) -> String {
    let text = format!("(module {declared} (func (export \"f\") (param i32) (drop (i32.load16_u {P0}))))");
    let module = WasmModule { memory_bytes: Some(bytes), ..WasmModule::new("test", wat(&text)) };
    crate::transpile(&module, options).unwrap().unit.source
}

#[test]
fn memories_end_where_eight_bits_say() {
    let options = Options { for_speed: true, modified_immediates: true, ..Options::default() };
    let page = "(memory 1)";
    for (bytes, rounded) in
        [(0x100, 0x100), (0x101, 0x102), (0x291e, 0x2940), (0x2940, 0x2940), (0xff01, 0xffff)]
    {
        let c = exact(bytes, page, &options);
        // All of it cannot be more than the page is.
        let rounded = if rounded == 0xffff { bytes } else { rounded };
        assert!(c.contains(&format!(", {}u)", rounded - 1)), "{bytes:#x}: {c}");
    }
    // What was declared has no room for more, and it pays nowhere else.
    let c = exact(0x291e, "(memory 0x2920 (pagesize 1))", &options);
    assert!(c.contains(&format!(", {}u)", 0x291e - 1)), "{c}");
    for other in
        [Options { for_speed: false, ..options.clone() }, Options { modified_immediates: false, ..options }]
    {
        assert!(exact(0x291e, page, &other).contains(&format!(", {}u)", 0x291e - 1)));
    }
}

#[test]
fn what_lies_behind_the_bytes_in_use_needs_no_check() {
    // The memory has 8 bytes behind those in use, as accesses reach so far. The first begins at the last of those in use, at most.
    let checks = |behind: i32| {
        let at = |address: &str| format!("{} (drop (i32.load8_u offset=7 {address}))", set(3, address));
        let body = format!("{} {}", at(P0), at(&sum(P0, behind)));
        let text =
            format!("(module (memory 1) (func (export \"f\") (param i32) (local i32 i32 i32) {body}))");
        let module = WasmModule { memory_bytes: Some(4096), ..WasmModule::new("test", wat(&text)) };
        let c = crate::transpile(&module, &Options::default()).unwrap().unit.source;
        let body = c.split("WASM_FUNCTION").last().unwrap();
        body.matches("wasm_inside(").count() + body.matches("wasm_cell(").count()
    };
    assert_eq!([checks(1), checks(2)], [1, 2]);
}
