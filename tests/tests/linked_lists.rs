//! Random loops along linked lists, against an interpreter: results, traps, globals and memories. Pointers lead to nodes, are null, or
//! are at and around the end of the memory. Loops read and write through them, copy and step them, call, trap and are left before,
//! between and behind what is accessed. They are translated for processors with condition flags.
//!
//! `LISTS_MODULES=n` is how many loops (a short run by default), `LISTS_SEED=s` where to begin. A failure names the seed of its module.

mod batch;

use std::fmt::Write as _;

use batch::{Random, Subject, number};
use wasm_to_c::{Options, WasmModule};

/// Pointers into two lists, a copy of a pointer, and what is computed.
const P: u32 = 0;
const Q: u32 = 1;
const COPY: u32 = 2;
const SUM: u32 = 3;
/// How many iterations are left.
const LEFT: u32 = 4;
/// Loops inside of loops.
const DEEPEST: u32 = 2;
/// Bytes at either end of a memory that are of a list.
const LISTED: u32 = 600;

fn get(local: u32) -> String {
    format!("(local.get {local})")
}

fn set(local: u32, value: &str) -> String {
    format!("(local.set {local} {value})")
}

/// Sets what is computed to what follows from it and a value.
fn mixed(value: &str) -> String {
    set(SUM, &format!("(i32.add (i32.mul {} (i32.const 31)) {value})", get(SUM)))
}

struct Generator {
    random: Random,
    /// Bytes of the memory.
    bytes: u32,
    /// Where most nodes have the next one.
    next: u32,
}

impl Generator {
    /// A pointer: mostly to a node, or null, or where an access may end behind the memory.
    fn pointer(&mut self) -> u32 {
        let (end, random) = (self.bytes, &mut self.random);
        let nodes = u64::from(end.min(LISTED) / 4).max(1);
        match random.below(16) {
            0 | 1 => 0,
            2 => end.wrapping_sub(random.below(18) as u32),
            3 => end + random.pick(&[0, 1, 3, 4, 8]),
            4 => random.pick(&[1 << 31, u32::MAX, u32::MAX - 3, u32::MAX - 8, (1 << 31) - 1]),
            5 => random.below(end.min(LISTED).into()) as u32,
            _ => random.below(nodes) as u32 * 4,
        }
    }

    fn offset(&mut self) -> u32 {
        let next = self.next;
        self.random.pick(&[next, next, next, 0, 4, 8])
    }

    /// A condition that is mostly false.
    fn rarely(&mut self) -> String {
        format!("(i32.eqz (i32.and {} (i32.const {})))", get(SUM), self.random.pick(&[3, 7, 15]))
    }

    /// The pointer of a loop, a copy of it, or another one.
    fn through(&mut self, pointer: u32) -> String {
        get(match self.random.below(12) {
            0 | 1 => COPY,
            2 => Q,
            _ => pointer,
        })
    }

    fn load(&mut self, pointer: u32) -> String {
        let kind = self.random.pick(&["load", "load", "load", "load8_u", "load16_s"]);
        let (offset, address) = (self.offset(), self.through(pointer));
        format!("(i32.{kind} offset={offset} {address})")
    }

    fn store(&mut self, pointer: u32) -> String {
        let kind = self.random.pick(&["store", "store", "store8", "store16"]);
        let address = match self.random.below(3) {
            0 => format!("(i32.and {} (i32.const {}))", get(SUM), self.random.pick(&[31, 255])),
            _ => self.through(pointer),
        };
        let value = get(self.random.pick(&[SUM, SUM, Q, COPY, pointer]));
        format!("(i32.{kind} offset={} {address} {value})", self.offset())
    }

    fn follow(&mut self, pointer: u32) -> String {
        let address = get(if self.random.chance(15) { COPY } else { pointer });
        set(pointer, &format!("(i32.load offset={} {address})", self.next))
    }

    /// What cannot be observed if it does not trap.
    fn quiet(&mut self, pointer: u32) -> String {
        match self.random.below(7) {
            0 | 1 => set(COPY, &get(pointer)),
            2 => mixed(&get(COPY)),
            3 => set(Q, &get(pointer)),
            4 => mixed(&format!(
                "(select {} {} {})",
                self.load(pointer),
                get(self.random.pick(&[P, Q])),
                self.rarely()
            )),
            5 => set(COPY, &self.load(Q)),
            _ => mixed(&self.load(pointer)),
        }
    }

    /// Statements inside of so many blocks that a loop is left through, at such a depth of loops.
    fn piece(&mut self, pointer: u32, out: u32, depth: u32) -> String {
        let condition = self.rarely();
        match self.random.below(20) {
            0 => self.store(pointer),
            1 => format!("(br_if {out} {condition})"),
            2 => set(COPY, &format!("(i32.add {} (i32.const 4))", get(COPY))),
            3 if self.random.chance(50) => {
                let by = self.random.pick(&[4, 1, -4, 8]);
                set(pointer, &format!("(i32.add {} (i32.const {by}))", get(pointer)))
            }
            4 => format!("(call $note {})", get(self.random.pick(&[SUM, pointer]))),
            5 => format!("(global.set $g (i32.add (global.get $g) {}))", get(pointer)),
            6 => mixed(&format!("(i32.div_u {} (i32.and {} (i32.const 31)))", get(Q), get(SUM))),
            7 => format!("(if {condition} (then {}))", self.piece(pointer, out + 1, depth)),
            8 => format!("(block (br_if 0 {condition}) {})", self.piece(pointer, out + 1, depth)),
            9 => format!("(block {})", self.piece(pointer, out + 1, depth)),
            10 => set(pointer, &format!("(select {} {} {condition})", get(COPY), get(pointer))),
            11 => set(pointer, &get(self.random.pick(&[COPY, Q]))),
            12 => self.follow(Q),
            13 if depth < DEEPEST => self.looped(P + Q - pointer, depth + 1),
            14 if self.random.chance(10) => "(unreachable)".to_owned(),
            _ => self.quiet(pointer),
        }
    }

    fn pieces(&mut self, pointer: u32, out: u32, depth: u32) -> String {
        let count = self.random.pick(&[0, 0, 0, 1, 1, 2, 3]);
        (0..count).map(|_| self.piece(pointer, out, depth)).collect()
    }

    /// A loop along the list that a variable points to.
    fn looped(&mut self, pointer: u32, depth: u32) -> String {
        let again = match self.random.below(10) {
            0 => format!("(i32.ne {} (i32.const 0))", get(pointer)),
            1 => format!("(i32.ne (i32.const 0) {})", get(pointer)),
            2 => get(self.random.pick(&[Q, COPY, SUM])),
            3 => format!("(i32.eqz {})", get(pointer)),
            _ => get(pointer),
        };
        let ended = format!("(i32.eqz {})", get(pointer));
        let form = self.random.below(8);
        // How many blocks the body is in.
        let out = if form == 0 { 2 } else { 1 };
        let before: String =
            (0..self.random.pick(&[0, 0, 1, 2])).map(|_| self.quiet(pointer)).collect::<String>()
                + &if self.random.chance(30) { self.pieces(pointer, out, depth) } else { String::new() };
        let access = match self.random.below(4) {
            0 => self.store(pointer),
            1 => String::new(),
            _ => mixed(&self.load(pointer)),
        };
        let mut behind = self.pieces(pointer, out, depth);
        if self.random.chance(50) {
            let less = format!("(i32.add {} (i32.const -1))", get(LEFT));
            let _ = write!(behind, "{} (br_if {out} (i32.eqz {}))", set(LEFT, &less), get(LEFT));
        }
        let (follow, last) = (self.follow(pointer), self.pieces(pointer, out, depth));
        let tail = self.pieces(pointer, out, depth);
        let body = format!("{before} {access} {behind} {follow}");
        let looped = match form {
            // The branch back is in a block, and something is behind it.
            0 => format!("(block {body} {last} (br_if 1 {again}) {tail})"),
            1 => format!("{body} {last} (br_if 0 {again}) {tail}"),
            // More than one branch back.
            2 => format!("{body} (br_if 0 {}) {last} (br_if 0 {again})", self.rarely()),
            // The null pointer is found first, in the middle or at the end.
            3 => format!("(br_if {out} {ended}) {body} {last} (br 0)"),
            4 => format!("{before} {access} (br_if {out} {ended}) {behind} {follow} (br 0)"),
            5 => format!("{body} {last} (br_if {out} {ended}) {tail} (br 0)"),
            _ => format!("{body} {last} (br_if 0 {again})"),
        };
        let looped = format!("(block (loop {looped}))");
        match self.random.chance(20) {
            true => format!("(if {} (then {looped}))", get(pointer)),
            false => looped,
        }
    }

    /// A data segment of pointers, from an address.
    fn data(&mut self, at: u32, bytes: u32) -> String {
        let mut text = format!("(data (i32.const {at}) \"");
        let data: Vec<u8> = (0..bytes.div_ceil(4)).flat_map(|_| self.pointer().to_le_bytes()).collect();
        data[..bytes as usize].iter().for_each(|byte| _ = write!(text, "\\{byte:02x}"));
        text + "\")"
    }

    /// What is in a module besides its memory.
    fn module(&mut self) -> String {
        let stmts: String = (0..1 + self.random.below(2)).map(|_| self.looped(P, 1)).collect();
        let listed = self.bytes.min(LISTED);
        // These overlap in most memories.
        let data = [0, self.bytes - listed].map(|at| self.data(at, listed)).concat();
        format!(
            "(global $g (export \"g\") (mut i32) (i32.const 0))
             (func $note (param i32)
               (global.set $g (i32.add (i32.mul (global.get $g) (i32.const 31)) (local.get 0))))
             (func (export \"f\") (param i32 i32 i32) (result i32) (local i32 i32)
               (local.set {LEFT} (i32.const {}))
               {stmts}
               (i32.add (local.get {SUM}) (i32.xor (local.get {P}) (i32.add (local.get {Q}) (local.get {COPY})))))
             {data}",
            1 + self.random.below(9),
        )
    }
}

fn subject(seed: u64) -> Subject<1> {
    let mut random = Random::of_seed(seed);
    let bytes = match random.below(8) {
        0 => 65536,
        1 => 1 + random.below(20) as u32,
        _ => 100 + random.below(800) as u32,
    };
    let next = random.pick(&[0, 4, 8]);
    let mut generator = Generator { random, bytes, next };
    let rest = generator.module();
    let args = [P, Q, COPY].map(|_| generator.pointer());
    let memory = if bytes == 65536 { "1 1".to_owned() } else { format!("{bytes} {bytes} (pagesize 1)") };
    let wasm =
        wat::parse_str(format!("(module (memory (export \"m\") {memory}) {rest})")).expect("valid text");
    let module = WasmModule::new("test", wasm.clone());
    let options = Options {
        for_speed: true,
        condition_flags: true,
        modified_immediates: seed.is_multiple_of(2),
        ..Options::default()
    };
    Subject { wasm, args: args.into(), module, options: [options] }
}

#[test]
fn pointers_that_are_null_or_outside_end_loops_along_lists() {
    let seeds = [number("LISTS_MODULES"), number("LISTS_SEED")];
    let [found] = batch::compare(seeds, subject, |c| c.contains("+ (-1u)) <"));
    assert!(found > 0);
}
