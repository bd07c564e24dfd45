//! Loops in two versions: what each premise is for.

use super::*;

/// The tree of a function with i32 parameters 0 to 2, and i32 locals 3 to 7, in a module with a checked memory of 4096 bytes.
fn tree_of(body: &str, options: &Options) -> String {
    tree_in("(memory 4096 4096 (pagesize 1))", body, options)
}

fn tree_in(memory: &str, body: &str, options: &Options) -> String {
    let text = format!(
        "(module {memory} (global $g (mut i32) (i32.const 0)) (func $other)
           (func (export \"f\") (param i32 i32 i32) (local i32 i32 i32 i32 i32) {body}))"
    );
    let buffer = wast::parser::ParseBuffer::new(&text).unwrap();
    let bytes = wast::parser::parse::<wast::Wat<'_>>(&buffer).unwrap().encode().unwrap();
    crate::translate::trees(&WasmModule::new("test", bytes), options, usize::MAX).unwrap()
}

fn speed() -> Options {
    Options { for_speed: true, ..Options::default() }
}

/// How many accesses are checked before their loop.
fn hoisted(body: &str) -> usize {
    tree_of(body, &speed()).matches("{checked before L").count()
}

/// What is compared before a loop.
fn conditions(body: &str) -> String {
    let tree = tree_of(body, &speed());
    let line = tree.lines().find(|line| line.trim_start().starts_with("if ")).unwrap_or_default();
    line.trim_start().trim_start_matches("if ").to_owned()
}

const LOAD_0: &str = "(local.set 3 (i32.add (local.get 3) (i32.load (local.get 0))))";
const STORE_1: &str = "(i32.store (local.get 1) (i32.const 7))";

fn looped(body: &str, condition: &str) -> String {
    format!("(loop {body} (br_if 0 {condition}))")
}

/// A loop that ends when parameter 2 is 0.
fn counted(body: &str) -> String {
    format!("{} (drop (i32.load (local.get 3)))", looped(&format!("{body} {}", plus(2, -1)), "(local.get 2)"))
}

#[test]
fn addresses_that_are_stepped_are_checked_before_a_loop() {
    let (load, store) = (format!("{LOAD_0} {}", plus(0, 4)), format!("{STORE_1} {}", plus(1, 4)));
    for (body, count) in [
        (counted(&load), 1),
        (counted(&format!("{load} {store}")), 2),
        // Down, in steps of more than one, and not at all.
        (counted(&format!("{LOAD_0} {}", plus(0, -4))), 1),
        (counted(&format!("{LOAD_0} {}", plus(0, 12))), 1),
        (counted(LOAD_0), 1),
        // By what the loop does not change.
        (counted(&format!("{LOAD_0} {}", add(0, P1))), 1),
        // An index.
        (counted(&format!("(local.set 3 (i32.load (i32.add {P0} {}))) {}", times_4(P1), plus(1, 1))), 1),
        // As loops that were unrolled access it.
        (counted(&format!("{LOAD_0} {} {LOAD_0} {}", plus(0, 4), plus(0, 4))), 2),
        // Only in some iterations, and only in those before the loop is left, because of what is counted.
        (counted(&format!("(if {P1} (then {STORE_1})) {} {load}", plus(1, 4))), 2),
        (
            format!(
                "(block (loop (br_if 1 (i32.eq {P0} (i32.const 64))) {load} {} (br_if 0 (local.get 2))))",
                plus(2, -1)
            ),
            1,
        ),
    ] {
        assert_eq!(hoisted(&body), count, "{body}");
    }
    // Until it is, while it is less or more, whichever is on the left.
    for condition in [
        "(i32.ne (local.get 0) (local.get 2))",
        "(i32.sub (local.get 2) (local.get 0))",
        "(i32.lt_u (local.get 0) (local.get 2))",
        "(i32.lt_s (local.get 0) (local.get 2))",
        "(i32.le_u (local.get 0) (local.get 2))",
        "(i32.gt_u (local.get 2) (local.get 0))",
        "(i32.eqz (i32.ge_s (local.get 0) (local.get 2)))",
    ] {
        assert_eq!(hoisted(&looped(&load, condition)), 1, "{condition}");
    }
}

#[test]
fn loops_stay_as_they_are_without_a_premise() {
    let step = plus(0, 4);
    let load = format!("{LOAD_0} {step}");
    for body in [
        // A memory may grow, or have another size.
        counted(&format!("{load} (call $other)")),
        counted(&format!("{load} (drop (memory.grow (i32.const 0)))")),
        // More than one step in some iterations, or a step that changes.
        counted(&format!("{LOAD_0} (if {P1} (then {step}))")),
        counted(&format!("{LOAD_0} (block (br_if 0 {P1}) {step})")),
        counted(&format!("{LOAD_0} {} {}", add(0, P1), plus(1, 1))),
        counted(&format!("{LOAD_0} {}", set(0, L3))),
        counted(&format!("{LOAD_0} {}", set(0, times_4(P0)))),
        // How often it is repeated is not known.
        looped(&load, P1),
        looped(&load, L3),
        looped(&load, "(i32.eq (local.get 0) (local.get 2))"),
        looped(&format!("{load} {}", plus(2, 4)), "(i32.ne (local.get 0) (local.get 2))"),
        looped(&load, "(i32.gt_u (local.get 0) (local.get 2))"),
        looped(&format!("{LOAD_0} {}", plus(0, 12)), "(i32.lt_u (local.get 0) (local.get 2))"),
        looped(&format!("{load} {}", add(2, L3)), "(local.get 2)"),
        looped(&format!("{load} {}", plus(2, -4)), "(i32.lt_u (local.get 0) (local.get 2))"),
        format!("(loop {load} {} (br_if 0 (local.get 1)) (br_if 0 (local.get 2)))", plus(2, -1)),
        // It is left because of what it found, or hardly repeated.
        format!("(block (loop {load} (br_if 1 {L3}) {} (br_if 0 (local.get 2))))", plus(2, -1)),
        format!("{} {}", set(2, "(i32.and (local.get 2) (i32.const 3))"), counted(&load)),
        // Another loop is in it.
        counted(&format!("{load} (loop (br_if 0 (local.tee 3 (i32.shr_u (local.get 3) (i32.const 1)))))")),
        // What an access can never be in.
        counted(&format!("(local.set 3 (i32.load offset=4093 {P0})) {step}")),
    ] {
        assert_eq!(hoisted(&body), 0, "{body}");
    }
    // For size, and where nothing is checked.
    let tree = |options: &Options| tree_of(&counted(&load), options);
    assert!(!tree(&Options::default()).contains("checked before"));
    assert!(!tree(&Options { safety: Safety::Trusted, ..speed() }).contains("checked before"));
    assert!(tree(&Options { safety: Safety::Masked, ..speed() }).contains("checked before"));
}

#[test]
fn what_is_compared_before_a_loop_is_exact() {
    let load = |by: i32| format!("{LOAD_0} {}", plus(0, by));
    // Repeated `n - 1` times, the last of 4 bytes at a step of 4.
    assert_eq!(
        conditions(&counted(&load(4))),
        "I32And(I32LeU(temp 0, 1023), I32LeU(local 0, I32Sub(4092, I32Mul(temp 0, 4))))"
    );
    // From the lowest address on.
    assert_eq!(
        conditions(&counted(&load(-4))),
        "I32And(I32LeU(temp 0, 1023), I32LeU(I32Add(local 0, I32Mul(temp 0, -4)), I32Sub(4092, I32Mul(temp 0, 4))))"
    );
    assert_eq!(conditions(&counted(LOAD_0)), "I32LeU(local 0, 4092)");
    // A product of variables does not wrap around.
    assert_eq!(
        conditions(&counted(&format!("{LOAD_0} {}", add(0, P1)))),
        "I32And(I32And(I32And(I32LeU(temp 0, 65535), I32LeU(local 1, 32767)), \
         I32LeU(I32Mul(local 1, temp 0), 4092)), I32LeU(local 0, I32Sub(4092, I32Mul(local 1, temp 0))))"
    );
    // What is added to an address, and to that of another access, whichever is first.
    let near = |offset: i32| format!("(local.set 3 (i32.load {}))", sum(P0, offset));
    assert_eq!(conditions(&counted(&near(8))), "I32LeU(local 0, 4084)");
    let behind = format!("{} (local.set 5 (i32.load {}))", set(4, sum(P0, 64)), L4);
    assert_eq!(conditions(&counted(&format!("{LOAD_0} {behind}"))), "I32LeU(local 0, 4028)");
    assert_eq!(conditions(&counted(&format!("{behind} {LOAD_0}"))), "I32LeU(local 0, 4028)");
    // Two memories.
    let second = format!("{LOAD_0} (local.set 4 (i32.load 1 {P0}))");
    let memories = "(memory 4096 4096 (pagesize 1)) (memory 64 64 (pagesize 1))";
    let tree = tree_in(memories, &counted(&second), &speed());
    assert!(tree.contains("if I32And(I32LeU(local 0, 4092), I32LeU(local 0, 60))"), "{tree}");
    // A memory that may grow.
    let tree = tree_in("(memory 1) (func (drop (memory.grow (i32.const 1))))", &counted(&load(4)), &speed());
    let condition = "I32And(I32And(I32And(I32LeU(temp 0, 536870910), I32LeU(4, bytes of memory 0)), \
         I32LeU(I32Mul(temp 0, 4), I32Sub(bytes of memory 0, 4))), \
         I32LeU(local 0, I32Sub(I32Sub(bytes of memory 0, 4), I32Mul(temp 0, 4))))";
    assert!(tree.contains(condition), "{tree}");
}

#[test]
fn loops_are_counted_exactly() {
    // What is set before the comparison, and that.
    let of = |step: i32, condition: &str| {
        let tree = tree_of(&looped(&format!("{LOAD_0} {}", plus(0, step)), condition), &speed());
        let lines: Vec<&str> = tree.lines().map(str::trim_start).collect();
        let at = lines.iter().position(|line| line.starts_with("if ")).unwrap();
        (lines[at - 1].to_owned(), lines[at].to_owned())
    };
    let different = "(i32.ne (local.get 0) (local.get 2))";
    assert_eq!(of(1, different).0, "temp 0 = I32Add(I32Sub(local 2, local 0), -1)");
    // An end between the steps is at a number of them that is larger than the limit.
    let (count, condition) = of(12, different);
    assert_eq!(
        count,
        "temp 0 = I32Rotr(I32Add(I32Add(I32Mul(local 0, 1431655765), I32Mul(local 2, -1431655765)), -4), 2)"
    );
    assert!(condition.contains("I32LeU(temp 0, 341)"), "{condition}");
    // Nothing limits what no address depends on, but that.
    let no_address = format!("(local.set 3 (i32.load {P1})) {}", plus(0, 4));
    assert!(conditions(&looped(&no_address, different)).contains("I32LeU(temp 0, 1073741823)"));
    // It must not wrap around before the end.
    let (count, condition) = of(4, "(i32.lt_u (local.get 0) (local.get 2))");
    assert_eq!(count, "temp 0 = I32Add(I32ShrU(I32Add(I32Sub(local 2, local 0), -5), 2), 1)");
    assert!(condition.contains("I32LtU(I32Add(local 0, 4), local 2), I32LeU(local 2, -4)"), "{condition}");
    let (_, condition) = of(1, "(i32.lt_u (local.get 0) (local.get 2))");
    assert!(!condition.contains("I32LeU(local 2, "), "{condition}");
    let (_, condition) = of(1, "(i32.le_s (local.get 0) (local.get 2))");
    assert!(condition.contains("I32LeS(local 2, 2147483646)"), "{condition}");
    let (_, condition) = of(-2, "(i32.gt_s (local.get 0) (local.get 2))");
    assert!(condition.contains("I32GeS(local 2, -2147483647)"), "{condition}");
    let (_, condition) = of(-2, "(i32.ge_u (local.get 0) (local.get 2))");
    assert!(condition.contains("I32GeU(local 2, 2)"), "{condition}");
}

/// The version without checks of a loop that ends when parameter 2 is 0, line by line.
fn copied(body: &str, behind: &str) -> Vec<String> {
    let tree = tree_of(&format!("{} {behind}", counted(&format!("{body} {}", plus(0, 4)))), &speed());
    let lines = tree.lines().map(str::trim_start).skip_while(|line| !line.starts_with("loop")).skip(1);
    lines.take_while(|line| *line != "else").map(str::to_owned).collect()
}

#[test]
fn values_are_put_where_they_are_used_if_they_are_the_same_there() {
    let value = "local 3 = I32Add(local 3, load u32[local 0] {checked before L";
    let is_value = |line: &String| line.starts_with(value);
    let load = set(4, format_args!("(i32.load {P0})"));
    let used = set(3, format_args!("(i32.add {L3} {L4})"));
    let lines = copied(&format!("{load} {used}"), "");
    assert!(is_value(&lines[0]), "{lines:?}");
    for (body, behind) in [
        // Memory is another one, or the address.
        (format!("{load} {STORE_1} {used}"), ""),
        (format!("{load} {} {used}", plus(0, 4)), ""),
        // It is set in two places, or read in the next iteration, or behind the loop.
        (format!("{load} (if {P1} (then {})) {used}", set(4, number(1))), ""),
        (format!("{used} {load}"), ""),
        (format!("{load} {used}"), "(drop (i32.load (local.get 4)))"),
    ] {
        let lines = copied(&body, behind);
        assert!(!lines.iter().any(is_value), "{body}");
        let is_own = !lines.iter().any(|line| line.starts_with("local 4 = load"));
        let may_be_own = behind.is_empty() && body.starts_with(&load);
        assert_eq!(is_own, may_be_own, "{body}");
    }
    // What may trap stays before a store.
    let quotient = set(4, format_args!("(i32.div_u {P0} {P1})"));
    let lines = copied(&format!("{quotient} {STORE_1} {used} (local.set 5 (i32.load {P0}))"), "");
    assert!(lines[0].contains("= I32DivU(local 0, local 1)"), "{lines:?}");
}

#[test]
fn versions_without_checks_are_as_good_as_trusted() {
    let load = |local: u32, offset: u32| format!("(i64.load16_s offset={offset} (local.get {local}))");
    let product = |offset: u32| format!("(i64.mul {} {})", load(0, offset), load(1, offset));
    let body = format!(
        "(loop (local.set 3 (i64.add (i64.add (local.get 3) {}) {})) {} {} {} (br_if 0 (local.get 2))) (local.get 3)",
        product(0),
        product(2),
        plus(0, 4),
        plus(1, 4),
        plus(2, -1)
    );
    let text = format!(
        "(module (memory 1) (func (export \"f\") (param i32 i32 i32) (result i64) (local i64) {body}))"
    );
    let c = translated(&text, &speed());
    assert_eq!(c.matches("WASM_DUAL_PRODUCT64").count(), 1, "{c}");
    // The other one checks four numbers.
    assert_eq!(c.matches("wasm_cell(").count() + c.matches("wasm_inside(").count(), 4, "{c}");
}
