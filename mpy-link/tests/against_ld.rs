//! Against GNU ld: every section is put by a linker script where our linker put it, and all bytes
//! must be the same after our module went through what MicroPython's loader does.

mod common;

use std::fmt::Write as _;
use std::fs;
use std::process::Command;

use common::{
    BSS, Cc, FUN_ENTRIES, FUN_SIZE, FUN_TABLE, OBJECTS, QSTRS, RODATA, TEXT, c_source, lazy, object,
};
use mpy_link::{Image, Part};

/// A script for what `image` says is where.
fn script(image: &Image, word: u8, text: &[u8]) -> String {
    let mut script = String::new();
    let directive = if word == 64 { "QUAD" } else { "LONG" };
    for (name, value) in [
        ("mp_fun_table", FUN_TABLE),
        ("mp_native_qstr_table", QSTRS),
        ("mp_native_obj_table", OBJECTS),
        ("mp_type_str", FUN_ENTRIES + FUN_SIZE * 74),
        ("mp_type_fun_builtin_1", FUN_ENTRIES + FUN_SIZE * 78),
    ] {
        writeln!(script, "{name} = {value:#x};").unwrap();
    }
    script.push_str("SECTIONS {\n");
    for (part, base) in [(Part::Text, TEXT), (Part::Rodata, RODATA), (Part::Bss, BSS)] {
        writeln!(script, "  .{}_ {base:#x} : {{", part.name()).unwrap();
        script.push_str("    FILL(0)\n");
        let mut last = None;
        for entry in image.map.iter().filter(|entry| entry.part == part) {
            let place = (&entry.object, &entry.section);
            if last == Some(place) {
                continue;
            }
            last = Some(place);
            if entry.object.is_empty() {
                write!(script, "    . = {:#x};", entry.address).unwrap();
                if entry.section == "address of the data block" {
                    let block = if image.sizes.bss > 0 { BSS } else { RODATA };
                    writeln!(script, " {directive}({block:#x})").unwrap();
                } else {
                    assert_eq!(entry.section, "jump to the entry");
                    for byte in &text[..entry.size as usize] {
                        write!(script, " BYTE({byte:#x})").unwrap();
                    }
                }
                continue;
            }
            let (object, section) = place;
            writeln!(script, "    . = {:#x}; \"{object}\"({section})", entry.address).unwrap();
        }
        script.push_str("  }\n");
    }
    script.push_str("  /DISCARD/ : { *(*) }\n}\n");
    script
}

/// The contents of the parts as GNU ld fills them.
fn gnu(cc: &Cc, [ld, objcopy]: [&str; 2], image: &Image, text: &[u8], files: &[&str]) -> (Vec<u8>, Vec<u8>) {
    fs::write(cc.path("script.ld"), script(image, cc.arch.word_bits, text)).unwrap();
    let mut command = Command::new(ld);
    if cc.flags.iter().any(|flag| flag == "-m32") {
        command.args(["-m", "elf_i386"]);
    }
    if cc.flags.iter().any(|flag| flag.contains("rv32")) {
        command.args(["-m", "elf32lriscv"]);
    }
    command.current_dir(cc.folder.path());
    command.args(["-T", "script.ld", "--no-relax", "-e", "mpy_init", "-o", "linked.elf"]).args(files);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}: {}", cc.arch.name, String::from_utf8_lossy(&output.stderr));
    let part = |part: Part| {
        let output = Command::new(objcopy)
            .current_dir(cc.folder.path())
            .args(["-O", "binary", "-j", &format!(".{}_", part.name()), "linked.elf", "part.bin"])
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        fs::read(cc.path("part.bin")).unwrap_or_default()
    };
    (part(Part::Text), part(Part::Rodata))
}

fn compare(cc: &Cc, image: &Image, files: &[&str]) {
    let tools = cc.tool("ld").zip(cc.tool("objcopy"));
    let Some((ld, objcopy)) = tools else {
        return common::skip(&format!("no GNU ld for {}", cc.arch.name));
    };
    let module = mpy_link::inspect::read(&image.bytes).unwrap();
    let (text, rodata) = common::load(&module, cc.arch);
    let (gnu_text, gnu_rodata) = gnu(cc, [&ld, &objcopy], image, &text, files);
    for (name, ours, theirs) in [("text", text, gnu_text), ("rodata", rodata, gnu_rodata)] {
        assert_eq!(ours.len(), theirs.len(), "{} {name}", cc.arch.name);
        let different: Vec<String> = (0..ours.len())
            .filter(|&at| ours[at] != theirs[at])
            .map(|at| format!("{at:#x}: {:#04x} and not {:#04x}", ours[at], theirs[at]))
            .collect();
        assert!(
            different.is_empty(),
            "{} {name}: {}\n{:#?}",
            cc.arch.name,
            different.join(", "),
            image
                .map
                .iter()
                .map(|e| format!("{} {:#x} {} {}", e.part.name(), e.address, e.section, e.symbol))
                .collect::<Vec<_>>()
        );
    }
}

#[test]
fn rows() {
    for cc in common::ccs_and_clangs() {
        let source = ["arm", "riscv", "xtensa"].into_iter().find(|file| cc.prefix.starts_with(file));
        let file = format!("{}/tests/asm/{}.S", env!("CARGO_MANIFEST_DIR"), source.unwrap_or("x86"));
        let rows = cc.compile("rows", &fs::read_to_string(file).unwrap(), &[]);
        let image = cc.link(&[("rows.o", &rows)]).unwrap_or_else(|error| panic!("{}: {error}", cc.arch.name));
        compare(&cc, &image, &["rows.o"]);
    }
}

/// An object whose sections a script can place whole.
fn unmergeable(cc: &Cc, name: &str) -> Option<Vec<u8>> {
    let objcopy = cc.tool("objcopy")?;
    let flags = ".rodata.*=alloc,readonly,data,contents";
    let output = Command::new(objcopy)
        .current_dir(cc.folder.path())
        .args(["--wildcard", "--set-section-flags", flags, name])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(fs::read(cc.path(name)).unwrap())
}

/// Whole modules with the compiler's library, where there is no GOT: that of GNU ld has another order.
#[test]
fn modules() {
    for cc in common::ccs_and_clangs() {
        let pic = cc.flags.iter().any(|flag| flag == "-fPIC");
        let flags: &[&str] = match (pic, cc.prefix.starts_with("riscv")) {
            (true, false) => continue,
            (true, true) => &["-fno-pic", "-mcmodel=medany", "-mno-relax", "-DFAR"],
            (false, _) if !cc.arch.byte_readable_text => &["-Wa,--text-section-literals"],
            (false, _) => &[],
        };
        let flags = [flags, &["-fno-merge-constants", "-O2"]].concat();
        cc.compile("torture", &c_source("torture.c"), &flags);
        let Some(torture) = unmergeable(&cc, "torture.o") else { continue };
        cc.compile("elsewhere", &c_source("elsewhere.c"), &[&flags[..], &["-Dcommon_2=their_own"]].concat());
        let Some(archive) = cc.archive("libelse.a", &["elsewhere"], "rcs") else { continue };
        // The linkers shorten code differently: none of it may ask for that.
        let own = cc.flags.iter().all(|flag| flag != "-mthumb");
        let library = if own { cc.helpers(&flags) } else { cc.library() };
        let Some(library) = library else { continue };
        fs::write(cc.path("libgcc.a"), &library).unwrap();
        let inputs = [object("torture.o", &torture), lazy("libelse.a", &archive), lazy("libgcc.a", &library)];
        let image = cc.link_inputs(&inputs).unwrap_or_else(|error| panic!("{}: {error}", cc.arch.name));
        compare(&cc, &image, &["torture.o", "libelse.a", "libgcc.a"]);
    }
}
