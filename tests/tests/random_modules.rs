//! Random modules, translated and compiled, against an interpreter: results, traps, globals and memories.
//!
//! `FUZZ_MODULES=n` is how many (a short run by default), `FUZZ_SEED=s` where to begin; a failure names the seed of
//! its module, and `FUZZ_KEEP=folder` keeps what was generated. GCC compiles them, half of them with its sanitizers;
//! or all of them whatever `CC` names. Half of them are modules that keep to their memory, whose accesses are masked or
//! trusted.
//!
//! WebAssembly does not say which NaN an operator gives. In half of the modules each operator is followed by others that
//! make it a certain one. In the others NaNs pass from operator to operator as they are, and only where an operator or
//! this test sees the bits of a float they become that one. A quarter of the modules may have vectors.

mod batch;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use batch::{Harness, Program, Random, Step, bits, bits_of_any_nan, hash, label, number, trap, vector};
use wasm_encoder::{CodeSection, Encode, Ieee32, Ieee64, Instruction as I, RawSection, SectionId, ValType};
use wasm_to_c::{Options, Safety, WasmModule};
use wasmi::{Engine, Linker, Module, Store, Val};
use wasmparser::{Operator as O, Payload};

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
        canonicalize_nans: !any_nan(seed),
        custom_page_sizes_enabled: false,
        disallow_traps: safety != Safety::Checked,
        exceptions_enabled: false,
        export_everything: true,
        extended_const_enabled: true,
        gc_enabled: false,
        max_imports: 0,
        max_memories: 2,
        max_memory32_bytes: 4 << 16,
        max_memory64_bytes: 4 << 16,
        max_table_elements: 100,
        max_tables: 2,
        // Every other seed: all addresses would need a check of their high bits.
        memory64_enabled: seed % 16 >= 8,
        memory_max_size_required: true,
        min_funcs: 1,
        min_memories: 1,
        multi_value_enabled: true,
        reference_types_enabled: true,
        relaxed_simd_enabled: has_vectors(seed),
        saturating_float_to_int_enabled: true,
        sign_extension_ops_enabled: true,
        simd_enabled: has_vectors(seed),
        table_max_size_required: true,
        tail_call_enabled: true,
        threads_enabled: false,
        wide_arithmetic_enabled: true,
        ..wasm_smith::Config::default()
    };
    let mut module = wasm_smith::Module::new(config, &mut arbitrary::Unstructured::new(&bytes)).ok()?;
    module.ensure_termination(400).ok()?;
    let bytes = module.to_bytes();
    Some(match (any_nan(seed), has_vectors(seed)) {
        (true, _) => changed(&bytes, before_bits).ok()?,
        (false, true) => changed(&bytes, behind_vectors).ok()?,
        (false, false) => bytes,
    })
}

/// Whether NaNs pass through the module of a seed as they are.
fn any_nan(seed: u64) -> bool {
    seed / 4 % 2 == 1
}

/// Whether the module of a seed may have vectors.
fn has_vectors(seed: u64) -> bool {
    !any_nan(seed) && seed / 8 % 2 == 1
}

/// What is put around an operator. The number is that of the first local of [`LOCALS`].
#[derive(Default)]
struct Around {
    before: Vec<I<'static>>,
    /// The operator is left out.
    replaces: bool,
    behind: Vec<I<'static>>,
}

/// The locals that each function has more.
const LOCALS: [ValType; 4] = [ValType::F32, ValType::F64, ValType::V128, ValType::V128];

/// NaNs become the same one where operators see their bits: before they are stored, become integers, or give a sign.
fn before_bits(op: &O<'_>, first: u32) -> Around {
    let (local, nan, equal) = match op {
        O::F32Store { .. } | O::I32ReinterpretF32 | O::F32Copysign => {
            (first, I::F32Const(Ieee32::new(0x7fc0_0000)), I::F32Eq)
        }
        O::F64Store { .. } | O::I64ReinterpretF64 | O::F64Copysign => {
            (first + 1, I::F64Const(Ieee64::new(0x7ff8 << 48)), I::F64Eq)
        }
        _ => return Around::default(),
    };
    let before = vec![I::LocalTee(local), nan, I::LocalGet(local), I::LocalGet(local), equal, I::Select];
    Around { before, ..Around::default() }
}

/// Of vectors the generator makes NaNs the same one behind the usual operators alone, and bits of integers may be any.
fn behind_vectors(op: &O<'_>, first: u32) -> Around {
    let lanes32 = 0x7fc0_0000_7fc0_0000_7fc0_0000_7fc0_0000;
    let lanes64 = 0x7ff8_0000_0000_0000_7ff8_0000_0000_0000;
    let (nan, equal) = match op {
        O::F32x4RelaxedMadd
        | O::F32x4RelaxedNmadd
        | O::F32x4RelaxedMin
        | O::F32x4RelaxedMax
        | O::F32x4DemoteF64x2Zero => (lanes32, I::F32x4Eq),
        O::F64x2RelaxedMadd
        | O::F64x2RelaxedNmadd
        | O::F64x2RelaxedMin
        | O::F64x2RelaxedMax
        | O::F64x2PromoteLowF32x4 => (lanes64, I::F64x2Eq),
        _ => return Around::default(),
    };
    let local = first + 2;
    let one = [
        I::LocalTee(local),
        I::V128Const(nan),
        I::LocalGet(local),
        I::LocalGet(local),
        equal,
        I::V128Bitselect,
    ];
    Around { behind: one.into(), ..Around::default() }
}

/// The interpreter rounds a relaxed multiplication and addition once, and what is tested twice.
fn rounded_twice(op: &O<'_>, first: u32) -> Around {
    let local = first + 3;
    let (set, get) = (I::LocalSet(local), I::LocalGet(local));
    let behind = match op {
        O::F32x4RelaxedMadd => vec![set, I::F32x4Mul, get, I::F32x4Add],
        O::F32x4RelaxedNmadd => vec![set, I::F32x4Mul, I::F32x4Neg, get, I::F32x4Add],
        O::F64x2RelaxedMadd => vec![set, I::F64x2Mul, get, I::F64x2Add],
        O::F64x2RelaxedNmadd => vec![set, I::F64x2Mul, I::F64x2Neg, get, I::F64x2Add],
        _ => return Around::default(),
    };
    Around { replaces: true, behind, ..Around::default() }
}

/// A module with something put around its operators.
fn changed(bytes: &[u8], around: fn(&O<'_>, u32) -> Around) -> wasmparser::Result<Vec<u8>> {
    let (mut types, mut params) = (Vec::new(), Vec::new());
    let mut module = wasm_encoder::Module::new();
    let mut code = CodeSection::new();
    for payload in wasmparser::Parser::new(0).parse_all(bytes) {
        let payload = payload?;
        match &payload {
            Payload::TypeSection(reader) => {
                let reader = reader.clone().into_iter_err_on_gc_types();
                types.extend(reader.flatten().map(|ty| ty.params().len() as u32));
            }
            Payload::FunctionSection(reader) => {
                params.extend(reader.clone().into_iter().flatten().map(|ty| types[ty as usize]));
            }
            Payload::CodeSectionEntry(body) => {
                code.raw(&changed_body(bytes, body, params[code.len() as usize], around)?);
                if code.len() as usize == params.len() {
                    module.section(&code);
                }
            }
            _ => {}
        }
        if let Some((id, range)) = payload.as_section()
            && id != SectionId::Code as u8
        {
            module.section(&RawSection { id, data: &bytes[range] });
        }
    }
    Ok(module.finish())
}

fn changed_body(
    bytes: &[u8],
    body: &wasmparser::FunctionBody<'_>,
    params: u32,
    around: fn(&O<'_>, u32) -> Around,
) -> wasmparser::Result<Vec<u8>> {
    let mut locals = body.get_locals_reader()?;
    let groups = locals.get_count();
    let start = locals.original_position();
    let mut count = params;
    for _ in 0..groups {
        count += locals.read()?.0;
    }
    let mut made = Vec::new();
    (groups + LOCALS.len() as u32).encode(&mut made);
    made.extend(&bytes[start..locals.original_position()]);
    for ty in LOCALS {
        1u32.encode(&mut made);
        ty.encode(&mut made);
    }
    let mut operators = body.get_operators_reader()?;
    while !operators.eof() {
        let start = operators.original_position();
        let Around { before, replaces, behind } = around(&operators.read()?, count);
        before.iter().for_each(|op| op.encode(&mut made));
        if !replaces {
            made.extend(&bytes[start..operators.original_position()]);
        }
        behind.iter().for_each(|op| op.encode(&mut made));
    }
    Ok(made)
}

/// What the interpreter makes of it; `None` when it gives up.
fn interpret(bytes: &[u8], steps: &[Step], any_nan: bool) -> Option<String> {
    let bytes = changed(bytes, rounded_twice).ok()?;
    let bits = if any_nan { bits_of_any_nan } else { bits };
    let engine = Engine::default();
    let module = Module::new(&engine, &bytes).ok()?;
    let mut store = Store::new(&engine, ());
    let mut trace = String::new();
    let instance = match Linker::new(&engine).instantiate_and_start(&mut store, &module) {
        Ok(instance) => instance,
        Err(error) => {
            let _ = writeln!(trace, "start {}", trap(error.as_trap_code())?);
            return Some(trace);
        }
    };
    for step in steps {
        let Step::Call { export, args, .. } = step else { continue };
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
                wasmi::ValType::V128 => Val::V128(vector(*value).into()),
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

/// The same, in C: each export is called once.
fn translate(bytes: &[u8], seed: u64, safety: Safety) -> Result<(String, Vec<Step>), String> {
    let module = WasmModule::new("test", bytes.to_vec());
    let options = Options {
        safety,
        for_speed: !seed.is_multiple_of(4),
        wide_addresses: seed.is_multiple_of(2) == (seed / 4).is_multiple_of(2),
        condition_flags: (seed / 8).is_multiple_of(2),
        modified_immediates: (seed / 16).is_multiple_of(2),
        ..Options::default()
    };
    let mut translation = wasm_to_c::transpile(&module, &options).map_err(|error| error.to_string())?;
    // Nothing is unwound after a trap.
    translation.interface.stack_pointer = None;
    let mut random = Random(seed | 1);
    let steps = translation.interface.exports.iter().map(|export| Step::Call {
        export: export.name.clone(),
        args: export.ty.params.iter().map(|_| random.value()).collect(),
        times: 1,
    });
    let steps: Vec<Step> = steps.collect();
    Ok((Program::new(&translation, &steps, any_nan(seed))?.c, steps))
}

/// Calls as they came, then what is left behind by name.
fn in_order<'a>(trace: impl Iterator<Item = &'a str>) -> String {
    let (mut rest, mut lines): (Vec<&str>, Vec<&str>) =
        trace.map(str::trim_end).partition(|line| line.starts_with("global ") || line.starts_with("memory "));
    rest.sort_unstable();
    lines.extend(rest);
    lines.join("\n")
}

/// Compares the modules of some seeds; the number compared and what differs.
fn compare(harness: &Harness, seeds: std::ops::Range<u64>, folder: &Path) -> (usize, Vec<String>) {
    std::fs::create_dir_all(folder).unwrap();
    let (mut modules, mut expected) = (Vec::new(), Vec::new());
    let mut failures = Vec::new();
    let compiler = std::env::var("CC");
    let sanitized = compiler.is_err() && (seeds.start / BATCH) % 2 == 1;
    for seed in seeds {
        let safety = safety(seed, sanitized);
        let Some(bytes) = module(seed, safety) else { continue };
        let (c, steps) = match translate(&bytes, seed, safety) {
            Ok(translated) => translated,
            Err(error) => {
                failures.push(format!("seed {seed}: {error}"));
                continue;
            }
        };
        // The interpreter has bugs of its own.
        let interpreted = std::panic::catch_unwind(|| interpret(&bytes, &steps, any_nan(seed)));
        let Some(trace) = interpreted.ok().flatten() else { continue };
        std::fs::write(folder.join(format!("m{seed}.wasm")), &bytes).unwrap();
        modules.push((seed.to_string(), c));
        expected.push(trace);
    }
    let parts: Vec<(String, &str)> = modules.iter().map(|(name, c)| (name.clone(), c.as_str())).collect();
    let mut flags = vec!["-O1"];
    flags.extend(sanitized.then_some(SANITIZERS).into_iter().flatten());
    if let Err(errors) = harness.compile(&parts, compiler.as_deref().unwrap_or("gcc"), &flags, folder) {
        failures.push(errors);
        return (0, failures);
    }
    let printed = harness.run(modules.len(), folder);
    for (((seed, _), trace), ours) in modules.iter().zip(&expected).zip(printed) {
        let (trace, lines) = (in_order(trace.lines()), in_order(ours.lines.iter().map(String::as_str)));
        match ours.ended {
            Some(end) => failures.push(format!("seed {seed}: ended the program: {end}")),
            None if lines != trace => {
                failures.push(format!("seed {seed}\n--- interpreted\n{trace}\n--- in C\n{lines}"));
            }
            None => {}
        }
    }
    (modules.len(), failures)
}

#[test]
fn random_modules_do_in_c_what_they_do_interpreted() {
    let count = number("FUZZ_MODULES").unwrap_or(200);
    let first = number("FUZZ_SEED").unwrap_or(1);
    let temporary = tempfile::tempdir().unwrap();
    let root = std::env::var("FUZZ_KEEP").map_or_else(|_| temporary.path().to_owned(), PathBuf::from);
    let next = AtomicU64::new(0);
    let (harness, compared) = (Harness::new(), AtomicUsize::new(0));
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
                    let (number, failed) = compare(&harness, seeds, &folder);
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
