//! Random loops over arrays, against an interpreter: results, traps and memories. Sums wrap around, steps are negative or not known,
//! and accesses are skipped or never reached. They are translated for addresses of 64 bits, and, if they are repeated a known
//! number of times and left at several places, for several iterations at a time.
//!
//! `STEPPED_MODULES=n` is how many of each kind for each memory model (a short run by default), `STEPPED_SEED=s` where to begin. A failure names
//! the seed of its module.

mod batch;

use std::fmt::Write as _;

use batch::{Random, Subject};
use wasm_to_c::{Options, Safety, WasmModule};

/// Parameters 0 to 2, the variables that are stepped, and what is computed.
const P: [u32; 3] = [0, 1, 2];
const I: u32 = 3;
const J: u32 = 4;
const SUM: u32 = 5;
/// How many iterations are left.
const LEFT: u32 = 6;
/// Where in a memory its data is, and how much.
const START: u32 = 2048;
const BYTES: usize = 1000;

fn get(local: u32) -> String {
    format!("(local.get {local})")
}

fn add(a: &str, b: &str) -> String {
    format!("(i32.add {a} {b})")
}

fn number(value: i64) -> String {
    format!("(i32.const {value})")
}

/// A number that an iteration uses once.
const MARK: i64 = 7777;
/// Stands for the depth of the block that a loop is left to.
const OUT: &str = "OUT";

/// Sets what is computed to what follows from it and a value.
fn mixed(value: &str) -> String {
    format!("(local.set {SUM} {})", add(&format!("(i32.mul {} (i32.const 31))", get(SUM)), value))
}

/// A loop, and the arguments that keep most of its accesses inside of a page.
struct Made {
    text: String,
    args: [u32; 3],
}

struct Generator(Random);

impl Generator {
    /// Where an access is. `base` is what most addresses are near if both variables are 0.
    fn address(&mut self) -> String {
        let random = &mut self.0;
        let near = number(random.below(64) as i64 - 16);
        let scaled = format!("(i32.shl {} {})", get(I), number(random.below(3) as i64));
        let low = format!("(i32.and {} {})", get(SUM), number(random.pick(&[63, 255, 0x7fff])));
        match random.below(9) {
            0 | 1 => add(&get(P[0]), &get(I)),
            2 => add(&add(&get(P[0]), &get(I)), &near),
            3 => add(&get(P[0]), &scaled),
            4 => add(&add(&get(J), &near), &get(P[1])),
            5 => add(&get(J), &get(P[1])),
            6 => add(&low, &get(P[2])),
            7 => add(&get(P[2]), &format!("(i32.shl {low} (i32.const 1))")),
            _ => get(J),
        }
    }

    fn access(&mut self) -> String {
        let address = self.address();
        self.access_at(&address)
    }

    fn access_at(&mut self, address: &str) -> String {
        let offset = self.0.pick(&[0, 0, 1, 8, 5000]);
        if self.0.chance(30) {
            let kind = self.0.pick(&["store8", "store16", "store"]);
            return format!("(i32.{kind} offset={offset} {address} {})", get(SUM));
        }
        let kind = self.0.pick(&["load8_u", "load8_s", "load16_u", "load"]);
        let mixed = format!("(i32.mul {} (i32.const 31))", get(SUM));
        format!("(local.set {SUM} {})", add(&mixed, &format!("(i32.{kind} offset={offset} {address})")))
    }

    fn step(&mut self) -> String {
        let random = &mut self.0;
        let by = random.pick(&[1, 4, -1, -4, 12, 40, 64, 1 << 28, 1 << 30]);
        let by = if by > 64 && random.chance(90) { 2 } else { by };
        match random.below(4) {
            0 => format!("(local.set {J} {})", add(&get(J), &get(P[1]))),
            1 => format!("(local.set {J} {})", add(&get(J), &number(by))),
            _ => format!("(local.set {I} {})", add(&get(I), &number(by))),
        }
    }

    fn piece(&mut self) -> String {
        let condition = format!("(i32.and {} {})", get(SUM), number(self.0.pick(&[1, 3, 8])));
        match self.0.below(14) {
            0 => format!("(if {condition} (then {}))", self.access()),
            // Addresses below 0 are skipped.
            7 => {
                let address = self.address();
                let is_inside = format!("(i32.lt_u {address} (i32.const 60000))");
                format!("(if {is_inside} (then {}))", self.access_at(&address))
            }
            8 => {
                let address = self.address();
                let is_outside = format!("(i32.ge_u {address} (i32.const 60000))");
                format!("(br_if 1 {is_outside}) {}", self.access_at(&address))
            }
            1 => format!("(block (br_if 0 {condition}) {})", self.access()),
            2 => format!("(br_if 1 (i32.eqz (i32.and {} (i32.const 15))))", get(SUM)),
            3 => format!("(if {condition} (then {}))", self.step()),
            4..=6 => self.step(),
            _ => self.access(),
        }
    }

    fn made(&mut self) -> Made {
        let pieces: Vec<String> = (0..3 + self.0.below(8)).map(|_| self.piece()).collect();
        let condition = match self.0.below(3) {
            0 => format!("(i32.load8_u {})", add(&get(P[0]), &get(I))),
            _ => get(LEFT),
        };
        self.module(&format!(
            "(block (loop {}
               (local.set {LEFT} (i32.add (local.get {LEFT}) (i32.const -1)))
               (br_if 1 (i32.eqz (local.get {LEFT}))) (br_if 0 {condition})))",
            pieces.join("\n"),
        ))
    }

    /// A loop that ends after a known number of iterations, if nothing leaves it before.
    fn counted(&mut self) -> Made {
        let random = &mut self.0;
        let step = random.pick(&[1, 1, 2, 4, -1, -4, 3, 1 << 30, i32::MIN]);
        let trips = random.pick(&[1, 2, 4, 4, 6, 8, 8, 9, 12, 7]);
        let any = random.next() as i32;
        let end = random.pick(&[0, 48, -1, i32::MIN, any]);
        let first = end.wrapping_sub(step.wrapping_mul(trips));
        let count = 1 + random.below(4);
        let mut pieces: Vec<String> =
            (0..count).map(|_| self.counted_piece(end.wrapping_sub(step))).collect();
        let step = format!("(local.set {LEFT} {})", add(&get(LEFT), &number(step.into())));
        let behind = if self.0.chance(60) { pieces.len() } else { self.0.below(count) as usize };
        pieces.insert(behind, step);
        pieces.push(mixed(&number(MARK)));
        let (body, tails) = (pieces.join("\n"), [1, 2].map(|tail| mixed(&number(tail))).concat());
        let again = match end {
            0 => get(LEFT),
            _ => format!("(i32.ne {} {})", get(LEFT), number(end.into())),
        };
        // The branch back is at the end, has something behind it, or is in a block. Ways out lead past all of that, or to the end
        // of the block.
        let (again, out) = (
            |depth: u32| format!("(br_if {depth} {again})"),
            |depth: u32| body.replace(OUT, &depth.to_string()),
        );
        let looped = match self.0.below(4) {
            0 => format!("{} {}", out(1), again(0)),
            1 => format!("{} {} {tails}", out(1), again(0)),
            2 => format!("(block {} {} {tails}) {tails}", out(2), again(1)),
            _ => format!("(block {} {} {tails} (br 2)) {tails}", out(0), again(1)),
        };
        self.module(&format!("(local.set {LEFT} {}) (block (loop {looped}))", number(first.into())))
    }

    /// What is in such a loop, whose counter has the value `last` in the last iteration.
    fn counted_piece(&mut self, last: i32) -> String {
        let condition = format!("(i32.eqz (i32.and {} {}))", get(SUM), number(self.0.pick(&[3, 7, 15])));
        let count = add(&get(LEFT), &number(self.0.pick(&[0, 0, 1, -3])));
        match self.0.below(12) {
            0 | 1 => format!("(br_if {OUT} {condition})"),
            2 => format!("(if {condition} (then {} (return {count})))", mixed(&count)),
            3 => format!(
                "(block (block (br_table 0 1 0 (i32.and {} (i32.const 3)))) {})",
                get(SUM),
                mixed(&count)
            ),
            4 => format!("(if {condition} (then {}) (else {}))", mixed(&get(I)), self.step()),
            5 if self.0.chance(20) => {
                format!("(if {condition} (then (local.set {LEFT} {})))", number(last.into()))
            }
            6 | 7 => mixed(&count),
            8 => format!("(i32.store8 {} {count})", self.address()),
            9 => self.step(),
            _ => self.piece().replace("(br_if 1 ", &format!("(br_if {OUT} ")),
        }
    }

    /// A module of a function with statements, and arguments.
    fn module(&mut self, stmts: &str) -> Made {
        let random = &mut self.0;
        // What is added to an address is at either end of all numbers.
        let far = |random: &mut Random| {
            [random.below(64) as u32, 0u32.wrapping_sub(random.below(64) as u32), random.next() as u32]
                [random.below(3) as usize]
        };
        let (i, j) = (far(random), far(random));
        let place = |random: &mut Random| match random.below(3) {
            0 => (random.below(80) as u32).wrapping_sub(40),
            _ => START + 100 + random.below(800) as u32,
        };
        let step = random.pick(&[4, 8, 1, 0, -4, -8, 400]);
        let args = [place(random).wrapping_sub(i), i32::cast_unsigned(step), place(random)];
        let j = if random.chance(70) { place(random) } else { j };
        let mut text = format!(
            "(module (memory (export \"m\") 1 1) (func (export \"f\") (param i32 i32 i32) (result i32)
               (local i32 i32 i32 i32)
               (local.set {I} (i32.const {})) (local.set {J} (i32.const {})) (local.set {LEFT} (i32.const {}))
               {stmts}
               (i32.add (local.get {SUM}) (i32.add (local.get {I}) (local.get {J})))) (data (i32.const {START}) \"",
            i.cast_signed(),
            j.cast_signed(),
            1 + random.below(12),
        );
        (0..BYTES).for_each(|_| {
            let _ = write!(text, "\\{:02x}", random.next() >> 56);
        });
        text.push_str("\"))");
        Made { text, args }
    }
}

/// Compares modules with the interpreter. How many translations for each memory model are `of_interest`.
fn compare(
    make: fn(&mut Generator) -> Made,
    wide_addresses: bool,
    of_interest: fn(&str) -> bool,
) -> [usize; 3] {
    let subject = |seed: u64| {
        let Made { text, args } = make(&mut Generator(Random::of_seed(seed)));
        let models = [Safety::Trusted, Safety::Checked, Safety::Masked];
        let options =
            models.map(|safety| Options { safety, for_speed: true, wide_addresses, ..Options::default() });
        let wasm = wat::parse_str(&text).expect("valid text");
        Subject { module: WasmModule::new("test", wasm.clone()), wasm, args: args.into(), options }
    };
    let seeds = [batch::number("STEPPED_MODULES"), batch::number("STEPPED_SEED")];
    batch::compare(seeds, subject, of_interest)
}

#[test]
fn addresses_of_64_bits_are_where_those_of_32_bits_are() {
    let found = compare(Generator::made, true, |c| c.contains("WASM_WIDE("));
    assert!(found.iter().all(|found| *found > 0), "{found:?}");
}

#[test]
fn several_iterations_at_a_time_do_what_each_does() {
    let found = compare(Generator::counted, false, |c| c.matches(&format!("+ {MARK}u")).count() > 1);
    assert!(found.iter().all(|found| *found > 0), "{found:?}");
}
