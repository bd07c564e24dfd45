//! What modules take of MicroPython's memory, on a board of each family of compilers, nightly on every board and in every
//! kind of memory: of crates that use `alloc`, in a long life of collections with garbage collected all the while, and
//! after failures of every kind; and of any crate, when it is imported.

#[path = "../heap/src/work.rs"]
mod work;

extern crate alloc;

use std::path::Path;
use std::sync::LazyLock;

use cargo_mpy::options::{BuildOptions, Size};
use libtest_mimic::{Failed, Trial};
use mpy_link::inspect::Module;
use target_specs::{Board, Emulator};
use tests::board::{self, Modules};
use work::State;

/// Boards that stand for the others.
const THOROUGH: [&str; 4] = ["qemu-armv6m", "qemu-armv7emsp", "qemu-rv32imc", "unix-x86"];
/// Bytes that MicroPython itself may hold on to between two looks at its memory.
const SLACK: u32 = 2048;
/// Python that is imported as `peer`.
const PEER: &str =
    "import sys\nclass peer:\n def check(value):\n  return 10 // value\nsys.modules['peer'] = peer\n";

fn main() {
    let arguments = tests::arguments();
    let mut trials = Vec::new();
    for (board, why_not) in board::boards() {
        for (name, test) in [
            ("life", life as fn(&Board) -> _),
            ("failures", failures),
            ("import", import),
            ("reserve", reserve),
            ("reserve_in_other_memories", reserve_in_other_memories),
        ] {
            // Some hosts have 64 bits, and their modules a memory that is not the machine's.
            let narrow = target_specs::arch(&board.arch).is_ok_and(|arch| arch.word_bits == 32);
            if name == "import" && !narrow {
                continue;
            }
            let trial = Trial::test(format!("{}::{name}", board.name), move || test(board));
            let usual = !board::is_nightly(board) && name != "reserve_in_other_memories";
            trials.push(trial.with_ignored_flag(why_not.is_some() || !usual));
        }
        if let Some(why) = why_not {
            eprintln!("skipped: {} ({why})", board.name);
        }
    }
    libtest_mimic::run(&arguments, trials).exit();
}

/// How much is done on a board, of what is done in full when `LONG=1`.
fn share(board: &Board, whole: u32) -> u32 {
    if std::env::var_os("LONG").is_some_and(|value| value == "1") {
        whole
    } else if THOROUGH.contains(&board.name.as_str()) {
        whole / 10
    } else {
        whole / 100
    }
}

/// The crate of a folder here, for all boards of this machine.
fn modules(folder: &str, target: &str, options: BuildOptions) -> Modules {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder).join("Cargo.toml");
    let target_dir = Some(Path::new(env!("CARGO_TARGET_TMPDIR")).join(target));
    let options = BuildOptions { manifest_path: Some(manifest), target_dir, ..options };
    Modules::new(options, board::here(&board::boards()))
}

static MODULES: LazyLock<Modules> = LazyLock::new(|| modules("heap", "crates", BuildOptions::default()));

/// The crate `heap` in each memory, without and with a `--heap` of so many bytes.
static RESERVED: LazyLock<Vec<(Option<&str>, u32, Modules)>> = LazyLock::new(|| {
    let made = |memory: Option<&'static str>, heap| {
        let options =
            BuildOptions { heap: Some(Size(heap)), memory: memory.map(str::to_owned), ..Default::default() };
        // Two tests build them at the same time, each in order.
        let folder = if matches!(memory, None | Some("checked")) { "heap" } else { "heap-elsewhere" };
        (memory, heap, modules("heap", folder, options))
    };
    let memories = [None, Some("checked"), Some("masked"), Some("trusted")];
    memories.into_iter().flat_map(|memory| [0, 3000].map(|heap| made(memory, heap))).collect()
});

/// The crate `ram`, small and large, in target folders of their own: in one, each would be linked again after the other.
static RAM: LazyLock<[Modules; 2]> = LazyLock::new(|| {
    [("small", 1024), ("large", 1024 + 4000)].map(|(name, stack)| {
        let features = if name == "large" { vec![name.to_owned()] } else { Vec::new() };
        let options = BuildOptions { features, stack: Some(Size(stack)), ..Default::default() };
        modules("ram", &format!("ram/{name}"), options)
    })
});

/// Runs Python after which `heap` is imported and `free()` tells how much memory there is.
fn execute(board: &Board, code: &str) -> Result<String, Failed> {
    let modules = [MODULES.of(board)?];
    let start = "import gc, heap\ndef free():\n gc.collect()\n return gc.mem_free()\n";
    Ok(board::execute(board, &modules, &format!("{PEER}{start}{code}"))?)
}

/// Bytes that MicroPython's collector takes for so many: blocks of four words.
fn blocks(bytes: i64) -> i64 {
    (bytes + 15) / 16 * 16
}

/// Imports a crate with so many bytes of constants, data, zeros and stack: what is declared is what the module has, and
/// what the module has is what is gone, but for what MicroPython's own objects for a module take.
fn import(board: &Board) -> Result<(), Failed> {
    let arch = target_specs::arch(&board.arch)?;
    // Where code cannot be read byte by byte, it lies apart, and constants are data. The host's port has pages for it.
    let apart = !arch.byte_readable_text || matches!(board.emulator, Some(Emulator::Unix { .. }));
    let imported = |modules: &Modules| {
        let module = modules.of(board)?;
        let Module { text, rodata, bss, .. } = mpy_link::inspect::read(&module.1)?;
        let sizes = [text.len() as i64, rodata.len() as i64, bss as i64];
        let code = "import gc\nram = before = None\ndef free():\n gc.collect()\n return gc.mem_free()\n\
                    before = free()\nbefore = free()\nimport ram\nprint(before - free())\nprint(hex(ram.step(2, 5)))\n";
        let printed = board::execute(board, &[module], code)?;
        let Some((taken, "0xf1405\n")) = printed.split_once('\n') else { return Err(Failed::from(printed)) };
        let [text, rodata, bss] = sizes.map(blocks);
        Ok((sizes, taken.parse::<i64>()? - rodata - bss - if apart { 0 } else { text }))
    };
    let ((small, own), (large, own_too)) = (imported(&RAM[0])?, imported(&RAM[1])?);
    let constants = |bytes| if arch.byte_readable_text { 0 } else { bytes };
    let declared = [128 + constants(64), 256 + 1024];
    let [more, beside] =
        [[large[1] - small[1], large[2] - small[2]], [small[1] - declared[0], small[2] - declared[1]]];
    let wanted = [2176 - 128 + constants(1024 - 64), 3328 - 256 + 4000];
    // Beside what is declared: texts and addresses in data, the stack's pointer; and a few objects that
    // MicroPython has for any module with one function, whatever its size.
    if more != wanted || own != own_too || !(0..256).contains(&own) || beside.iter().any(|bytes| *bytes > 48)
    {
        return Err(format!("{small:?} and {own}, {large:?} and {own_too}, for {declared:?}").into());
    }
    Ok(())
}

/// With `heap`, so many bytes are the module's from its import on, whatever is left of MicroPython's heap, and more comes
/// from there as without.
fn reserve(board: &Board) -> Result<(), Failed> {
    reserve_in(board, &[None, Some("checked")])
}

fn reserve_in_other_memories(board: &Board) -> Result<(), Failed> {
    reserve_in(board, &[Some("masked"), Some("trusted")])
}

fn reserve_in(board: &Board, memories: &[Option<&str>]) -> Result<(), Failed> {
    // Without a new name, a function or a loop, which would take memory when there is none.
    let tries: String = (0..)
        .zip([3000, 100, 1000, 3000, 3100])
        .map(|(at, size)| format!("found[{at}] = heap.try_reserve({size})\n"))
        .collect();
    let code = "import gc, heap\nfound, hold = [0] * 5, None\n\
                def fill():\n hold, n = [], 1 << 20\n while n >= 64:\n  try: hold.append(bytearray(n))\n  \
                except MemoryError: n >>= 1\n return hold\n\
                hold = fill()\nTRIES\nhold.clear()\ngc.collect()\nprint(found)\n\
                print(heap.try_reserve(4000), heap.reserve(4000))\n"
        .replace("TRIES\n", &tries);
    for (memory, heap, modules) in RESERVED.iter().filter(|(memory, ..)| memories.contains(memory)) {
        let wanted = if *heap == 0 { "[0, 0, 0, 0, 0]\n1 7\n" } else { "[1, 1, 1, 1, 0]\n1 7\n" };
        let printed = board::execute(board, &[modules.of(board)?], &format!("{PEER}{code}"))?;
        // A block of a power of two may have had room.
        if printed != wanted && !(*memory == Some("masked") && printed.ends_with(wanted.split_at(17).1)) {
            return Err(format!("{heap} bytes, {memory:?}: {printed} and not {wanted}").into());
        }
    }
    Ok(())
}

fn life(board: &Board) -> Result<(), Failed> {
    let operations = share(board, 1_000_000);
    let calls = 20;
    let expected: Vec<u32> = [1, 2]
        .into_iter()
        .map(|seed| {
            let mut state = State::new(seed);
            (0..operations / 2).for_each(|_| state.step());
            state.end()
        })
        .collect();
    let code = format!(
        "before = None\nfor seed in (1, 2):\n heap.start(seed)\n for i in range({calls}):\n  \
         heap.work({}, 499)\n  gc.collect()\n print(heap.end() & 0xffffffff)\n \
         if before is None: before = free()\n else: print(before - free() <= {SLACK})\n",
        operations / 2 / calls
    );
    let printed = execute(board, &code)?;
    let wanted = format!("{}\n{}\nTrue\n", expected[0], expected[1]);
    if printed == wanted { Ok(()) } else { Err(format!("{printed} and not {wanted}").into()) }
}

fn failures(board: &Board) -> Result<(), Failed> {
    let times = share(board, 100_000);
    let code = format!(
        "def fail(times, kind, call, *args):\n for i in range(times):\n  try: call(*args)\n  except kind as e: last = e\n  \
         else: return 'no error'\n return repr(last)\n\
         def once():\n return heap.recurse(3), heap.reserve(100), heap.index(2), heap.call_back(2, 5)\n\
         good = once()\nprint(good)\n\
         def all(times, memory):\n \
          for kind, call, *args in ((RuntimeError, heap.recurse, 1000000), (MemoryError, heap.reserve, 1 << 29),\n  \
          (RuntimeError, heap.index, 4), (ZeroDivisionError, peer.check, 0), (ZeroDivisionError, heap.call_back, 3, 0)):\n   \
          text = fail(times // 10 if kind is MemoryError else times, kind, call, *args)\n   if memory is None: print(text)\n   elif memory - free() > {SLACK}: print(text, 'leaks', memory - free())\n   \
          if once() != good: print('broken after', text)\n\
         print(heap.try_reserve(1 << 29), heap.try_reserve(50))\n\
         all(10, None)\nmemory = free()\nall({times}, memory)\n"
    );
    let printed = execute(board, &code)?;
    // In a memory of the module's own the stack ends where that does.
    let printed =
        printed.replace("out of bounds memory access", "call stack exhausted: `stack` is 4096 bytes");
    let wanted = "(6, 7, 3, 5)\n0 1\nRuntimeError('call stack exhausted: `stack` is 4096 bytes',)\nMemoryError('out of memory',)\n\
                  RuntimeError('index out of range',)\nZeroDivisionError('divide by zero',)\n\
                  ZeroDivisionError('divide by zero',)\n";
    if printed == wanted { Ok(()) } else { Err(format!("{printed} and not {wanted}").into()) }
}
