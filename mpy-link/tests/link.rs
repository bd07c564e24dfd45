//! What gets into a module, where, and what the file says about it.

mod common;

use common::{BSS, Cc, RODATA, lazy, object};
use mpy_link::inspect::{self, Destination, Module};
use mpy_link::{Bytes, Image, Input, OBJECT_ALIGN, Options, Part};

const ENTRY: &str = "void mpy_init(void) {}\n";

fn names(image: &Image) -> Vec<&str> {
    image.map.iter().map(|entry| entry.symbol.as_str()).filter(|name| !name.is_empty()).collect()
}

fn read(image: &Image) -> Module {
    let module = inspect::read(&image.bytes).expect("a module");
    assert_eq!(module.text.len() as u32, image.sizes.text);
    assert_eq!(module.rodata.len() as u32, image.sizes.rodata);
    assert_eq!(module.bss as u32, image.sizes.bss);
    module
}

/// How often `needle` is in the module.
fn count(image: &Image, needle: &[u8]) -> usize {
    let module = read(image);
    let parts = [module.text, module.rodata];
    parts.iter().map(|part| part.windows(needle.len()).filter(|window| *window == needle).count()).sum()
}

/// What every mapped stretch must satisfy.
fn check_map(image: &Image) {
    for part in [Part::Text, Part::Rodata, Part::Bss] {
        let size = match part {
            Part::Text => image.sizes.text,
            Part::Rodata => image.sizes.rodata,
            Part::Bss => image.sizes.bss,
            Part::Objects => continue,
        };
        let mut end = 0;
        for entry in image.map.iter().filter(|entry| entry.part == part) {
            assert!(entry.address >= end, "{entry:?} overlaps what is before");
            end = entry.address + entry.size;
        }
        assert!(end <= size);
    }
}

#[test]
fn constant_objects_are_in_the_file_and_aligned() {
    let objects: Vec<Bytes> = (0..5u8)
        .map(|n| Bytes { name: format!("table{n}"), data: vec![b'a' + n; 200 + usize::from(n)] })
        .collect();
    for cc in common::ccs() {
        let source = "extern const void *const mp_native_obj_table[]; const void *volatile a;
            void mpy_init(void) { a = mp_native_obj_table[4]; }";
        let image =
            cc.link_with(source, &objects).unwrap_or_else(|error| panic!("{}: {error}", cc.arch.name));
        let module = read(&image);
        let data = objects.iter().map(|object| inspect::Object::Bytes(object.data.clone()));
        assert_eq!(module.objects, data.collect::<Vec<_>>(), "{}", cc.arch.name);
        assert!(module.relocs.iter().any(|reloc| reloc.to == Destination::Objects), "{}", cc.arch.name);
        for Bytes { name, data } in &objects {
            let at = image.bytes.windows(data.len()).position(|window| window == data).expect("its data");
            assert!(at.is_multiple_of(OBJECT_ALIGN), "{}", cc.arch.name);
            let entry = image.map.iter().find(|entry| entry.symbol == *name).expect("an entry");
            assert_eq!((entry.part, entry.size), (Part::Objects, data.len() as u32));
        }
    }
}

#[test]
fn the_smallest_module_is_its_function() {
    for cc in common::ccs() {
        let image = cc.link_c(ENTRY).unwrap_or_else(|error| panic!("{}: {error}", cc.arch.name));
        let module = read(&image);
        assert_eq!(module.arch, cc.arch.mpy_arch);
        assert_eq!((image.sizes.rodata, image.sizes.bss), (0, 0));
        assert!(module.relocs.is_empty());
        let texts: Vec<(&str, Option<u64>)> =
            module.qstrs.iter().map(|qstr| (qstr.text.as_str(), qstr.number)).collect();
        // A string that every MicroPython has is a number.
        let expected = [("test.mpy", None), ("first", None), ("append", Some(60)), ("third", None)];
        assert_eq!(texts, expected);
        assert_eq!(names(&image), ["mpy_init"]);
        assert!(image.sizes.text <= 16, "{}: {} bytes", cc.arch.name, image.sizes.text);
    }
}

#[test]
fn what_is_not_reached_is_left_out() {
    for cc in common::ccs() {
        let source = "
            static int unused_variable = 5;
            int *unused_pointer = &unused_variable;
            int missing(void);
            int unused_function(void) { return missing() + *unused_pointer; }
            const char *unused_text(void) { return \"a text that nobody reads\"; }
            __attribute__((used, retain)) void kept(void) {}
            const char *volatile sink;
            void mpy_init(void) { sink = \"this one is read\"; }
        ";
        let image = cc.link_c(source).unwrap_or_else(|error| panic!("{}: {error}", cc.arch.name));
        check_map(&image);
        let names = names(&image);
        assert!(names.contains(&"mpy_init") && names.contains(&"sink"), "{names:?}");
        assert!(names.iter().all(|name| !name.contains("unused")), "{names:?}");
        // `retain` is an extension of GNU systems.
        assert!(names.contains(&"kept") || !cc.flags.iter().any(|flag| flag == "-m64"), "{names:?}");
        assert_eq!(count(&image, b"this one is read\0"), 1);
        assert_eq!(count(&image, b"a text"), 0);
    }
}

#[test]
fn equal_constants_are_kept_once() {
    let source = |name: &str| {
        format!(
            "const char *{name}_text(void) {{ return \"shared, between objects\"; }}
             /* Eight bytes in, which suits compilers that align strings. */
             const char *{name}_tail(void) {{ return \"between objects\"; }}
             double {name}_number(double x) {{ return x * 1.2345678901234567; }}
             "
        )
    };
    for cc in common::ccs() {
        let entry = "
            const char *a_text(void), *a_tail(void), *b_text(void), *b_tail(void);
            double a_number(double), b_number(double);
            const char *volatile texts[4];
            volatile double number;
            void mpy_init(void) {
                texts[0] = a_text(); texts[1] = a_tail(); texts[2] = b_text(); texts[3] = b_tail();
                number = a_number(number) + b_number(number);
            }";
        let objects = [
            cc.compile("entry", entry, &[]),
            cc.compile("a", &source("a"), &[]),
            cc.compile("b", &source("b"), &[]),
        ];
        let Some(library) = cc.library() else { continue };
        let mut inputs: Vec<_> = objects.iter().map(|data| object("x.o", data)).collect();
        inputs.push(lazy("libgcc.a", &library));
        let image = cc.link_inputs(&inputs).unwrap_or_else(|error| panic!("{}: {error}", cc.arch.name));
        check_map(&image);
        assert_eq!(count(&image, b"shared, between objects\0"), 1, "{}", cc.arch.name);
        assert_eq!(count(&image, b"between objects\0"), 1, "{}", cc.arch.name);
    }
}

#[test]
fn xtensa_literals_are_kept_once() {
    for cc in common::ccs().into_iter().filter(|cc| !cc.arch.byte_readable_text) {
        let source = "
            __attribute__((noinline)) unsigned a(unsigned x) { return x ^ 0x12345678; }
            __attribute__((noinline)) unsigned b(unsigned x) { return x + 0x12345678; }
            extern volatile unsigned v; volatile unsigned v;
            void mpy_init(void) { v = a(v) + b(v); }";
        let image = cc.link_c(source).unwrap();
        assert_eq!(count(&image, &0x12345678u32.to_le_bytes()), 1);
        // One address of `v`, however many functions load it.
        assert_eq!(read(&image).relocs.len(), 1, "{:#?}", image.map);
    }
}

#[test]
fn data_and_zeros_have_their_own_block() {
    for cc in common::ccs() {
        let source = "
            int initialised[3] = {1, 2, 3};
            int *pointer = &initialised[1];
            int zeros[100];
            int *const constant_pointer = &zeros[3];
            int *volatile sink[4];
            void mpy_init(void) {
                sink[0] = initialised; sink[1] = pointer; sink[2] = zeros; sink[3] = *(int **)&constant_pointer;
            }";
        let image = cc.link_c(source).unwrap_or_else(|error| panic!("{}: {error}", cc.arch.name));
        check_map(&image);
        let module = read(&image);
        assert!(image.sizes.bss >= 400 && image.sizes.rodata >= 12, "{}: {:?}", cc.arch.name, image.sizes);
        let (_, rodata) = common::load(&module, cc.arch);
        let at =
            |name: &str| image.map.iter().find(|entry| entry.symbol == name).expect(name).address as usize;
        let word = usize::from(cc.arch.word_bits / 8);
        let initialised = at("initialised");
        assert_eq!(rodata[initialised..initialised + 12], [1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0]);
        let mut value = [0; 8];
        value[..word].copy_from_slice(&rodata[at("pointer")..][..word]);
        assert_eq!(u64::from_le_bytes(value), RODATA + initialised as u64 + 4, "{}", cc.arch.name);
    }
}

/// MicroPython's collector frees a block that nothing points to the start of.
#[test]
fn a_word_of_text_holds_the_start_of_the_data_block() {
    let sources = [
        "int zeros[100]; int *volatile v; void mpy_init(void) { v = zeros; }",
        "static int zeros[100]; void mpy_init(void) { for (int i = 5; i < 50; i++) ((volatile int *)zeros)[i] += 7; }",
        "int numbers[100] = {1}; int use(void) { return ((volatile int *)numbers)[7]; }
         void mpy_init(void) { ((volatile int *)numbers)[9] = use(); }",
        "struct { int a, b[20]; } s; int *volatile const p = &s.b[4]; void mpy_init(void) { *p = 3; }",
    ];
    for cc in common::ccs() {
        for source in sources {
            let image = cc.link_c(source).unwrap_or_else(|error| panic!("{}: {error}", cc.arch.name));
            let module = read(&image);
            if image.sizes.bss == 0 && image.sizes.rodata == 0 {
                continue;
            }
            let start = if image.sizes.bss > 0 { BSS } else { RODATA };
            let (text, _) = common::load(&module, cc.arch);
            let word = usize::from(cc.arch.word_bits / 8);
            let found = text.chunks_exact(word).any(|chunk| {
                let mut value = [0; 8];
                value[..word].copy_from_slice(chunk);
                u64::from_le_bytes(value) == start
            });
            assert!(found, "{}: {source}\n{:#?}", cc.arch.name, image.map);
        }
    }
}

/// Position-independent code reaches its `static` variables at a known distance only.
#[test]
fn variables_addressed_from_text_are_part_of_it() {
    let cc = common::cc("x64");
    for cc in cc.into_iter().chain(common::cc("rv32imc")) {
        let source = "
            static int counter = 3; static int zeros[10];
            __attribute__((noinline)) int *next(void) { counter++; return &zeros[counter & 7]; }
            int *volatile visible;
            void mpy_init(void) { visible = next(); }";
        let image = cc.link_c(source).unwrap();
        check_map(&image);
        for name in ["counter", "zeros"] {
            let entry = image.map.iter().find(|entry| entry.symbol == name).expect(name);
            assert_eq!(entry.part, Part::Text, "{}", cc.arch.name);
        }
        let visible = image.map.iter().find(|entry| entry.symbol == "visible").unwrap();
        assert_eq!(visible.part, Part::Bss);
    }
}

#[test]
fn the_got_has_an_address_once_and_only_what_is_far() {
    for cc in common::ccs().into_iter().filter(|cc| cc.flags.iter().any(|flag| flag == "-fPIC")) {
        let source = |name: &str| {
            format!(
                "extern int shared[4]; int near_function(void); extern const int near_constant[2];
                 int (*volatile {name}_p)(void);
                 int {name}(void) {{ {name}_p = near_function; return shared[1] + near_constant[1] + near_function(); }}"
            )
        };
        let entry = "
            int shared[4]; const int near_constant[2] = {4, 5};
            int near_function(void) { return shared[2]; }
            int a(void), b(void);
            void mpy_init(void) { shared[0] = a() + b(); }";
        let objects = [
            cc.compile("entry", entry, &[]),
            cc.compile("a", &source("a"), &[]),
            cc.compile("b", &source("b"), &[]),
        ];
        let image = cc.link(&[("e.o", &objects[0]), ("a.o", &objects[1]), ("b.o", &objects[2])]).unwrap();
        check_map(&image);
        let got = image.map.iter().find(|entry| entry.section == "GOT").expect("a GOT");
        // `shared`, `a_p`, `b_p`; neither functions nor constants.
        assert_eq!(got.size, 3 * u32::from(cc.arch.word_bits) / 8, "{}: {:#?}", cc.arch.name, image.map);
        let relocs = read(&image).relocs;
        assert_eq!(relocs.len(), 3);
        assert!(relocs.iter().all(|reloc| reloc.to == Destination::Part(Part::Bss)));
    }
}

#[test]
fn of_an_archive_only_what_is_needed_is_linked() {
    let Some(cc) = common::cc("armv7m") else { return };
    let entry = cc.compile("entry", "int one(void); void mpy_init(void) { one(); }", &[]);
    cc.compile("one", "int two(void); int one(void) { return two(); }\nint spare(void) { return 1; }", &[]);
    cc.compile("two", "int two(void) { return 2; }", &[]);
    cc.compile("three", "int three(void) { return 3; }", &[]);
    for flags in ["rcs", "rcS"] {
        // Without an index the members are read.
        let archive = cc.archive("lib.a", &["three", "two", "one"], flags).unwrap();
        let image = cc.link_inputs(&[lazy("lib.a", &archive), object("entry.o", &entry)]).unwrap();
        assert_eq!(names(&image), ["mpy_init", "one", "two"]);
        let objects: Vec<&str> = image.map.iter().map(|entry| entry.object.as_str()).collect();
        assert_eq!(objects, ["entry.o", "lib.a:one.o", "lib.a:two.o"]);
    }
    // A lone object can be lazy as well, and a named object goes before an archive.
    let one = cc.compile("own", "int one(void) { return 7; }", &[]);
    let archive = cc.archive("lib.a", &["three", "two", "one"], "rcs").unwrap();
    let image =
        cc.link_inputs(&[object("entry.o", &entry), lazy("own.o", &one), lazy("lib.a", &archive)]).unwrap();
    assert_eq!(names(&image), ["mpy_init", "one"]);
}

#[test]
fn strong_beats_weak_and_common_symbols_share_their_room() {
    let Some(cc) = common::cc("armv7m") else { return };
    let a = cc.compile(
        "a",
        "__attribute__((weak)) int f(void) { return 1; }
         int shared[2]; int f(void); int *volatile p;
         void mpy_init(void) { p = shared + f(); }",
        &["-fcommon"],
    );
    let b = cc.compile("b", "int f(void) { return 2; } int shared[8];", &["-fcommon"]);
    for order in [[&a, &b], [&b, &a]] {
        let image = cc.link(&[("1.o", order[0]), ("2.o", order[1])]).unwrap();
        let shared = image.map.iter().find(|entry| entry.symbol == "shared").unwrap();
        assert_eq!((shared.part, shared.size), (Part::Bss, 32));
        let f = image.map.iter().find(|entry| entry.symbol == "f").unwrap();
        assert_eq!(f.object, if std::ptr::eq(order[0], &b) { "1.o" } else { "2.o" });
        assert_eq!(names(&image).iter().filter(|name| **name == "f").count(), 1);
    }
}

#[test]
fn of_comdat_groups_one_is_linked() {
    let Some(cc) = common::cc("x64") else { return };
    let group = |name: &str| {
        format!(
            "/* asm */
            .section .text.inline_function,\"axG\",@progbits,inline_function,comdat
            .weak inline_function
            .type inline_function, @function
            inline_function: lea local(%rip), %rax
            ret
            .section .rodata.inline_function,\"aG\",@progbits,inline_function,comdat
            local: .long 0x600df00d
            .section .text.{name},\"ax\",@progbits
            .global {name}
            .type {name}, @function
            {name}: call inline_function\n"
        )
    };
    let a = cc.compile("a", &(group("mpy_init") + "call other\nret\n"), &[]);
    let b = cc.compile("b", &(group("other") + "ret\n"), &[]);
    let image = cc.link(&[("a.o", &a), ("b.o", &b)]).unwrap();
    assert_eq!(names(&image).iter().filter(|name| **name == "inline_function").count(), 1);
    assert_eq!(count(&image, &0x600df00du32.to_le_bytes()), 1);
}

#[test]
fn the_entry_need_not_be_first() {
    for cc in common::ccs() {
        let padding = "x = x * 7 + (x >> 3);\n".repeat(400);
        let source = format!(
            "int filler(volatile int x) {{ {padding} return x; }}\nvoid mpy_init(void) {{ filler(3); }}"
        );
        for flags in [&["-fno-function-sections"][..], &["-fno-function-sections", "-O0"]] {
            let one = cc.compile("one", &source, flags);
            let image =
                cc.link(&[("one.o", &one)]).unwrap_or_else(|error| panic!("{}: {error}", cc.arch.name));
            check_map(&image);
            let first = &image.map[0];
            assert_eq!((first.address, first.section.as_str()), (0, "jump to the entry"), "{}", cc.arch.name);
        }
    }
}

#[test]
fn alignment_is_kept_as_far_as_the_loader_does() {
    for cc in common::ccs() {
        let source = "
            char odd = 1;
            __attribute__((aligned(16))) char aligned_data[3] = {1, 2, 3};
            char zero;
            __attribute__((aligned(16))) char aligned_zeros[5];
            char *volatile sink[4];
            void mpy_init(void) { sink[0] = &odd; sink[1] = aligned_data; sink[2] = &zero; sink[3] = aligned_zeros; }";
        let image = cc.link_c(source).unwrap_or_else(|error| panic!("{}: {error}", cc.arch.name));
        let at = |name: &str| image.map.iter().find(|entry| entry.symbol == name).unwrap();
        // "rodata" follows `.bss` in one block.
        let bss = image.sizes.bss.next_multiple_of(u32::from(cc.arch.word_bits / 8));
        assert_eq!((bss + at("aligned_data").address) % 16, 0, "{}", cc.arch.name);
        assert_eq!(at("aligned_zeros").address % 16, 0);
    }
    let Some(cc) = common::cc("armv7m") else { return };
    let error =
        cc.link_c("__attribute__((aligned(64))) int v; int *volatile p; void mpy_init(void) { p = &v; }");
    let error = error.unwrap_err();
    assert_eq!(error.code, "unsupported-alignment");
    assert!(error.message.contains("64 bytes"), "{error}");
}

#[test]
fn more_than_64_kib_of_code() {
    for cc in common::ccs() {
        let body = "x = x * 7 + (x >> 3);\n".repeat(60);
        let mut source = String::new();
        for number in 0..100 {
            source +=
                &format!("__attribute__((noinline)) int f{number}(volatile int x) {{ {body} return x; }}\n");
        }
        source += "void mpy_init(void) { volatile int sum = 0;";
        for number in 0..100 {
            source += &format!("sum += f{number}({number});");
        }
        source += "}";
        let one = cc.compile("one", &source, &["-O0"]);
        let image = cc.link(&[("one.o", &one)]).unwrap_or_else(|error| panic!("{}: {error}", cc.arch.name));
        check_map(&image);
        assert!(image.sizes.text > 0x10000, "{}: {}", cc.arch.name, image.sizes.text);
    }
}

/// RISC-V compilers leave it to the linker how long a call is.
#[test]
fn calls_are_as_short_as_can_be() {
    for arch in ["rv32imc", "rv64imc"] {
        let Some(cc) = common::cc(arch) else { continue };
        let source = "
            volatile int v;
            __attribute__((noinline)) void f(void) { v++; }
            __attribute__((noinline)) void g(void) { f(); f(); f(); f(); }
            void mpy_init(void) { g(); g(); f(); }";
        let size = |cc: &Cc, flags: &[&str]| {
            let one = cc.compile("one", source, flags);
            let image = cc.link(&[("one.o", &one)]).unwrap();
            check_map(&image);
            image.sizes.text
        };
        let (long, short) = (size(&cc, &["-mno-relax"]), size(&cc, &["-mrelax"]));
        assert!(short + 5 * 4 <= long, "{arch}: {short} and not much less than {long}");
    }
}

/// The loader has to be told of instructions that not every processor has.
#[test]
fn extensions_are_in_the_header() {
    let Some(cc) = common::cc("rv32imc") else { return };
    let one = cc.compile("one", "volatile int v; void mpy_init(void) { v++; }", &["-march=rv32imc_zba"]);
    assert_eq!(read(&cc.link(&[("one.o", &one)]).unwrap()).arch_flags, 1);
    let one = cc.compile("one", "volatile int v; void mpy_init(void) { v++; }", &["-march=rv32imac"]);
    assert_eq!(read(&cc.link(&[("one.o", &one)]).unwrap()).arch_flags, 0);
}

/// The entries of the function table that the image refers to, in order.
fn entries(image: &Image) -> Vec<u8> {
    let relocs = read(image).relocs.into_iter();
    let entries = relocs.filter_map(|reloc| match reloc.to {
        Destination::FunEntry(entry) => Some(entry),
        _ => None,
    });
    let mut entries: Vec<u8> = entries.collect();
    entries.sort_unstable();
    entries.dedup();
    entries
}

#[test]
fn entries_of_the_function_table_are_symbols() {
    let source = |first: &str, second: &str| {
        format!(
            "extern char none[] __asm__(\"mp_fun_table.{first}\"); int f(int) __asm__(\"mp_fun_table.{second}\");
             void *volatile pointer; void mpy_init(void) {{ f(1); pointer = none; f(2); }}"
        )
    };
    for cc in common::ccs_and_clangs() {
        let image = cc.link_c(&source("0", "27")).unwrap_or_else(|error| panic!("{}: {error}", cc.arch.name));
        check_map(&image);
        assert_eq!(entries(&image), [0, 27], "{}", cc.arch.name);
        for wrong in ["73", "256", "", "x"] {
            let error = cc.link_c(&source("0", wrong)).map(|_| ()).unwrap_err();
            assert_eq!(error.code, "undefined-symbol", "{}: {error}", cc.arch.name);
        }
    }
}

/// Compilers generate calls of these functions, and every firmware has them.
#[test]
fn functions_of_the_firmware_are_called_unless_the_module_has_its_own() {
    let entry = "void *memset(void *, int, __SIZE_TYPE__), *memmove(void *, const void *, __SIZE_TYPE__);
        void *memcpy(void *, const void *, __SIZE_TYPE__);
        char block[50];
        void mpy_init(void) { memset(block, 1, 9); memmove(block, block + 1, 9); memcpy(block + 20, block, 9); }";
    for cc in common::ccs_and_clangs() {
        let one = cc.compile("one", entry, &[]);
        let called = |inputs: &[Input]| {
            let image = cc.link_inputs(inputs).unwrap_or_else(|error| panic!("{}: {error}", cc.arch.name));
            check_map(&image);
            entries(&image)
        };
        assert_eq!(called(&[object("one.o", &one)]), [50, 51], "{}", cc.arch.name);
        let own = cc.compile("own", "void *memset(void *b, int c, __SIZE_TYPE__ n) { return b; }", &[]);
        assert_eq!(called(&[object("one.o", &one), object("own.o", &own)]), [51], "{}", cc.arch.name);
        assert_eq!(called(&[object("one.o", &one), lazy("own.a", &own)]), [51], "{}", cc.arch.name);
    }
}

#[test]
fn a_stub_is_shared_and_only_for_branches() {
    let Some(cc) = common::cc("armv7m") else { return };
    let source = |calls: &str| {
        format!(
            "void *memmove(void *, const void *, unsigned), *memcpy(void *, const void *, unsigned);
             void *(*volatile pointer)(void *, const void *, unsigned); char b[9];
             void mpy_init(void) {{ {calls} }}"
        )
    };
    let stubs = |calls: &str| {
        let image = cc.link_c(&source(calls)).unwrap();
        let stubs = image.map.iter().filter(|entry| entry.section == "jump to the firmware");
        stubs.map(|entry| entry.size).collect::<Vec<_>>()
    };
    assert_eq!(stubs("memmove(b, b + 1, 8); memcpy(b, b + 1, 8); memmove(b, b + 2, 4);"), [8]);
    assert_eq!(stubs("pointer = memmove; pointer = memcpy;"), []);
}

#[test]
fn symbols_at_fixed_addresses_are_numbers() {
    let externs = [("rom_word".to_owned(), 0x4000_1230), ("rom_function".to_owned(), 0x4000_4561)];
    for cc in common::ccs() {
        let source = "extern int rom_word; int rom_function(int);
            int *volatile word; int (*volatile function)(int);
            void mpy_init(void) { word = &rom_word; function = rom_function; }";
        let one = cc.compile("one", source, &[]);
        let own = cc.compile("own", "int rom_function(int x) { return x; }", &[]);
        let image = |inputs: &[Input]| {
            let options = Options { externs: &externs, ..Options::new(cc.arch) };
            mpy_link::link(inputs, &options).unwrap_or_else(|error| panic!("{}: {error}", cc.arch.name))
        };
        let fixed = image(&[object("one.o", &one)]);
        check_map(&fixed);
        assert_eq!(count(&fixed, &0x4000_1230u32.to_le_bytes()), 1, "{}", cc.arch.name);
        assert_eq!(count(&fixed, &0x4000_4561u32.to_le_bytes()), 1, "{}", cc.arch.name);
        assert!(read(&fixed).relocs.iter().all(|reloc| reloc.to == Destination::Part(Part::Bss)));
        for own in [object("own.o", &own), lazy("own.a", &own)] {
            let image = image(&[object("one.o", &one), own]);
            assert_eq!(count(&image, &0x4000_4561u32.to_le_bytes()), 0, "{}", cc.arch.name);
            assert_eq!(count(&image, &0x4000_1230u32.to_le_bytes()), 1, "{}", cc.arch.name);
        }
    }
    let Some(cc) = common::cc("armv7m") else { return };
    let one = cc.compile("one", "int rom_function(int); void mpy_init(void) { rom_function(1); }", &[]);
    let options = Options { externs: &externs, ..Options::new(cc.arch) };
    let error = mpy_link::link(&[object("one.o", &one)], &options).unwrap_err();
    assert_eq!(error.code, "distant-data");
    assert!(error.help.as_deref().is_some_and(|help| help.contains("-mlong-calls")), "{error}");
    let long = ["-mlong-calls"];
    let one = cc.compile("one", "int rom_function(int); void mpy_init(void) { rom_function(1); }", &long);
    let image = mpy_link::link(&[object("one.o", &one)], &options).unwrap();
    assert_eq!(count(&image, &0x4000_4561u32.to_le_bytes()), 1);
}

#[test]
fn the_header_names_extensions_of_objects_and_of_options() {
    let Some(cc) = common::cc("rv32imc") else { return };
    let known = mpy_link::extensions(cc.arch).unwrap();
    assert_eq!(known, [("zba", 1), ("zcmp", 2)]);
    let one = cc.compile("one", ENTRY, &[]);
    let flags = |arch_flags: u32| {
        let options = Options { arch_flags, file_name: "source.mpy", ..Options::new(cc.arch) };
        let image = mpy_link::link(&[object("one.o", &one)], &options).unwrap();
        let module = read(&image);
        assert_eq!(module.qstrs[0].text, "source.mpy");
        assert_eq!(image.bytes[2] & 0x40 != 0, arch_flags != 0);
        module.arch_flags
    };
    assert_eq!([0, 1, 3, 200].map(flags), [0, 1, 3, 200]);
}

/// Code that runs at any address: what contains an address, or changes, is named.
#[test]
fn code_for_any_address_has_no_addresses() {
    let whole = "static int twice(int a) { return 2 * a; }
        const char text[] = \"constant\";
        int mpy_init(int a) { return twice(a) + text[a & 7]; }";
    let address = "int mpy_init(int a); int twice(int a) { return 2 * a; }
        int (*const table[2])(int) = {twice, mpy_init};
        int mpy_init(int a) { return table[a & 1](a); }";
    let variable = "int counted; int mpy_init(int a) { return counted += a; }";
    let flags = ["-fPIC", "-fvisibility=hidden", "-ffreestanding", "-fno-toplevel-reorder", "-O0"];
    for cc in common::ccs().into_iter().filter(|cc| cc.compiler.flash_register.is_some()) {
        let link = |source: &str| {
            let object = cc.compile("code.c", source, &flags);
            mpy_link::link_code(&[common::object("code.o", &object)], &Options::new(cc.arch))
        };
        let code = link(whole).unwrap_or_else(|error| panic!("{}: {error}", cc.arch.name));
        assert!(code.bytes.windows(8).any(|bytes| bytes == b"constant"), "{}", cc.arch.name);
        for (source, name) in [(address, "table"), (variable, "counted")] {
            let error = link(source).expect_err(name);
            assert!(matches!(error.code, "absolute-address" | "writable-data" | "distant-data"), "{error}");
            assert!(error.message.contains(name), "{}: {error}", cc.arch.name);
        }
    }
}
