//! Modules that try to get out of their memory (`attack/generator.rs`), against an interpreter: as programs of this
//! machine and, through `.mpy` files, on boards.
//!
//! A module of a checked memory does what the interpreter does. One of a masked memory does so as long as that has no
//! access outside; after one, only what is around its memory counts. On this machine each memory lies between known
//! bytes and pages that nobody may touch; on boards Python's own bytes lie around it.
//!
//! A short run by default. `ATTACK_MODULES=n` is how many seeds for this machine, `ATTACK_BOARD_MODULES=n` how many for
//! each board, `ATTACK_SEED=s` where to begin, `ATTACK_BOARD=name` the only board. Every seed is a module of a checked
//! and one of a masked memory on this machine; on boards it is one of them in turn. A failure names its seed, and the
//! module is kept in the folder `ATTACK_KEEP`, or in `target/tmp/attack`. `ATTACK_FAILURES=n` ends the run after so many.
//!
//! `ATTACK_CC=tcc` is for long runs: fifteen of sixteen programs are compiled by that compiler, in a hundredth of GCC's
//! time. With `CARGO_PROFILE_DEV_OPT_LEVEL=1` a thousand seeds take ten seconds of one processor then.
//!
//! To see that an escape is found, take out what prevents it (a proof in `wasm-to-c/src/range.rs`, a check in `wasm.h`)
//! and run the first seeds with `ATTACK_FAILURES=1`. Each must be found within 10,000 of them.

mod batch;
#[path = "attack/generator.rs"]
mod generator;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::RecvTimeoutError;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use batch::{Harness, Printed, Program, Step, bits, hash, hash_behind, label, number, trap};
use cargo_mpy::options::BuildOptions;
use cargo_mpy::wasm;
use generator::{Attack, First, POINTERS, THROWN, attack};
use target_specs::Board;
use tests::board;
use wasm_to_c::{Options, Safety};
use wasmi::{Engine, Linker, Module, Store, StoreLimits, StoreLimitsBuilder, Val};

/// Seeds of a program of this machine, each of which is a module of either memory.
const BATCH: u64 = 100;
/// Memories above this are not made, only looked at.
const MOST: u64 = 1 << 24;
/// What no translation takes, on a busy machine either.
const LONGEST: Duration = Duration::from_secs(1000);
/// What a memory may grow to.
const GROWN: usize = 1 << 20;

/// What the interpreter made of an attack.
struct Judged {
    /// One line for each call.
    calls: Vec<String>,
    /// Globals and memories in the end, in any order.
    state: Vec<String>,
    /// Some access was outside.
    outside: bool,
}

/// What the interpreter makes of it; `None` when it gives up. After a trap the global that was `top` at the start is that
/// again, as bindings leave the shadow stack.
fn judge(attack: &Attack, top: Option<u32>) -> Option<Judged> {
    let mut config = wasmi::Config::default();
    config.wasm_custom_page_sizes(true).set_max_recursion_depth(20_000);
    let engine = Engine::new(&config);
    let module = Module::new(&engine, &attack.twin).unwrap_or_else(|error| panic!("no twin: {error}"));
    let limits = StoreLimitsBuilder::new().memory_size(GROWN).table_elements(10_000).build();
    let mut store: Store<StoreLimits> = Store::new(&engine, limits);
    store.limiter(|limits| limits);
    let mut judged = Judged { calls: Vec::new(), state: Vec::new(), outside: false };
    let ended = |judged: &mut Judged, name: &str, why: Option<&str>| {
        let why = why?;
        judged.outside |= why == "out of bounds memory access";
        judged.calls.push(format!("{name} {why}"));
        Some(())
    };
    let instance = match Linker::new(&engine).instantiate_and_start(&mut store, &module) {
        Ok(instance) => instance,
        Err(error) => {
            ended(&mut judged, "start", trap(error.as_trap_code()))?;
            return Some(judged);
        }
    };
    let thrown = instance.get_global(&store, THROWN)?;
    let top = top.map(|top| Val::I32(top.cast_signed()));
    let globals = POINTERS.map(|name| instance.get_global(&store, name));
    let pointer = top
        .as_ref()
        .and_then(|top| globals.into_iter().flatten().find(|global| bits(&global.get(&store)) == bits(top)));
    let unwound = pointer.zip(top);
    for step in &attack.steps {
        let (export, args, times) = match step {
            Step::Call { export, args, times } => (export, args, *times),
            Step::Set { export, value } => {
                let global = instance.get_global(&store, export)?;
                global.set(&mut store, Val::I32(value.cast_signed())).ok()?;
                continue;
            }
        };
        let function = instance.get_func(&store, export)?;
        let ty = function.ty(&store);
        let given = ty.params().iter().zip(args).map(|(ty, value)| match ty {
            wasmi::ValType::I32 => Val::I32(*value as i32),
            _ => Val::I64(value.cast_signed()),
        });
        let given: Vec<Val> = given.collect();
        for _ in 0..times {
            let mut results: Vec<Val> = ty.results().iter().map(|ty| Val::default(*ty)).collect();
            let name = label(export);
            match function.call(&mut store, &given, &mut results) {
                Ok(()) if bits(&thrown.get(&store)) != 0 => {
                    if let Some((pointer, top)) = &unwound {
                        pointer.set(&mut store, top.clone()).ok()?;
                    }
                    thrown.set(&mut store, Val::I32(0)).ok()?;
                    judged.calls.push(format!("{name} uncaught exception"));
                }
                Ok(()) => {
                    let texts: Vec<String> =
                        results.iter().map(|value| format!("{:x}", bits(value))).collect();
                    judged.calls.push(format!("{name} = {}", texts.join(" ")).trim_end().to_owned());
                }
                Err(error) => {
                    ended(&mut judged, &name, trap(error.as_trap_code()))?;
                    if let Some((pointer, top)) = &unwound {
                        pointer.set(&mut store, top.clone()).ok()?;
                    }
                }
            }
        }
    }
    for export in instance.exports(&store) {
        let name = label(export.name());
        match export.into_extern() {
            wasmi::Extern::Global(global) => {
                judged.state.push(format!("global {name} {:x}", bits(&global.get(&store))));
            }
            wasmi::Extern::Memory(memory) => {
                let data = memory.data(&store);
                judged.state.push(format!("memory {name} {} {:x}", data.len(), hash(data)));
            }
            _ => {}
        }
    }
    Some(judged)
}

/// A seed and how the module is translated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Subject {
    seed: u64,
    masked: bool,
}

impl std::fmt::Display for Subject {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}{}", self.seed, if self.masked { "m" } else { "c" })
    }
}

/// What a subject failed in.
struct Failure {
    subject: Subject,
    kind: &'static str,
    text: String,
}

#[derive(Default)]
struct Score {
    compared: u64,
    /// Modules of which only what is around their memory was looked at.
    guarded: u64,
    /// Those of these that were compared until the stack was exhausted.
    exhausted: u64,
    /// Modules that were refused, by the code of the error.
    refused: BTreeMap<String, u64>,
    /// Modules that the interpreter gave up.
    unjudged: u64,
    failures: Vec<Failure>,
}

fn name_of(seed: u64) -> String {
    format!("a{seed}")
}

/// The module as the tool prepares it, and what the interpreter makes of it then.
fn prepared(seed: u64, small: bool) -> Result<(Attack, wasm_to_c::WasmModule), String> {
    let attack = attack(seed, small, None);
    let prepared = wasm::prepare(&name_of(seed), &attack.wasm, 0, None, None, wasm::Origin::Other, None)
        .map_err(|error| format!("{}: {}", error.code, error.message))?;
    let declared = wasmparser::Parser::new(0).parse_all(&prepared.module.bytes).flatten().find_map(|part| {
        let wasmparser::Payload::MemorySection(reader) = part else { return None };
        reader.into_iter().next()?.ok()
    });
    let first = match (prepared.module.memory_bytes, declared) {
        (Some(bytes), _) => Some(First { page: 1, minimum: bytes.into(), grows: false }),
        (None, Some(ty)) => {
            let page = 1 << ty.page_size_log2.unwrap_or(16);
            Some(First { page, minimum: ty.initial, grows: true })
        }
        (None, None) => None,
    };
    Ok((generator::attack(seed, small, first), prepared.module))
}

/// The first value of the shadow stack's pointer, where bindings know one.
fn top(module: &wasm_to_c::WasmModule) -> Option<u32> {
    let translation = wasm_to_c::transpile(module, &Options::default()).ok()?;
    let (_, start) = translation.interface.stack_pointer?;
    // As C has it: 16u, 0x80000000u or (-16u).
    let digits = start.trim_matches(['(', ')']).trim_end_matches('u');
    match digits.strip_prefix("0x") {
        Some(digits) => u32::from_str_radix(digits, 16).ok(),
        None => digits.parse().ok().map(|value: i64| value as u32),
    }
}

/// What prints what the interpreter's trace says, or nothing for memories that are not made.
fn translate(
    attack: &Attack,
    module: &wasm_to_c::WasmModule,
    masked: bool,
    seed: u64,
) -> Result<Option<String>, (&'static str, String)> {
    let safety = if masked { Safety::Masked } else { Safety::Checked };
    let options = Options {
        safety,
        for_speed: !seed.is_multiple_of(4),
        wide_addresses: !seed.is_multiple_of(3),
        condition_flags: (seed / 4).is_multiple_of(2),
        modified_immediates: (seed / 8).is_multiple_of(2),
        ..Options::default()
    };
    let translation = wasm_to_c::transpile(module, &options)
        .map_err(|error| ("refused", format!("{}: {}", error.code, error.message)))?;
    let Program { c, arrays } = Program::new(&translation, &attack.steps, false)
        .map_err(|export| ("lost", format!("no export {export}")))?;
    let made = arrays.iter().all(|bytes| *bytes < MOST);
    let declared = module.memory_bytes.map_or(attack.bytes, u64::from);
    if declared >= MOST && made {
        // Arrays of so many bytes are as many.
        return Err(("array", format!("arrays are smaller than the memories of {declared} bytes")));
    }
    Ok(made.then_some(c))
}

/// Whether what was printed is what the interpreter says; else what differs.
fn differs(judged: &Judged, printed: &[String], lenient: bool) -> Option<(&'static str, String)> {
    let escaped = printed.iter().find(|line| line.starts_with("ESCAPED"));
    if let Some(line) = escaped {
        return Some(("escape", line.clone()));
    }
    // What a masked access outside read may decide how often something is repeated.
    if lenient && judged.outside {
        return None;
    }
    if printed.iter().any(|line| line == "HANGS") {
        return Some(("hang", String::new()));
    }
    // A stack, the shadow stack among them, may be too small at any call; from there on everything may differ.
    let exhausted = |line: &String| line.ends_with(" call stack exhausted");
    if let Some(end) = printed.iter().position(exhausted) {
        let same = printed[..end].iter().zip(&judged.calls).all(|(line, want)| line == want);
        return (!same).then(|| ("difference", format!("before line {end}, which exhausts the stack")));
    }
    let is_state = |line: &&String| line.starts_with("global ") || line.starts_with("memory ");
    let calls: Vec<&String> = printed.iter().filter(|line| !is_state(line)).collect();
    if let Some(at) = (0..calls.len().max(judged.calls.len()))
        .find(|at| calls.get(*at).map(|line| line.as_str()) != judged.calls.get(*at).map(String::as_str))
    {
        return Some((
            "difference",
            format!("call {at}: interpreted {:?}, in C {:?}", judged.calls.get(at), calls.get(at)),
        ));
    }
    let is_same =
        |line: &String| judged.state.iter().any(|want| line == want || lenient && is_longer(line, want));
    let other = printed.iter().filter(is_state).find(|line| !is_same(line));
    other.map(|line| ("difference", format!("{line}, interpreted {:?}", judged.state)))
}

/// Whether a memory is another one with zeros behind it: of a memory whose bytes in use are known, a few more may be made.
fn is_longer(line: &str, than: &str) -> bool {
    let parts = |line: &str| {
        let (name, rest) = line.strip_prefix("memory ")?.split_once(' ')?;
        let (bytes, hash) = rest.split_once(' ')?;
        Some((name.to_owned(), bytes.parse::<usize>().ok()?, u64::from_str_radix(hash, 16).ok()?))
    };
    let (Some((name, bytes, hash)), Some((other, fewer, first))) = (parts(line), parts(than)) else {
        return false;
    };
    name == other && fewer < bytes && hash_behind(first, &vec![0; bytes - fewer]) == hash
}

/// What `work` gives, unless it panics or does not end. Its thread stays then, as nothing can end it.
fn ends<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, &'static str> {
    let (sender, receiver) = std::sync::mpsc::channel();
    std::thread::spawn(move || sender.send(work()));
    match receiver.recv_timeout(LONGEST) {
        Ok(value) => Ok(value),
        Err(RecvTimeoutError::Disconnected) => Err("panic"),
        Err(RecvTimeoutError::Timeout) => Err("hang"),
    }
}

fn kept() -> PathBuf {
    let folder = std::env::var_os("ATTACK_KEEP")
        .map_or_else(|| Path::new(env!("CARGO_TARGET_TMPDIR")).join("attack"), PathBuf::from);
    std::fs::create_dir_all(&folder).expect("a writable folder");
    folder
}

/// A module of a program: its C, which of the verdicts is its own, and whether accesses outside need not trap.
struct Made {
    subject: Subject,
    c: String,
    verdict: usize,
    lenient: bool,
}

/// Compiles and runs the modules of some seeds.
fn compare(harness: &Harness, seeds: std::ops::Range<u64>, folder: &Path, score: &mut Score) {
    let small = std::env::var_os("ATTACK_SMALL").is_some();
    let batch = seeds.start / BATCH;
    let quick = std::env::var("ATTACK_CC").ok();
    // What is compiled as quickly as can be is not optimised; the rest of the seeds is.
    let turn = if quick.is_some() { batch / 16 } else { batch };
    let (compiler, flags) = match &quick {
        Some(compiler) if !batch.is_multiple_of(16) => (compiler.as_str(), [].as_slice()),
        _ => ("gcc", [["-O1"], ["-O2"], ["-O1"], ["-Os"]][(turn % 4) as usize].as_slice()),
    };
    let mut modules: Vec<Made> = Vec::new();
    let mut verdicts: Vec<Judged> = Vec::new();
    for seed in seeds {
        let (attack, module) = match ends(move || prepared(seed, small)) {
            Ok(Ok((attack, module))) => (Arc::new(attack), Arc::new(module)),
            Ok(Err(refused)) => {
                *score.refused.entry(refused).or_default() += 2;
                continue;
            }
            Err(kind) => {
                let subject = Subject { seed, masked: false };
                score.failures.push(Failure { subject, kind, text: "when prepared".to_owned() });
                continue;
            }
        };
        // Bytes behind those that it uses are still its own: an access there need not trap.
        let exact = module.memory_bytes.is_some();
        let huge = module.memory_bytes.map_or(attack.bytes, u64::from) >= MOST;
        // The interpreter has bugs of its own.
        let from = Arc::clone(&module);
        let top = if huge { Err("huge") } else { ends(move || top(&from)) };
        let judged =
            top.ok().and_then(|top| catch_unwind(AssertUnwindSafe(|| judge(&attack, top))).ok().flatten());
        for masked in [false, true] {
            let subject = Subject { seed, masked };
            let (given, from) = (Arc::clone(&attack), Arc::clone(&module));
            match ends(move || translate(&given, &from, masked, seed)) {
                Err(kind) => {
                    let text = "when translated".to_owned();
                    score.failures.push(Failure { subject, kind, text });
                }
                Ok(Err(("refused", refused))) => *score.refused.entry(refused).or_default() += 1,
                Ok(Err((kind, text))) => score.failures.push(Failure { subject, kind, text }),
                Ok(Ok(Some(c))) if judged.is_some() => {
                    modules.push(Made { subject, c, verdict: verdicts.len(), lenient: masked || exact });
                }
                Ok(Ok(_)) => score.unjudged += 1,
            }
        }
        verdicts.extend(judged);
    }
    let differing = run(harness, modules, &verdicts, (compiler, flags), folder, score);
    // The quick compiler computes with NaNs as it likes.
    let differing = match compiler {
        "gcc" => differing,
        _ => {
            let modules = differing.into_iter().map(|(made, _)| made).collect();
            run(harness, modules, &verdicts, ("gcc", &["-O1"]), folder, score)
        }
    };
    score.failures.extend(differing.into_iter().map(|(_, failure)| failure));
}

/// Compiles and runs modules; those that differ from their verdicts.
fn run(
    harness: &Harness,
    mut modules: Vec<Made>,
    verdicts: &[Judged],
    (compiler, flags): (&str, &[&str]),
    folder: &Path,
    score: &mut Score,
) -> Vec<(Made, Failure)> {
    while !modules.is_empty() {
        let parts: Vec<(String, &str)> =
            modules.iter().map(|made| (made.subject.to_string(), made.c.as_str())).collect();
        let Err(errors) = harness.compile(&parts, compiler, flags, folder) else { break };
        // Without those that C refuses.
        let refused: Vec<Subject> = modules
            .iter()
            .map(|made| made.subject)
            .filter(|subject| errors.contains(&format!("_{subject}")))
            .collect();
        assert!(!refused.is_empty(), "{errors}");
        for subject in refused {
            let mark = format!("_{subject}");
            // The function that it is in, and the error.
            let lines = errors.lines().skip_while(|line| !line.contains(&mark)).take(2);
            let line = lines.collect::<Vec<_>>().join(" ");
            score.failures.push(Failure { subject, kind: "compiler", text: line });
            modules.retain(|made| made.subject != subject);
        }
    }
    let count = modules.len();
    let mut differing = Vec::new();
    for (made, mut printed) in modules.into_iter().zip(harness.run(count, folder)) {
        let Printed { lines, ended } = &mut printed;
        if let Some(end) = ended.take_if(|_| !lines.iter().any(|line| line == "HANGS")) {
            lines.push(format!("ESCAPED and ended the program: {end}"));
        }
        let judged = &verdicts[made.verdict];
        let exhausted = lines.iter().any(|line| line.ends_with(" call stack exhausted"));
        let failure = differs(judged, lines, made.lenient).map(|(kind, text)| Failure {
            subject: made.subject,
            kind,
            text,
        });
        match failure {
            Some(failure) if failure.kind == "difference" => {
                differing.push((made, failure));
                continue;
            }
            Some(failure) => score.failures.push(failure),
            None if made.lenient && judged.outside || exhausted => score.guarded += 1,
            None => score.compared += 1,
        }
        score.exhausted += u64::from(exhausted);
    }
    differing
}

/// Keeps the modules of failures, and says what failed.
fn report(what: &str, score: &Score, small: bool) -> Vec<String> {
    let refused: u64 = score.refused.values().sum();
    println!(
        "{what}: {} modules are equal, {} more have accesses outside and left everything around them alone ({} until \
         their stack was exhausted), {refused} are refused, {} not judged, {} fail",
        score.compared,
        score.guarded,
        score.exhausted,
        score.unjudged,
        score.failures.len()
    );
    for (why, count) in &score.refused {
        println!("    {count}: {why}");
    }
    let folder = kept();
    let mut kinds: BTreeMap<&str, u64> = BTreeMap::new();
    let mut lines = Vec::new();
    for Failure { subject, kind, text } in &score.failures {
        *kinds.entry(kind).or_default() += 1;
        let attack = attack(subject.seed, small, None);
        let file = folder.join(format!("{what}-{}.wasm", subject.seed));
        std::fs::write(&file, &attack.wasm).expect("a writable folder");
        std::fs::write(file.with_extension("twin.wasm"), &attack.twin).expect("a writable folder");
        let memory = if subject.masked { "masked" } else { "checked" };
        lines.push(format!("{what}, seed {}, {memory}: {kind}: {text} ({})", subject.seed, file.display()));
    }
    for (kind, count) in kinds {
        println!("    {kind}: {count}");
    }
    lines
}

#[test]
fn modules_stay_in_their_memory_on_this_machine() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut inputs = tests::kept::compilers();
    inputs.extend(
        ["tests/attack", "../c-runtime/include"].map(|path| tests::kept::digest_of(&here.join(path))),
    );
    let settings = std::env::vars().filter(|(name, _)| name.starts_with("ATTACK_"));
    inputs.extend(settings.map(|(name, value)| format!("{name}={value}")));
    tests::kept::by_this_program(inputs, attack_this_machine);
}

fn attack_this_machine() {
    let count = number("ATTACK_MODULES").unwrap_or(100);
    let begin = number("ATTACK_SEED").unwrap_or(1);
    let most = number("ATTACK_FAILURES").unwrap_or(20) as usize;
    let temporary = tempfile::tempdir().expect("a folder");
    let (harness, next) = (Harness::new(), AtomicU64::new(0));
    let total = Mutex::new(Score::default());
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                loop {
                    let start = next.fetch_add(BATCH, Ordering::Relaxed);
                    if start >= count || total.lock().expect("no panic").failures.len() >= most {
                        return;
                    }
                    let seeds = begin + start..begin + (start + BATCH).min(count);
                    let folder = temporary.path().join(seeds.start.to_string());
                    let mut score = Score::default();
                    compare(&harness, seeds, &folder, &mut score);
                    let _ = std::fs::remove_dir_all(&folder);
                    let mut total = total.lock().expect("no panic");
                    total.compared += score.compared;
                    total.guarded += score.guarded;
                    total.unjudged += score.unjudged;
                    total.exhausted += score.exhausted;
                    total.failures.extend(score.failures);
                    for (why, count) in score.refused {
                        *total.refused.entry(why).or_default() += count;
                    }
                }
            });
        }
    });
    let mut score = total.into_inner().expect("no panic");
    score.failures.sort_by_key(|failure| failure.subject);
    let failures = report("host", &score, false);
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert!(score.compared * 2 > count, "most modules are judged");
}

/// One that may not access what is not aligned, and one of another kind.
const BOARDS: [&str; 2] = ["qemu-armv6m", "qemu-rv32imc"];
/// Blocks that the files of a session may take, and bytes of one.
const DISK: usize = 44;
const BLOCK: usize = 4096;
/// Bytes that the memories of a session may have: MicroPython keeps them as long as it runs.
const ROOM: u64 = 400_000;

/// The Python that all sessions share. What lies around a module is bytes that were made before and after it.
const HARNESS: &str = r#"
import sys, gc
guards = []
state = {}
def guard():
    guards.append(bytearray(b'\xa5' * 400))
def fail(*what):
    print('FAIL', state['seed'], *what)
def load(name):
    state['seed'] = name
    guard()
    try:
        state['m'] = __import__(name)
    except RuntimeError as e:
        state['m'] = None
        state['e'] = str(e)
    except MemoryError:
        state['m'] = None
        state['e'] = ''
        print('SKIP', name)
    guard()
def starts(traps):
    if state['m'] is not None:
        fail('no trap at the start')
    elif state['e'] and state['e'] not in traps:
        fail('at the start', state['e'])
def put(name, value):
    if state['m'] is not None:
        setattr(state['m'], name, value)
def call(name, args, mask, *wants):
    if state['m'] is None:
        return
    f = getattr(state['m'], name)
    for want in wants:
        try:
            got = f(*args)
            if mask:
                got &= mask
        except RuntimeError as e:
            got = str(e)
        except MemoryError:
            print('SKIP', state['seed'])
            state['m'] = None
            return
        if want == ():
            continue
        if got == 'call stack exhausted':
            print('EXHAUSTED', state['seed'])
            state['m'] = None
            return
        if not (got in want if type(want) is tuple else got == want):
            fail(name, args, 'got', got, 'not', want)
            state['m'] = None
            return
def done():
    for g in guards:
        for b in g:
            if b != 0xa5:
                fail('ESCAPED to what is around its memory')
                break
    print('DONE', state['seed'])
    sys.modules.pop(state['seed'], None)
    state.clear()
    gc.collect()
def play(file):
    with open(file) as lines:
        for line in lines:
            try:
                exec(line)
            except Exception as e:
                fail(line.strip(), type(e).__name__, e)
"#;

/// The lines of a session that play an attack.
fn lines(attack: &Attack, judged: &Judged, subject: Subject, lenient: bool) -> String {
    let mut text = format!("load('{}')\n", name_of(subject.seed));
    let ignored = lenient && judged.outside;
    let want = |line: &str| {
        let (_, what) = line.split_once(' ').unwrap_or_default();
        match what {
            _ if ignored => "()".to_owned(),
            "=" => "None".to_owned(),
            "out of bounds table access" => "('out of bounds table access','undefined element')".to_owned(),
            "uninitialized element" => "('uninitialized element','null reference')".to_owned(),
            _ => match what.strip_prefix("= ") {
                Some(value) => format!("0x{value}"),
                None => format!("'{what}'"),
            },
        }
    };
    if let Some(line) = judged.calls.first().filter(|line| line.starts_with("start ")) {
        let _ = writeln!(text, "starts(({},))", if ignored { "state['e']".to_owned() } else { want(line) });
        text.push_str("done()\n");
        return text;
    }
    let mut at = 0;
    for step in &attack.steps {
        match step {
            Step::Set { export, value } => {
                let _ = writeln!(text, "put('{export}',{})", value.cast_signed());
            }
            Step::Call { export, args, times } => {
                let results = &judged.calls[at..at + *times as usize];
                at += *times as usize;
                let wide = export.starts_with("digest") || attack.wide(export);
                let mask = match attack.returns(export) || export.starts_with("digest") {
                    false => "0",
                    true if wide => "0xffffffffffffffff",
                    true => "0xffffffff",
                };
                let args: String = args
                    .iter()
                    .zip(attack.parameters(export))
                    .map(|(value, wide)| match wide {
                        true => format!("{},", value.cast_signed()),
                        false => format!("{},", (*value as u32).cast_signed()),
                    })
                    .collect();
                let wants: Vec<String> = results.iter().map(|line| want(line)).collect();
                let _ = writeln!(text, "call('{export}',({args}),{mask},{})", wants.join(","));
            }
        }
    }
    text.push_str("done()\n");
    text
}

/// What one start of MicroPython plays.
#[derive(Default)]
struct Session {
    files: Vec<(String, Vec<u8>)>,
    subjects: Vec<(Subject, bool)>,
    room: u64,
}

impl Session {
    fn run(self, board: &Board, score: &Mutex<Score>) {
        if self.subjects.is_empty() {
            return;
        }
        let mut code = HARNESS.to_owned();
        for (subject, _) in &self.subjects {
            let _ = writeln!(code, "play('{}.txt')", name_of(subject.seed));
        }
        let (Ok(text) | Err(text)) = board::execute(board, &self.files, &code);
        let mut score = score.lock().expect("no panic");
        for (subject, ignored) in self.subjects {
            let name = name_of(subject.seed);
            let begins = |kind: &str| {
                text.lines().find(|line| {
                    line.strip_prefix(kind).is_some_and(|rest| rest.split(' ').next() == Some(name.as_str()))
                })
            };
            let (kind, text) = match (begins("FAIL "), begins("DONE "), begins("SKIP ")) {
                (Some(line), ..) if line.contains("ESCAPED") => ("escape", line),
                (Some(line), ..) => ("difference", line),
                (_, _, Some(_)) => {
                    score.unjudged += 1;
                    continue;
                }
                (_, Some(_), _) => {
                    let exhausted = begins("EXHAUSTED ").is_some();
                    score.exhausted += u64::from(exhausted);
                    let ignored = ignored || exhausted;
                    *(if ignored { &mut score.guarded } else { &mut score.compared }) += 1;
                    continue;
                }
                _ => ("escape", text.lines().last().unwrap_or_default()),
            };
            score.failures.push(Failure { subject, kind, text: text.to_owned() });
            if kind == "escape" {
                // Those behind it were not played, and say nothing.
                break;
            }
        }
    }
}

fn play(board: &'static Board, seeds: std::ops::Range<u64>, score: &Mutex<Score>) {
    let folder = tempfile::tempdir().expect("a folder");
    let mut session = Session::default();
    for seed in seeds {
        let subject = Subject { seed, masked: seed % 2 == 1 };
        let Ok(Ok((attack, module))) = ends(move || prepared(seed, true)) else { continue };
        let module = Arc::new(module);
        let from = Arc::clone(&module);
        let judged = ends(move || top(&from))
            .ok()
            .and_then(|top| catch_unwind(AssertUnwindSafe(|| judge(&attack, top))).ok().flatten());
        let Some(judged) = judged else {
            score.lock().expect("no panic").unjudged += 1;
            continue;
        };
        let lenient = subject.masked || module.memory_bytes.is_some();
        let name = name_of(seed);
        let path = folder.path().join(format!("{name}.wasm"));
        std::fs::write(&path, &attack.wasm).expect("a writable folder");
        let options = BuildOptions {
            input: Some(path),
            memory: Some(if subject.masked { "masked" } else { "checked" }.to_owned()),
            ..board::options(board, &folder.path().join("target"))
        };
        let mpy = match catch_unwind(AssertUnwindSafe(|| board::module(&options))) {
            Ok(Ok((_, mpy))) => mpy,
            Ok(Err(failure)) => {
                let text = format!("{failure:?}");
                let text = text.lines().next().unwrap_or_default().to_owned();
                *score.lock().expect("no panic").refused.entry(text).or_default() += 1;
                continue;
            }
            Err(_) => {
                let (kind, text) = ("panic", "when built".to_owned());
                score.lock().expect("no panic").failures.push(Failure { subject, kind, text });
                continue;
            }
        };
        let script = lines(&attack, &judged, subject, lenient);
        if std::env::var_os("ATTACK_KEEP").is_some() {
            std::fs::write(kept().join(format!("{}-{seed}.txt", board.name)), &script)
                .expect("a writable folder");
        }
        let script = script.into_bytes();
        let files = [(format!("{name}.mpy"), mpy), (format!("{name}.txt"), script)];
        let blocks: usize =
            session.files.iter().chain(&files).map(|(_, bytes)| 1 + bytes.len() / BLOCK).sum();
        let room = 2 * attack.bytes.next_power_of_two() + 2048;
        if blocks > DISK || session.room + room > ROOM {
            std::mem::take(&mut session).run(board, score);
        }
        session.files.extend(files);
        session.subjects.push((subject, lenient && judged.outside));
        session.room += room;
        // A build's objects are not wanted any more.
        let _ = std::fs::remove_dir_all(folder.path().join("target"));
    }
    session.run(board, score);
}

#[test]
fn modules_stay_in_their_memory_on_boards() {
    let count = number("ATTACK_BOARD_MODULES").unwrap_or(6);
    let begin = number("ATTACK_SEED").unwrap_or(1);
    let only = std::env::var("ATTACK_BOARD").unwrap_or_default();
    let most = number("ATTACK_FAILURES").unwrap_or(20) as usize;
    let mut failures = Vec::new();
    // A board that is named need not be one of those that are attacked by default.
    let is_wanted = |name: &str| if only.is_empty() { BOARDS.contains(&name) } else { name == only };
    let wanted: Vec<_> = board::boards().into_iter().filter(|(board, _)| is_wanted(&board.name)).collect();
    assert!(!wanted.is_empty(), "no board is called {only}");
    for (board, why_not) in wanted {
        if let Some(why) = why_not {
            println!("skipped: {} ({why})", board.name);
            continue;
        }
        let score = Mutex::new(Score::default());
        let next = AtomicUsize::new(0);
        let part = 60;
        std::thread::scope(|scope| {
            for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
                scope.spawn(|| {
                    loop {
                        let start = next.fetch_add(part, Ordering::Relaxed) as u64;
                        if start >= count || score.lock().expect("no panic").failures.len() >= most {
                            return;
                        }
                        play(board, begin + start..begin + (start + part as u64).min(count), &score);
                    }
                });
            }
        });
        let score = score.into_inner().expect("no panic");
        failures.extend(report(&board.name, &score, true));
        if score.compared == 0 && count > 0 {
            failures.push(format!("{}: no module is judged", board.name));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
