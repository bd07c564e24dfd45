//! Random modules, translated and compiled, against an interpreter: results, traps, globals and memories.
//!
//! `FUZZ_MODULES=n` is how many (a short run by default), `FUZZ_SEED=s` where to begin; a failure names the seed of
//! its module, and `FUZZ_KEEP=folder` keeps what was generated. GCC compiles them, half of them with its sanitizers;
//! or all of them whatever `CC` names. Half of them are modules that keep to their memory, whose accesses are masked or
//! trusted.

mod batch;

use std::collections::HashSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use batch::{Random, WORDS, bits, hash, label, print, trap, with_own_names, words};
use wasm_to_c::{C_FLAGS, Item, Options, Safety, ValType, WasmModule};
use wasmi::{Engine, Linker, Module, Store, Val};

/// Modules per C program, which is one translation unit: the header costs the compiler more than a module does.
const BATCH: u64 = 100;

/// What C leaves undefined ends a program; what is left allocated at its end is its host's.
const SANITIZERS: [&str; 2] =
    ["-fsanitize=undefined,float-cast-overflow,address", "-fno-sanitize-recover=all"];

/// How the module of a seed becomes C. Random ones do not keep what trusted ones promise of alignment, which sanitizers see.
fn safety(seed: u64, sanitized: bool) -> Safety {
    match seed % 4 {
        3 if !sanitized => Safety::Trusted,
        2 | 3 => Safety::Masked,
        _ => Safety::Checked,
    }
}

/// The module of a seed, which ends whatever is called; it keeps to its memory where nothing else makes it.
fn module(seed: u64, safety: Safety) -> Option<Vec<u8>> {
    let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let length = 64 + random.next() % 3000;
    let bytes: Vec<u8> = (0..length).map(|_| (random.next() >> 32) as u8).collect();
    let config = wasm_smith::Config {
        allow_start_export: true,
        bulk_memory_enabled: true,
        canonicalize_nans: true,
        custom_page_sizes_enabled: false,
        disallow_traps: safety != Safety::Checked,
        exceptions_enabled: false,
        export_everything: true,
        extended_const_enabled: true,
        gc_enabled: false,
        max_imports: 0,
        max_memories: 2,
        max_memory32_bytes: 4 << 16,
        max_table_elements: 100,
        max_tables: 2,
        memory64_enabled: false,
        memory_max_size_required: true,
        min_funcs: 1,
        min_memories: 1,
        multi_value_enabled: true,
        reference_types_enabled: true,
        relaxed_simd_enabled: false,
        saturating_float_to_int_enabled: true,
        sign_extension_ops_enabled: true,
        simd_enabled: false,
        table_max_size_required: true,
        tail_call_enabled: true,
        threads_enabled: false,
        wide_arithmetic_enabled: false,
        ..wasm_smith::Config::default()
    };
    let mut module = wasm_smith::Module::new(config, &mut arbitrary::Unstructured::new(&bytes)).ok()?;
    module.ensure_termination(400).ok()?;
    Some(module.to_bytes())
}

/// What the interpreter makes of it; `None` when it gives up.
fn interpret(bytes: &[u8], calls: &[(String, Vec<u64>)]) -> Option<String> {
    let engine = Engine::default();
    let module = Module::new(&engine, bytes).ok()?;
    let mut store = Store::new(&engine, ());
    let mut trace = String::new();
    let instance = match Linker::new(&engine).instantiate_and_start(&mut store, &module) {
        Ok(instance) => instance,
        Err(error) => {
            let _ = writeln!(trace, "start {}", trap(error.as_trap_code())?);
            return Some(trace);
        }
    };
    for (export, args) in calls {
        let (function, name) = (instance.get_func(&store, export)?, label(export));
        let ty = function.ty(&store);
        let args: Vec<Val> = ty
            .params()
            .iter()
            .zip(args)
            .map(|(ty, value)| match ty {
                wasmi::ValType::I32 => Val::I32(*value as i32),
                wasmi::ValType::I64 => Val::I64(*value as i64),
                wasmi::ValType::F32 => Val::F32(f32::from_bits(*value as u32).into()),
                wasmi::ValType::F64 => Val::F64(f64::from_bits(*value).into()),
                other => Val::default(*other),
            })
            .collect();
        let mut results: Vec<Val> = ty.results().iter().map(|ty| Val::default(*ty)).collect();
        match function.call(&mut store, &args, &mut results) {
            Ok(()) => {
                let texts: Vec<String> = results.iter().map(|value| format!("{:x}", bits(value))).collect();
                let _ = writeln!(trace, "{name} = {}", texts.join(" "));
            }
            Err(error) => {
                let _ = writeln!(trace, "{name} {}", trap(error.as_trap_code())?);
            }
        }
    }
    let exports: Vec<_> = instance.exports(&store).map(|e| (e.name().to_owned(), e.into_extern())).collect();
    for (name, export) in &exports {
        if let wasmi::Extern::Global(global) = export {
            let _ = writeln!(trace, "global {} {:x}", label(name), bits(&global.get(&store)));
        }
    }
    for (name, export) in &exports {
        if let wasmi::Extern::Memory(memory) = export {
            let data = memory.data(&store);
            let _ = writeln!(trace, "memory {} {} {:x}", label(name), data.len(), hash(data));
        }
    }
    Some(trace)
}

/// The same, in C: a function `run` that prints the same trace.
fn translate(
    bytes: &[u8],
    seed: u64,
    safety: Safety,
    calls: &mut Vec<(String, Vec<u64>)>,
) -> Result<String, String> {
    let module = WasmModule::new("test", bytes.to_vec());
    let options = Options { safety, ..Options::default() };
    let translation = wasm_to_c::transpile(&module, &options).map_err(|error| error.to_string())?;
    let interface = &translation.interface;
    let mut c = translation.unit.source.clone();
    let mut random = Random(seed | 1);
    let mut body = String::new();
    for (at, export) in interface.exports.iter().enumerate() {
        let given: Vec<u64> = export.ty.params.iter().map(|_| random.value()).collect();
        let args: Vec<String> = export
            .ty
            .params
            .iter()
            .zip(&given)
            .map(|(ty, value)| match ty {
                ValType::I32 => format!("{:#x}u", *value as u32),
                ValType::I64 => format!("{value:#x}ull"),
                ValType::F32 => format!("wasm_float32({:#x}u)", *value as u32),
                ValType::F64 => format!("wasm_float64({value:#x}ull)"),
                _ => "0".to_owned(),
            })
            .collect();
        let call = format!("{}({})", export.c_name, args.join(", "));
        let _ = writeln!(c, "static void call{at}(void) {{");
        let name = format!("{:?}", format!("{} =", label(&export.name)));
        match export.ty.results.as_slice() {
            [] => {
                let _ = writeln!(c, "    {call};\n    fputs({name}, stdout);\n    fputs(\" \", stdout);");
            }
            [one] => {
                let _ = writeln!(c, "    {} r = {call};\n    fputs({name}, stdout);", export.result_type);
                print(&mut c, *one, "r");
            }
            several => {
                let _ = writeln!(c, "    {} r = {call};\n    fputs({name}, stdout);", export.result_type);
                for (i, ty) in several.iter().enumerate() {
                    print(&mut c, *ty, &format!("r.r{i}"));
                }
            }
        }
        c.push_str("    putchar('\\n');\n}\n");
        let _ = writeln!(body, "    fuzz_try({:?}, call{at});", label(&export.name));
        calls.push((export.name.clone(), given));
    }
    for item in &interface.exported_items {
        if let Item::Global { ty, .. } = item.item {
            let _ = writeln!(body, "    fputs({:?}, stdout);", format!("global {}", label(&item.name)));
            print(&mut body, ty, &item.c_name);
            body.push_str("    putchar('\\n');\n");
        }
    }
    for (name, memory) in &interface.exported_memories {
        let _ = writeln!(body, "    fuzz_memory({:?}, {}, {});", label(name), memory.base, memory.size);
    }
    let limit = interface.stack_limit.as_ref().map(|limit| format!("    {limit} = fuzz_stack_limit;\n"));
    let init = interface.init.as_ref().map_or(String::new(), |init| {
        format!("    if (fuzz_try(\"start\", {init})) {{\n        return;\n    }}\n")
    });
    let _ = writeln!(c, "static void run(void) {{\n{}{init}{body}}}", limit.unwrap_or_default());
    Ok(c)
}

const HEADER: &str = r#"#include <stdio.h>
#include <stdlib.h>
extern uintptr_t fuzz_stack_limit;
extern void (*fuzz_trapped)(int);
int fuzz_try(const char *name, void (*call)(void));
void fuzz_memory(const char *name, const uint8_t *base, uint32_t size);
static inline void wasm_trap(wasm_trap_t kind) { fuzz_trapped((int)kind); __builtin_unreachable(); }
static inline void wasm_stack_low(void) { wasm_trap(WASM_TRAP_STACK_OVERFLOW); }
static uint8_t *wasm_memory_grow(uint8_t *memory, uint32_t old, uint32_t bytes) {
    uint8_t *moved = calloc(bytes, 1);
    if (old != 0) {
        __builtin_memcpy(moved, memory, old);
    }
    return moved;
}
"#;

const MAIN: &str = r#"#include <setjmp.h>
#include <string.h>
#include "wasm.h"
#include "fuzz.h"
static jmp_buf back;
uintptr_t fuzz_stack_limit;
static void trapped(int kind) { longjmp(back, kind + 1); }
void (*fuzz_trapped)(int) = trapped;
static const char *const messages[] = {
#define MESSAGE(name, message) message,
    WASM_TRAPS(MESSAGE)
#undef MESSAGE
};
int fuzz_try(const char *name, void (*call)(void)) {
    int kind = setjmp(back);
    if (kind == 0) {
        call();
        return 0;
    }
    const char *message = messages[kind - 1];
    printf("%s %s\n", name, strcmp(message, "undefined element") == 0 ? "out of bounds table access" : message);
    return 1;
}
void fuzz_memory(const char *name, const uint8_t *base, uint32_t size) {
    uint64_t hash = 0xcbf29ce484222325ull;
    for (uint32_t i = 0; i < size; i++) {
        hash = (hash ^ base[i]) * 0x100000001b3ull;
    }
    printf("memory %s %u %llx\n", name, size, (unsigned long long)hash);
}
"#;

/// Calls as they came, then what is left behind by name.
fn in_order(trace: &str) -> String {
    let state = |line: &&str| line.starts_with("global ") || line.starts_with("memory ");
    let mut lines: Vec<&str> = trace.lines().map(str::trim_end).filter(|line| !state(line)).collect();
    let mut rest: Vec<&str> = trace.lines().map(str::trim_end).filter(state).collect();
    rest.sort_unstable();
    lines.extend(rest);
    lines.join("\n")
}

/// Compares the modules of some seeds; the number compared and what differs.
fn compare(seeds: std::ops::Range<u64>, folder: &Path) -> (u64, Vec<String>) {
    std::fs::create_dir_all(folder).unwrap();
    std::fs::write(folder.join("fuzz.h"), HEADER).unwrap();
    let include = Path::new(env!("CARGO_MANIFEST_DIR")).join("../c-runtime/include");
    let header = std::fs::read_to_string(include.join("wasm.h")).unwrap();
    let mut known: HashSet<&str> =
        words(&header).chain(words(HEADER)).chain(words(MAIN)).chain(words(WORDS)).collect();
    // Names of parameters there, and of a module's own things.
    known.retain(|word| !["memory", "table", "tag", "start", "stack"].contains(word));
    let (mut main, mut runs) = (MAIN.to_owned(), String::new());
    let mut expected = Vec::new();
    let mut failures = Vec::new();
    let sanitized = std::env::var_os("CC").is_none() && (seeds.start / BATCH) % 2 == 1;
    for seed in seeds {
        let safety = safety(seed, sanitized);
        let Some(bytes) = module(seed, safety) else { continue };
        let mut calls = Vec::new();
        let c = match translate(&bytes, seed, safety, &mut calls) {
            Ok(c) => c,
            Err(error) => {
                failures.push(format!("seed {seed}: {error}"));
                continue;
            }
        };
        // The interpreter has bugs of its own.
        let interpreted = std::panic::catch_unwind(|| interpret(&bytes, &calls));
        let Some(trace) = interpreted.ok().flatten() else { continue };
        std::fs::write(folder.join(format!("m{seed}.wasm")), &bytes).unwrap();
        main.push_str(&with_own_names(&c, &format!("_{seed}"), &known));
        let _ = writeln!(runs, "    puts(\"# {seed}\");\n    run_{seed}();\n    fflush(stdout);");
        expected.push((seed, trace));
    }
    let _ = writeln!(
        main,
        "int main(void) {{\n    char here;\n    fuzz_stack_limit = (uintptr_t)&here - 4000000;\n{runs}    return 0;\n}}"
    );
    let program = folder.join("main");
    std::fs::write(program.with_extension("c"), main).unwrap();
    let mut command = Command::new(std::env::var("CC").unwrap_or_else(|_| "gcc".into()));
    command.args(["-O1", "-std=gnu11", "-w", "-fno-pic", "-no-pie"]).args(C_FLAGS).arg("-I").arg(&include);
    command.args(sanitized.then_some(SANITIZERS).into_iter().flatten());
    command.arg("-I").arg(folder).arg("-o").arg(&program).arg(program.with_extension("c"));
    let compiled = command.output().expect("a C compiler");
    if !compiled.status.success() {
        failures.push(String::from_utf8_lossy(&compiled.stderr).into_owned());
        return (0, failures);
    }
    let output = Command::new(&program).env("ASAN_OPTIONS", "detect_leaks=0").output().expect("the program");
    if !output.status.success() {
        let errors = String::from_utf8_lossy(&output.stderr);
        failures.push(format!("{}: {}: {errors}", program.display(), output.status));
    }
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut traces: Vec<(u64, String)> = Vec::new();
    for line in printed.lines() {
        match line.strip_prefix("# ").and_then(|seed| seed.parse().ok()) {
            Some(seed) => traces.push((seed, String::new())),
            None => {
                if let Some((_, trace)) = traces.last_mut() {
                    let _ = writeln!(trace, "{}", line.trim_end());
                }
            }
        }
    }
    let compared = expected.len() as u64;
    for (at, (seed, trace)) in expected.into_iter().enumerate() {
        let trace = in_order(&trace);
        match traces.get(at) {
            Some((_, ours)) if in_order(ours) == trace => {}
            ours => failures.push(format!("seed {seed}\n--- interpreted\n{trace}--- in C\n{ours:?}")),
        }
    }
    (compared, failures)
}

#[test]
fn random_modules_do_in_c_what_they_do_interpreted() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let count = number("FUZZ_MODULES").unwrap_or(200);
    let first = number("FUZZ_SEED").unwrap_or(1);
    let temporary = tempfile::tempdir().unwrap();
    let root = std::env::var("FUZZ_KEEP").map_or_else(|_| temporary.path().to_owned(), PathBuf::from);
    let next = AtomicU64::new(0);
    let compared = AtomicU64::new(0);
    let failures = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                loop {
                    let start = next.fetch_add(BATCH, Ordering::Relaxed);
                    if start >= count || failures.lock().unwrap().len() > 20 {
                        return;
                    }
                    let seeds = first + start..first + (start + BATCH).min(count);
                    let folder = root.join(seeds.start.to_string());
                    let (number, failed) = compare(seeds, &folder);
                    compared.fetch_add(number, Ordering::Relaxed);
                    if failed.is_empty() && std::env::var_os("FUZZ_KEEP").is_none() {
                        let _ = std::fs::remove_dir_all(&folder);
                    }
                    failures.lock().unwrap().extend(failed);
                }
            });
        }
    });
    let failures = failures.into_inner().unwrap();
    println!("{} of {count} modules compared", compared.into_inner());
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
