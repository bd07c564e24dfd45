//! Input that cannot be linked: one clear message each, never a panic, never a hang.

mod common;

use std::panic;

use common::mutate::{Random, mutate, numbers};
use common::{Cc, c_source, lazy, object};
use mpy_link::inspect;
use target_specs::{Diagnostic, Place};

/// The error of linking one C file.
fn error_of(cc: &Cc, source: &str) -> Diagnostic {
    match cc.link_c(source) {
        Ok(image) => panic!("{} links {source}: {:#?}", cc.arch.name, image.map),
        Err(error) => error,
    }
}

fn assembled(cc: &Cc, source: &str) -> Diagnostic {
    let one = cc.compile("one", &format!("/* asm */\n{source}\n"), &[]);
    cc.link(&[("one.o", &one)]).expect_err("should not link")
}

#[test]
fn undefined_symbols_are_all_told_with_their_users() {
    let Some(cc) = common::cc("armv6m") else { return };
    let source = "
        int first(int), second(int);
        extern int third;
        volatile long long wide;
        int helper(int x) { return first(x) + second(x) + first(x + 1); }
        void mpy_init(void) { wide = helper(third) / wide; }";
    let error = error_of(&cc, source);
    assert_eq!(error.code, "undefined-symbol");
    for part in [
        "undefined symbol `first`, used at one.o:(.text.helper+",
        "in `helper` and at one.o:(.text.helper+",
        "undefined symbol `second`",
        "undefined symbol `third`",
        "undefined symbol `__aeabi_ldivmod`",
    ] {
        assert!(error.message.contains(part), "{part} is not in {}", error.message);
    }
    let help = error.help.expect("a help");
    assert!(
        help.contains("`__aeabi_ldivmod` belongs to the compiler's runtime library, which is missing"),
        "{help}"
    );

    let error = error_of(
        &cc,
        "int memcmp(const void *, const void *, unsigned);
        const char *volatile a; void mpy_init(void) { memcmp(a, a + 1, 7); }",
    );
    assert_eq!(error.message, "undefined symbol `memcmp`");
    assert!(
        matches!(&error.at, Place::Object { object, symbol: Some(symbol), .. }
        if object == "one.o" && symbol == "mpy_init"),
        "{error}"
    );
    assert!(error.help.unwrap().contains("belongs to the C library"));

    // What is linked already is not what is to be linked.
    let library = cc.library().expect("libgcc");
    let help = |name: &str| {
        let source = format!("void {name}(void); void mpy_init(void) {{ {name}(); }}");
        let one = cc.compile("one", &source, &[]);
        let inputs = [object("one.o", &one), lazy("libgcc.a", &library)];
        cc.link_inputs(&inputs).unwrap_err().help.expect("a help")
    };
    for name in ["__aeabi_memset", "__aeabi_memclr4", "__aeabi_memcpy8", "strlen"] {
        assert!(
            help(name).starts_with(&format!("`{name}` belongs to the C library")),
            "{name}: {}",
            help(name)
        );
    }
    assert!(help("__aeabi_nothing").contains("no archive here defines it"), "{}", help("__aeabi_nothing"));
}

#[test]
fn duplicates_are_told_with_both_objects() {
    let Some(cc) = common::cc("armv7m") else { return };
    let a = cc.compile("a", "int f(void) { return 1; } void mpy_init(void) { f(); }", &[]);
    let b = cc.compile("b", "int f(void) { return 2; }", &[]);
    let error = cc.link(&[("a.o", &a), ("b.o", &b)]).unwrap_err();
    assert_eq!(error.code, "duplicate-symbol");
    assert_eq!(error.message, "duplicate symbol `f`: defined in a.o and in b.o");
    // Also when a member of an archive brings it along.
    let a = cc.compile("a", "int g(void); int f(void) { return 1; } void mpy_init(void) { f(); g(); }", &[]);
    let b = cc.compile("b", "int f(void) { return 2; } int g(void) { return 3; }", &[]);
    let error = cc.link_inputs(&[object("a.o", &a), lazy("b.o", &b)]).unwrap_err();
    assert_eq!(error.message, "duplicate symbol `f`: defined in a.o and in b.o");
}

#[test]
fn a_module_needs_an_entry() {
    for cc in common::ccs() {
        let error = error_of(&cc, "void init(void) {}");
        assert_eq!(error.code, "no-entry");
        assert!(error.message.contains("`mpy_init`"));
    }
    let Some(cc) = common::cc("armv7m") else { return };
    assert_eq!(error_of(&cc, "int mpy_init = 3;").code, "no-entry");
    assert_eq!(cc.link_inputs(&[]).unwrap_err().code, "no-entry");
}

#[test]
fn thread_local_variables_are_refused() {
    for cc in common::ccs() {
        let source = "_Thread_local int mine; void mpy_init(void) { mine++; }";
        let one = cc.compile("one", source, &["-ftls-model=global-dynamic"]);
        let error = cc.link(&[("one.o", &one)]).unwrap_err();
        // Where the compiler calls a function to find it, that one is missing as well.
        assert!(["tls", "undefined-symbol"].contains(&error.code), "{}: {error}", cc.arch.name);
        if error.code == "tls" {
            assert!(error.message.contains("`mine` is thread-local"), "{}: {error}", cc.arch.name);
        }
    }
}

#[test]
fn constructors_are_refused() {
    let Some(cc) = common::cc("armv7m") else { return };
    let error =
        error_of(&cc, "int x; __attribute__((constructor)) void f(void) { x = 1; } void mpy_init(void) {}");
    assert_eq!(error.code, "static-constructor");
}

#[test]
fn addresses_the_loader_cannot_write_are_refused() {
    let Some(cc) = common::cc("armv7m") else { return };
    let error = assembled(&cc, ".text\n.global mpy_init\n.thumb_func\nmpy_init: movw r0, #:lower16:mpy_init");
    assert_eq!(error.code, "absolute-address");
    assert!(error.help.unwrap().contains("-mword-relocations"));
    let error = assembled(
        &cc,
        ".text\n.global mpy_init\n.thumb_func\nmpy_init: bx lr\nnop\n.2byte 0\n.4byte mpy_init",
    );
    assert_eq!(error.code, "absolute-address");
    assert!(error.message.contains("not aligned"), "{error}");

    let Some(cc) = common::cc("x64") else { return };
    let one =
        cc.compile("one", "int v[9]; int *volatile p; void mpy_init(void) { p = &v[3]; }", &["-fno-pic"]);
    let error = cc.link(&[("one.o", &one)]).unwrap_err();
    assert_eq!((error.code, error.help.as_deref()), ("absolute-address", Some("compile with -fPIC")));

    // Code that the compiler took for part of one program: not with GOT, at a distance, or with addresses in instructions.
    let source = "extern const int mp_fun_table[]; extern int far; int far; volatile int v;
        void mpy_init(void) { v = mp_fun_table[3] + far++; }";
    let cases: [(&str, &[&str]); 6] = [
        ("x64", &["-fno-pic"]),
        ("x64", &["-fPIE"]),
        ("x86", &["-fno-pic"]),
        ("rv32imc", &["-fno-pic", "-mcmodel=medany"]),
        ("rv64imc", &["-fno-pic", "-mcmodel=medany"]),
        ("rv64imc", &["-fPIE"]),
    ];
    for (arch, flags) in cases {
        let Some(cc) = common::cc(arch) else { continue };
        let one = cc.compile("one", source, flags);
        match cc.link(&[("one.o", &one)]) {
            // Enough goes through the GOT.
            Ok(_) => assert_eq!(flags, ["-fPIE"], "{arch}"),
            Err(error) => {
                assert!(
                    ["absolute-address", "distant-data"].contains(&error.code),
                    "{arch} {flags:?}: {error}"
                );
                assert_eq!(error.help.as_deref(), Some("compile with -fPIC"), "{arch} {flags:?}: {error}");
            }
        }
    }

    // A look-up in the GOT without a register that holds its address.
    let Some(cc) = common::cc("x86") else { return };
    let error = assembled(&cc, ".global mpy_init\nmpy_init: call *far@GOT\n.comm far, 4");
    assert_eq!(error.code, "absolute-address", "{error}");

    let Some(cc) = common::cc("rv32imc") else { return };
    let source =
        "extern const int mp_fun_table[]; volatile int v; void mpy_init(void) { v = mp_fun_table[3]; }";
    let one = cc.compile("one", source, &["-fno-pic", "-mcmodel=medlow"]);
    let error = cc.link(&[("one.o", &one)]).unwrap_err();
    assert_eq!((error.code, error.help.as_deref()), ("absolute-address", Some("compile with -fPIC")));
}

/// The address of what is in the module can be computed, but only when it is certain what it is made of.
#[test]
fn mixed_parts_of_addresses_are_refused() {
    let Some(cc) = common::cc("rv32imc") else { return };
    let code = |merge: &str| {
        format!(
            ".section .text.mpy_init,\"ax\"\n.global mpy_init\n.type mpy_init,@function\nmpy_init:
             beqz a0, 1f\nlui a1, %hi(x)\n{merge}\n1: lui a1, %hi(x)\n2: lw a0, %lo(x)(a1)\nret
             .section .bss.x,\"aw\",@nobits\nx: .space 4"
        )
    };
    let error = assembled(&cc, &code("j 2f"));
    assert_eq!(error.code, "absolute-address");
    assert_eq!(error.message, "this code contains the absolute address of `x`, which only the loader knows");
    let one = cc.compile("one", &format!("/* asm */\n{}\n", code("nop")), &[]);
    cc.link(&[("one.o", &one)]).expect("one high part only");
}

#[test]
fn loaders_objects_must_be_found_through_the_got() {
    for arch in ["x64", "rv64imc"] {
        let Some(cc) = common::cc(arch) else { continue };
        let source = "extern const int mp_fun_table[] __attribute__((visibility(\"hidden\")));
            volatile int v; void mpy_init(void) { v = mp_fun_table[3]; }";
        let error = error_of(&cc, source);
        assert_eq!(error.code, "distant-data", "{error}");
        assert!(error.message.contains("`mp_fun_table`"));
    }
}

#[test]
fn what_does_not_reach_is_told_with_place_value_and_range() {
    let Some(cc) = common::cc("armv7m") else { return };
    let error = assembled(
        &cc,
        ".syntax unified\n.thumb\n.section .text.a,\"ax\"\n.global mpy_init\n.type mpy_init,%function\nmpy_init:
         beq.n far\n.section .text.b,\"ax\"\n.space 400\n.global far\n.type far,%function\nfar: bx lr",
    );
    assert_eq!(error.code, "out-of-range");
    assert_eq!(error.message, "R_ARM_THM_JUMP8 against `far`: 398 is not in the range -256 to 255");
    assert!(
        matches!(&error.at, Place::Object { section: Some(section), offset: Some(0), .. } if section == ".text.a")
    );
}

#[test]
fn files_of_other_kinds_are_told_apart() {
    let Some(cc) = common::cc("armv7m") else { return };
    let error = |data: &[u8]| cc.link(&[("x.o", data)]).unwrap_err();
    assert_eq!(error(b"").code, "not-an-object");
    assert_eq!(error(b"#include <stdio.h>").code, "not-an-object");
    assert_eq!(error(b"BC\xc0\xde\x35\x14").code, "unsupported-object");
    assert_eq!(error(b"\x7fELF").code, "foreign-object");
    assert_eq!(error(b"!<thin>\n").code, "unsupported-archive");
    assert_eq!(
        error(b"!<arch>\nnonsense that is long enough to hold a header, but is none at all").code,
        "malformed-archive"
    );
    // An archive with nothing in it is in order.
    assert_eq!(error(b"!<arch>\n").code, "no-entry");
    if let Some(other) = common::cc("x64") {
        let foreign = other.compile("foreign", "void mpy_init(void) {}", &[]);
        let error = error(&foreign);
        assert_eq!(error.code, "foreign-object");
        assert_eq!(error.message, "this object is for 64-bit x86-64");
        assert_eq!(error.help.as_deref(), Some("`armv7m` needs objects for 32-bit Arm"));
    }
    let slim = cc.compile("slim", "void mpy_init(void) {}", &["-flto", "-fno-fat-lto-objects"]);
    let error = cc.link(&[("slim.o", &slim)]).unwrap_err();
    assert!(["unsupported-object", "no-entry"].contains(&error.code), "{error}");
}

/// Runs `test` on many damaged versions of `data`, which is larger than what `mutations.rs` damages.
fn survives(what: &str, data: &[u8], versions: usize, test: impl Fn(&[u8])) {
    let mut random = Random::new(1);
    let numbers = numbers(data);
    for version in 0..versions {
        let mut damaged = data.to_vec();
        mutate(&mut random, &mut damaged, &numbers);
        let result = panic::catch_unwind(panic::AssertUnwindSafe(|| test(&damaged)));
        assert!(result.is_ok(), "{what}: version {version} panics");
    }
}

#[test]
fn damaged_objects_and_archives_do_no_harm() {
    for cc in common::ccs() {
        let torture = cc.compile("torture", &c_source("torture.c"), &["-fcommon"]);
        let elsewhere = cc.compile("elsewhere", &c_source("elsewhere.c"), &["-fcommon"]);
        let archive = cc.archive("lib.a", &["elsewhere"], "rcs").expect("ar");
        let Some(library) = cc.library() else { continue };
        let link = |object_data: &[u8], archive: &[u8]| {
            let inputs =
                [object("torture.o", object_data), lazy("lib.a", archive), lazy("libgcc.a", &library)];
            let _ = cc.link_inputs(&inputs).map_err(|error| error.to_string());
        };
        survives(&format!("{} object", cc.arch.name), &torture, 500, |data| link(data, &archive));
        if cc.arch.name.starts_with("arm") {
            // Its code is moved.
            let moved = cc.compile("moved", &c_source("torture.c"), &["-fcommon", "-fPIC"]);
            survives(&format!("{} with a GOT", cc.arch.name), &moved, 200, |data| link(data, &archive));
        }
        survives(&format!("{} archive", cc.arch.name), &archive, 200, |data| link(&torture, data));
        let lone = |data: &[u8]| {
            let inputs = [object("torture.o", &torture), lazy("one.o", data), lazy("libgcc.a", &library)];
            let _ = cc.link_inputs(&inputs);
        };
        survives(&format!("{} lone", cc.arch.name), &elsewhere, 100, lone);
    }
}

/// The number of entries in a section is computed from two numbers of the file, each of 64 bits.
#[test]
fn entries_that_are_larger_than_any_section_are_refused() {
    for arch in ["x64", "rv64imc"] {
        let Some(cc) = common::cc(arch) else { continue };
        for (kind, size) in [("aMS", 1), ("aM", 8)] {
            let section = format!(".section .rodata.none,\"{kind}\",%progbits,{size}");
            let object = cc.compile("one", &format!("/* asm */\n{section}\n"), &[]);
            let entry = cc.compile("entry", "void mpy_init(void) {}", &[]);
            cc.link(&[("entry.o", &entry), ("one.o", &object)]).expect("an empty section");
            let table = u64::from_le_bytes(object[40..48].try_into().expect("e_shoff")) as usize;
            for value in [1u64 << 28 | 1, 1 << 32, 3 << 32, 1 << 63, u64::MAX] {
                let mut object = object.clone();
                for header in object[table..].chunks_exact_mut(64) {
                    // SHF_MERGE
                    if header[8] & 0x10 != 0 {
                        header[56..64].copy_from_slice(&value.to_le_bytes());
                    }
                }
                let error = cc.link(&[("entry.o", &entry), ("one.o", &object)]).unwrap_err();
                assert_eq!(error.code, "malformed-object");
                assert_eq!(error.message, format!("section .rodata.none has entries of {value} bytes"));
            }
        }
    }
}

#[test]
fn damaged_modules_do_no_harm() {
    for cc in common::ccs() {
        let torture = cc.compile("torture", &c_source("torture.c"), &["-fcommon"]);
        cc.compile("elsewhere", &c_source("elsewhere.c"), &["-fcommon"]);
        let archive = cc.archive("lib.a", &["elsewhere"], "rcs").expect("ar");
        let Some(library) = cc.library() else { continue };
        let inputs = [object("torture.o", &torture), lazy("lib.a", &archive), lazy("libgcc.a", &library)];
        let image = cc.link_inputs(&inputs).unwrap_or_else(|error| panic!("{}: {error}", cc.arch.name));
        inspect::read(&image.bytes).expect("a module");
        survives(cc.arch.name.as_str(), &image.bytes, 500, |data| {
            let _ = inspect::read(data);
        });
    }
}

#[test]
fn other_files_are_not_modules() {
    let code = |bytes: &[u8]| inspect::read(bytes).unwrap_err().code;
    assert_eq!(code(b""), "not-a-module");
    assert_eq!(code(b"\x7fELF"), "not-a-module");
    // Version 5; bytecode; another ABI; an architecture nobody knows.
    for header in [*b"M\x05\x0b\x1f", *b"M\x06\x00\x1f", *b"M\x06\x0a\x1f", *b"M\x06\x3f\x1f"] {
        assert_eq!(code(&header), "unsupported-module", "{header:?}");
    }
    assert_eq!(code(b"M\x06\x0b\x1f\x01"), "malformed-module");
}
