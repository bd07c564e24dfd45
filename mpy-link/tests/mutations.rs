//! Half a million damaged objects, archives and modules, nightly a million: each is linked or read, or refused with a message; none panics, and
//! none makes the linker work out of proportion. `MUTATIONS=N` makes that many of each architecture.

mod common;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Mutex;

use cargo_mpy::toolchain::digest;
use common::mutate::{Random, every_end, mutate, numbers, scramble};
use common::{Cc, lazy, object};
use mpy_link::inspect;
use tests::kept::by_this_program;

/// Counts what the thread asks for: a count from a file that is believed shows in memory, and so does work that has no
/// end.
struct Counting;

thread_local! {
    static ASKED: Cell<u64> = const { Cell::new(0) };
}

// SAFETY: as the system's.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let _ = ASKED.try_with(|asked| asked.set(asked.get() + layout.size() as u64));
        // SAFETY: as promised to us.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        let _ = ASKED.try_with(|asked| asked.set(asked.get() + layout.size() as u64));
        // SAFETY: as promised to us.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: as promised to us.
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// What linking a file of a few kilobytes may ask for, all in all. Such a file can ask for 64 MiB of zeros in the module,
/// which is made twice, written and read again.
const LIMIT: u64 = 512 << 20;

/// Of each architecture, all together.
fn count() -> usize {
    std::env::var("MUTATIONS").ok().and_then(|text| text.parse().ok()).unwrap_or(50_000)
}

/// Code, constants that are kept once, tables of addresses, zeros, weak and common symbols.
/// Besides: sections with nothing in them, and a group.
const ENTRY: &str = "
    __asm__(\".section .rodata.none,\\\"aMS\\\",%progbits,1\\n.section .rodata.no_number,\\\"aM\\\",%progbits,8\\n\"
            \".section .rodata.group,\\\"aG\\\",%progbits,group,comdat\\n.long 5\\n.text\");
    int other(int); extern int shared[4]; int spare[3]; __attribute__((weak)) int maybe(int);
    static int counter = 5;
    static int one(int x) { return x + counter; }
    static int two(int x) { return x ^ spare[1]; }
    static int (*const table[])(int) = {one, two, other};
    const char *volatile text; double volatile number;
    __attribute__((noinline)) int pick(int x) { return table[x & 1](x) + shared[2]; }
    void mpy_init(void) {
        text = \"a text\"; number = 1.25; counter += pick(other(3));
        if (maybe) counter += maybe(4);
        switch (counter) {
            case 0: spare[0] = 4; break; case 1: spare[1] = 9; break; case 2: spare[2] = 2; break;
            case 3: spare[0] = 5; break; case 4: spare[1] = 1; break; default: spare[2] = 7;
        }
    }";
const OTHER: &str = "
    int shared[4] = {1, 2, 3, 4}; static int zeros[5];
    void __gnu_thumb1_case_uqi(void) {}
    int other(int x) { zeros[x & 3]++; return zeros[2] + x; }";
const SPARE: &str = "int unused(void) { return 3; }";

/// The ways to compile that give other relocations.
fn ways(cc: &Cc) -> Vec<&'static [&'static str]> {
    let mut ways: Vec<&[&str]> = vec![&["-fcommon"]];
    match cc.arch.name.as_str() {
        // Code that is moved.
        name if name.starts_with("armv") => ways.push(&["-fPIC"]),
        // Absolute addresses, which are made relative.
        name if name.starts_with("rv") => ways.push(&["-fno-pic", "-mcmodel=medlow", "-fno-jump-tables"]),
        _ => ways.push(&["-fno-data-sections", "-fno-function-sections"]),
    }
    ways
}

/// Runs `test` on a damaged version; `name` says which it is.
fn survives(name: &str, damaged: &[u8], test: impl FnOnce(&[u8])) {
    ASKED.set(0);
    let result = catch_unwind(AssertUnwindSafe(|| test(damaged)));
    let asked = ASKED.get();
    if result.is_err() || asked > LIMIT {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name.replace(' ', "-"));
        std::fs::write(&path, damaged).expect("a writable folder");
        let what = if result.is_err() { "panics".to_owned() } else { format!("asks for {asked} bytes") };
        panic!("{name}: {what}; it is in {}", path.display());
    }
}

/// Files of one way to compile.
struct Files {
    entry: Vec<u8>,
    other: Vec<u8>,
    archive: Vec<u8>,
    without_index: Vec<u8>,
    module: Vec<u8>,
}

impl Files {
    fn of(cc: &Cc, flags: &[&str]) -> Files {
        let entry = cc.compile("entry", ENTRY, flags);
        let other = cc.compile("a_member_with_a_long_name", OTHER, flags);
        cc.compile("spare", SPARE, flags);
        let members = ["spare", "a_member_with_a_long_name"];
        let archive = cc.archive("lib.a", &members, "rcs").expect("ar");
        let without_index = cc.archive("plain.a", &members, "rcS").expect("ar");
        let image = cc
            .link_inputs(&[object("entry.o", &entry), lazy("lib.a", &archive)])
            .unwrap_or_else(|error| panic!("{}: {error}", cc.arch.name));
        Files { entry, other, archive, without_index, module: image.bytes }
    }
}

/// How many damaged files of an architecture did no harm. Nothing else matters to that than the files that are in order.
fn architecture(cc: &Cc) -> usize {
    let ways: Vec<Files> = ways(cc).into_iter().map(|flags| Files::of(cc, flags)).collect();
    let files = |way: &Files| {
        [&way.entry, &way.other, &way.archive, &way.without_index, &way.module].map(|file| digest([file]))
    };
    let inputs = [cc.arch.name.clone(), count().to_string()].into_iter().chain(ways.iter().flat_map(files));
    by_this_program(inputs, || damage(cc, &ways))
}

fn damage(cc: &Cc, ways: &[Files]) -> usize {
    let name = &cc.arch.name;
    let mut random = Random::new(u64::from(cc.arch.mpy_arch));
    let mut done = 0;
    for (way, files) in ways.iter().enumerate() {
        let share = count() / ways.len();
        let Files { entry, other, archive, without_index, module } = files;
        let link = |inputs: &[mpy_link::Input]| match cc.link_inputs(inputs) {
            Ok(image) => drop(inspect::read(&image.bytes).expect("what is written can be read")),
            Err(error) => drop(error.to_string()),
        };
        type Seed<'s> = (&'s str, &'s [u8], usize, &'s dyn Fn(&[u8]));
        let seeds: [Seed; 5] = [
            ("object", entry, share / 2, &|data| link(&[object("entry.o", data), lazy("lib.a", archive)])),
            ("archive", archive, share / 10, &|data| {
                link(&[object("entry.o", entry), lazy("lib.a", data)]);
            }),
            ("archive without index", without_index, share / 20, &|data| {
                link(&[object("entry.o", entry), lazy("lib.a", data)]);
            }),
            ("lone object", other, share / 20, &|data| {
                link(&[object("entry.o", entry), lazy("other.o", data)]);
            }),
            ("module", module, share - share / 2 - share / 10 - 2 * (share / 20), &|data| {
                drop(inspect::read(data).map_err(|error| error.to_string()));
            }),
        ];
        for (kind, seed, versions, test) in seeds {
            let numbers = numbers(seed);
            assert_eq!(numbers.is_empty(), kind == "module");
            let mut ends = 0;
            every_end(seed, &numbers, &mut |damaged| {
                survives(&format!("{name} {kind} {way} end {ends}"), damaged, test);
                ends += 1;
            });
            let mut damaged = Vec::new();
            for version in ends..versions {
                damaged.clear();
                damaged.extend_from_slice(seed);
                if kind == "module" {
                    (0..=random.below(4)).for_each(|_| scramble(&mut random, &mut damaged));
                } else {
                    mutate(&mut random, &mut damaged, &numbers);
                }
                survives(&format!("{name} {kind} {way} {version}"), &damaged, test);
            }
            done += versions.max(ends);
        }
    }
    done
}

#[test]
fn damaged_files_do_no_harm() {
    let ccs = Mutex::new(common::ccs());
    let all = ccs.lock().expect("no thread has it").len();
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let done = std::thread::scope(|scope| {
        let work = || {
            let mut done = 0;
            while let Some(cc) = { ccs.lock().expect("no thread panics with it").pop() } {
                done += architecture(&cc);
            }
            done
        };
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        threads.into_iter().map(|thread| thread.join().expect("no damage does harm")).sum::<usize>()
    });
    assert!(done >= count() / 2 * 2 * all);
}
