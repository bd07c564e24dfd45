//! What tests that compile many modules at once have in common: they share a translation unit (`harness.c`), whose
//! program prints what an interpreter's trace says.
#![allow(dead_code, reason = "each test has its own use of it")]

use std::collections::HashSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use wasm_to_c::{C_FLAGS, Item, Options, Safety, Translation, ValType, WasmModule};
use wasmi::{Config, Engine, Linker, Module, Store, TrapCode, Val};

/// xorshift64*: the same modules for the same seed on every machine.
pub struct Random(pub u64);

impl Random {
    pub fn of_seed(seed: u64) -> Random {
        Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// An argument: small, extreme or anything.
    pub fn value(&mut self) -> u64 {
        let any = self.next();
        match any >> 61 {
            0..=2 => any & 0xff,
            3 => u64::MAX - (any & 3),
            4 => 0x8000_0000 | (any & 1),
            _ => any,
        }
    }

    pub fn below(&mut self, end: u64) -> u64 {
        (self.next() >> 16) % end
    }

    pub fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    pub fn pick<T: Copy>(&mut self, items: &[T]) -> T {
        items[self.below(items.len() as u64) as usize]
    }
}

/// A name, which may be any text, as it is printed.
pub fn label(name: &str) -> String {
    name.bytes()
        .map(|b| if b.is_ascii_alphanumeric() { char::from(b).to_string() } else { format!("_{b:02x}") })
        .collect()
}

pub fn hash(bytes: &[u8]) -> u64 {
    hash_behind(0xcbf2_9ce4_8422_2325, bytes)
}

/// The hash of bytes behind others that have a hash.
pub fn hash_behind(hash: u64, bytes: &[u8]) -> u64 {
    bytes.iter().fold(hash, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

/// What a value is printed as. Of references only whether they are null.
pub fn bits(value: &Val) -> u128 {
    match value {
        Val::I32(value) => value.cast_unsigned().into(),
        Val::I64(value) => value.cast_unsigned().into(),
        Val::F32(value) => value.to_bits().into(),
        Val::F64(value) => value.to_bits().into(),
        Val::V128(value) => value.as_u128(),
        Val::FuncRef(reference) => (!reference.is_null()).into(),
        Val::ExternRef(reference) => (!reference.is_null()).into(),
    }
}

/// The high half of a vector that is an argument, by its low half.
fn high(low: u64) -> u64 {
    low.rotate_left(29)
}

/// A vector that is an argument, by its low half.
pub fn vector(low: u64) -> u128 {
    u128::from(high(low)) << 64 | u128::from(low)
}

/// The same, but of a NaN only that it is one.
pub fn bits_of_any_nan(value: &Val) -> u128 {
    match value {
        Val::F32(value) if value.to_float().is_nan() => 0x7fc0_0000,
        Val::F64(value) if value.to_float().is_nan() => 0x7ff8 << 48,
        other => bits(other),
    }
}

pub fn trap(code: Option<TrapCode>) -> Option<&'static str> {
    Some(match code? {
        TrapCode::UnreachableCodeReached => "unreachable",
        TrapCode::MemoryOutOfBounds => "out of bounds memory access",
        TrapCode::TableOutOfBounds => "out of bounds table access",
        TrapCode::IndirectCallToNull => "uninitialized element",
        TrapCode::IntegerDivisionByZero => "integer divide by zero",
        TrapCode::IntegerOverflow => "integer overflow",
        TrapCode::BadConversionToInteger => "invalid conversion to integer",
        TrapCode::BadSignature => "indirect call type mismatch",
        _ => return None,
    })
}

/// Prints a value as [`bits`] and, with `any_nan`, [`bits_of_any_nan`] have it.
fn print(c: &mut String, ty: ValType, value: &str, any_nan: bool) {
    let text = match ty {
        ValType::V128 => {
            let _ = writeln!(c, "    harness_vector({value});");
            return;
        }
        ValType::I32 | ValType::I64 => value.to_owned(),
        ValType::F32 if any_nan => format!("{value} != {value} ? 0x7fc00000u : wasm_bits32({value})"),
        ValType::F64 if any_nan => {
            format!("{value} != {value} ? 0x7ff8000000000000ull : wasm_bits64({value})")
        }
        ValType::F32 => format!("wasm_bits32({value})"),
        ValType::F64 => format!("wasm_bits64({value})"),
        _ => format!("({value} != 0)"),
    };
    let _ = writeln!(c, "    printf(\" %llx\", (unsigned long long)({text}));");
}

const HARNESS: &str = include_str!("harness.c");

/// What is done with an instance.
#[derive(Debug, Clone)]
pub enum Step {
    /// Calls an export, so many times.
    Call { export: String, args: Vec<u64>, times: u32 },
    /// Sets an exported global, an i32.
    Set { export: String, value: u32 },
}

/// The C of a module, with a function `run` that does the steps and prints what an interpreter's trace says.
pub struct Program {
    pub c: String,
    /// How many bytes the arrays have that are its memories.
    pub arrays: Vec<u64>,
}

impl Program {
    /// With `any_nan`, all NaNs are printed alike. Fails with the name of an export that there is not.
    pub fn new(translation: &Translation, steps: &[Step], any_nan: bool) -> Result<Program, String> {
        let interface = &translation.interface;
        let (mut c, mut run, mut arrays) = (String::new(), String::new(), Vec::new());
        for line in translation.unit.source.lines() {
            let array =
                line.strip_prefix("WASM_STORAGE uint8_t memory").and_then(|rest| rest.split_once('['));
            let Some((number, rest)) = array else {
                c.push_str(line);
                c.push('\n');
                continue;
            };
            let bytes: u64 = rest.split_once(']').and_then(|(bytes, _)| bytes.parse().ok()).unwrap_or(0);
            arrays.push(bytes);
            let guarded = format!("guarded{number}");
            let _ = writeln!(
                c,
                "HARNESS_MEMORY({guarded}, {bytes})\n#define memory{number} HARNESS_AT({guarded})"
            );
            let _ = writeln!(run, "    HARNESS_GUARD({guarded});");
        }
        if let Some(limit) = &interface.stack_limit {
            let _ = writeln!(run, "    {limit} = harness_stack_limit;");
        }
        if let Some(init) = &interface.init {
            let _ = writeln!(run, "    if (harness_try(\"start\", {init})) {{\n        return;\n    }}");
        }
        for (at, step) in steps.iter().enumerate() {
            let (export, args, times) = match step {
                Step::Call { export, args, times } => (export, args, times),
                Step::Set { export, value } => {
                    let item = interface.exported_items.iter().find(|item| item.name == *export);
                    if let Some(item) = item {
                        let _ = writeln!(run, "    {} = {value:#x}u;", item.c_name);
                    }
                    continue;
                }
            };
            let function =
                interface.exports.iter().find(|function| function.name == *export).ok_or(export)?;
            let args: Vec<String> = function
                .ty
                .params
                .iter()
                .zip(args)
                .map(|(ty, value)| match ty {
                    ValType::I32 => format!("{:#x}u", *value as u32),
                    ValType::I64 => format!("{value:#x}ull"),
                    ValType::F32 => format!("wasm_float32({:#x}u)", *value as u32),
                    ValType::F64 => format!("wasm_float64({value:#x}ull)"),
                    ValType::V128 => format!("WASM_V128({value:#x}ull, {:#x}ull)", high(*value)),
                    _ => "0".to_owned(),
                })
                .collect();
            let (call, name) = (format!("{}({})", function.c_name, args.join(", ")), label(export));
            let _ = writeln!(c, "static void call{at}(void) {{");
            let _ = match function.ty.results.as_slice() {
                [] => writeln!(c, "    {call};\n    fputs(\"{name} = \", stdout);"),
                _ => {
                    writeln!(c, "    {} r = {call};\n    fputs(\"{name} =\", stdout);", function.result_type)
                }
            };
            match function.ty.results.as_slice() {
                [] => {}
                [one] => print(&mut c, *one, "r", any_nan),
                several => {
                    for (i, ty) in several.iter().enumerate() {
                        print(&mut c, *ty, &format!("r.r{i}"), any_nan);
                    }
                }
            }
            c.push_str("    putchar('\\n');\n}\n");
            // As bindings do (`mpy_unwind` in c-runtime).
            let unwind =
                interface.stack_pointer.as_ref().map(|(lvalue, start)| format!("{lvalue} = {start};"));
            let _ = writeln!(
                run,
                "    for (int h = 0; h < {times}; h++) {{\n        if (harness_try(\"{name}\", call{at})) {{ {} }}\n    }}",
                unwind.unwrap_or_default()
            );
        }
        for item in &interface.exported_items {
            if let Item::Global { ty, .. } = item.item {
                let _ = writeln!(run, "    fputs(\"global {}\", stdout);", label(&item.name));
                print(&mut run, ty, &item.c_name, any_nan);
                run.push_str("    putchar('\\n');\n");
            }
        }
        for (name, memory) in &interface.exported_memories {
            let (name, base, size) = (label(name), &memory.base, &memory.size);
            let _ = writeln!(run, "    harness_memory(\"{name}\", {base}, {size});");
        }
        let _ = writeln!(c, "static void run(void) {{\n{run}}}");
        Ok(Program { c, arrays })
    }
}

/// What a module of a program did.
#[derive(Default)]
pub struct Printed {
    pub lines: Vec<String>,
    /// How it ended the program, if it did.
    pub ended: Option<String>,
}

/// Compiles and runs programs.
pub struct Harness {
    include: PathBuf,
    /// Names that are not a module's.
    known: HashSet<&'static str>,
}

impl Harness {
    pub fn new() -> Harness {
        let include = Path::new(env!("CARGO_MANIFEST_DIR")).join("../c-runtime/include");
        let header = std::fs::read_to_string(include.join("wasm.h")).expect("the header");
        let code = HARNESS.lines().filter(|line| !line.trim_start().starts_with(['/', '*']));
        let mut known: HashSet<&str> =
            words(header.leak()).chain(code.flat_map(words)).chain(words(WORDS)).collect();
        // Names of parameters there, and of a module's own things.
        for own in ["memory", "table", "tag", "start", "stack", "guarded", "run", "runs", "frame", "call"] {
            known.remove(own);
        }
        Harness { include, known }
    }

    /// Makes a program of modules, each of which has a name and C; else what the compiler says.
    pub fn compile(
        &self,
        modules: &[(String, &str)],
        compiler: &str,
        flags: &[&str],
        folder: &Path,
    ) -> Result<(), String> {
        std::fs::create_dir_all(folder).expect("a writable folder");
        let mut main = HARNESS.to_owned();
        let (mut runs, mut names) = (String::new(), String::new());
        for (name, c) in modules {
            main.push_str(&with_own_names(c, &format!("_{name}"), &self.known));
            let _ = write!(runs, "run_{name}, ");
            let _ = write!(names, "\"{name}\", ");
        }
        let _ = writeln!(
            main,
            "static void (*const runs[])(void) = {{{runs}}};\nstatic const char *const names[] = {{{names}}};\n\
             int main(int count, char **args) {{\n    harness_run(count > 1 ? atoi(args[1]) : 0, {}, runs, \
             names);\n    return 0;\n}}",
            modules.len()
        );
        std::fs::write(folder.join("main.c"), main).expect("a writable folder");
        let mut command = Command::new(compiler);
        // Also what only some processors have instructions for.
        command.args(flags).args(["-std=gnu11", "-w", "-DWASM_DOT_PRODUCTS=1"]);
        command.args(C_FLAGS).arg("-I").arg(&self.include);
        command.arg("-o").arg(folder.join("main")).arg(folder.join("main.c")).arg("-lm");
        let compiled = command.output().expect("a C compiler");
        match compiled.status.success() {
            true => Ok(()),
            false => Err(String::from_utf8_lossy(&compiled.stderr).into_owned()),
        }
    }

    /// What each of the program's modules did. One that ends the program does not keep the others from being run.
    pub fn run(&self, count: usize, folder: &Path) -> Vec<Printed> {
        let mut printed: Vec<Printed> = Vec::new();
        while printed.len() < count {
            let (first, mut over) = (printed.len(), false);
            let output = Command::new(folder.join("main"))
                .arg(first.to_string())
                .env("ASAN_OPTIONS", "detect_leaks=0")
                .output()
                .expect("the program");
            for line in String::from_utf8_lossy(&output.stdout).lines() {
                match (line.strip_prefix("# "), printed.last_mut()) {
                    (Some("end"), _) => over = true,
                    (Some(_), _) => printed.push(Printed::default()),
                    (None, Some(last)) => last.lines.push(line.trim_end().to_owned()),
                    _ => {}
                }
            }
            let errors = String::from_utf8_lossy(&output.stderr);
            let end = format!("{} {errors}", output.status);
            match printed[first..].last_mut() {
                Some(last) if !over => last.ended = Some(end),
                _ => assert!(printed.len() == count, "the program does not begin: {end}"),
            }
        }
        printed
    }
}

/// A module whose export `f`, with i32 parameters and a result, is called once, and how it is translated.
pub struct Subject<const N: usize> {
    /// As the interpreter has it.
    pub wasm: Vec<u8>,
    pub args: Vec<u32>,
    /// As it is translated.
    pub module: WasmModule,
    /// One program for each. Those whose memory is not checked are left out if the interpreter traps.
    pub options: [Options; N],
}

/// Operators that the interpreter executes at most, of loops that need not end.
const FUEL: u64 = 1_000_000;
/// Seeds of a program.
const BATCH: usize = 200;

/// What the interpreter prints, and whether it trapped; `None` if it does not end.
fn interpret(wasm: &[u8], args: &[u32]) -> Option<(Vec<String>, bool)> {
    let mut config = Config::default();
    config.wasm_custom_page_sizes(true).consume_fuel(true);
    let engine = Engine::new(&config);
    let module = Module::new(&engine, wasm).expect("a valid module");
    let mut store = Store::new(&engine, ());
    store.set_fuel(FUEL).expect("fuel is counted");
    let instance = Linker::new(&engine).instantiate_and_start(&mut store, &module).expect("no start");
    let function = instance.get_func(&store, "f").expect("an export");
    let mut results = [Val::I32(0)];
    let args: Vec<Val> = args.iter().map(|arg| Val::I32(arg.cast_signed())).collect();
    let called = function.call(&mut store, &args, &mut results);
    let mut lines = vec![match &called {
        Ok(()) => format!("f = {:x}", bits(&results[0])),
        Err(error) if error.as_trap_code() == Some(TrapCode::OutOfFuel) => return None,
        Err(error) => format!("f {}", trap(error.as_trap_code()).expect("a trap")),
    }];
    if let Some(global) = instance.get_global(&store, "g") {
        lines.push(format!("global g {:x}", bits(&global.get(&store))));
    }
    let memory = instance.get_memory(&store, "m").expect("an export");
    let data = memory.data(&store);
    lines.push(format!("memory m {} {:x}", data.len(), hash(data)));
    Some((lines, called.is_err()))
}

/// A setting in the environment that is a number.
pub fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|text| text.parse().ok())
}

/// Compares the modules of so many seeds (150 by default) from a first one with the interpreter. How many translations by each of their
/// options are `of_interest`.
pub fn compare<const N: usize>(
    [count, first]: [Option<u64>; 2],
    subject: impl Fn(u64) -> Subject<N>,
    of_interest: fn(&str) -> bool,
) -> [usize; N] {
    let (count, first) = (count.unwrap_or(150), first.unwrap_or(1));
    let (harness, mut compared, mut found) = (Harness::new(), 0, [0; N]);
    let seeds: Vec<u64> = (first..first + count).collect();
    for seeds in seeds.chunks(BATCH) {
        let (mut modules, mut expected) = (Vec::new(), Vec::new());
        for seed in seeds {
            let Subject { wasm, args, module, options } = subject(*seed);
            let Some((trace, traps)) = interpret(&wasm, &args) else { continue };
            let args: Vec<u64> = args.into_iter().map(u64::from).collect();
            let steps = [Step::Call { export: "f".to_owned(), args, times: 1 }];
            for (at, options) in options.iter().enumerate() {
                let safety = options.safety;
                if traps && safety != Safety::Checked {
                    continue;
                }
                let translation = wasm_to_c::transpile(&module, options).expect("a translation");
                let c = Program::new(&translation, &steps, false).expect("a program").c;
                found[at] += usize::from(of_interest(&c));
                modules.push((format!("{seed}{safety:?}"), c));
                expected.push(trace.clone());
            }
        }
        compared += modules.len();
        let folder = tempfile::tempdir().expect("a folder");
        let parts: Vec<(String, &str)> = modules.iter().map(|(name, c)| (name.clone(), c.as_str())).collect();
        harness.compile(&parts, "gcc", &["-O1"], folder.path()).expect("C that compiles");
        let printed = harness.run(modules.len(), folder.path());
        for (((name, _), trace), ours) in modules.iter().zip(&expected).zip(printed) {
            let lines: Vec<&str> = ours.lines.iter().map(|line| line.trim_end()).collect();
            assert_eq!(lines, *trace, "module {name}, which ended with {:?}", ours.ended);
        }
    }
    println!("{compared} modules compared, of which {found:?} are of interest");
    found
}

/// `source` with `suffix` behind all names but those of the headers, C's and the library's, so that many modules
/// share a translation unit.
fn with_own_names(source: &str, suffix: &str, known: &HashSet<&str>) -> String {
    let mut text = String::with_capacity(source.len() * 2);
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let (mut rest, mut literal) = (source, false);
    while let Some(c) = rest.chars().next() {
        let length = if is_part(c) { rest.find(|c| !is_part(c)).unwrap_or(rest.len()) } else { c.len_utf8() };
        let (token, after) = rest.split_at(length);
        literal ^= c == '"';
        text.push_str(token);
        // Structures of several results are the module's.
        let results = |name: &str| name.bytes().all(|b| b"iqfdvrex".contains(&b));
        let headers = ["WASM_", "SIMD_", "simd_", "harness_"].iter().any(|prefix| token.starts_with(prefix))
            || token.strip_prefix("wasm_").is_some_and(|name| !results(name));
        // What is behind an arrow is a member of the headers' structures.
        let member = text[..text.len() - token.len()].ends_with("->");
        if !literal && !member && is_part(c) && !c.is_ascii_digit() && !headers && !known.contains(token) {
            text.push_str(suffix);
        }
        rest = after;
    }
    text
}

/// What is named in C.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
}

/// Of C, and of what generated C and this file's may say besides.
const WORDS: &str = "const static extern inline struct union typedef sizeof return if else while for do goto switch case \
    break default void char int long short unsigned signed float double int8_t int16_t int32_t int64_t uint8_t uint16_t \
    uint32_t uint64_t uintptr_t include define undef ifndef endif h n stdout fputs putchar";
