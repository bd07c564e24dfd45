//! The order of the translation unit, and what runs when the module starts.

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;

use target_specs::{Diagnostic, Result};

use super::Unit;
use super::state::Mutable;
use crate::code::{indent, number_lines};
use crate::codegen::c_type;
use crate::interface::{CUnit, Translation};
use crate::module::{Constant, Place, place};
use crate::names::{comment, literal, path};
use crate::native_stack::{self, NativeStack};
use crate::options::Options;
use crate::relocs::refuse;
use crate::{codegen, passes};

/// What the C calls itself.
const FILE_NAME: &str = "module.c";

/// The most bytes of C for functions, many times what fits the devices that MicroPython is for.
const LARGEST: usize = 128 << 20;

impl Unit<'_> {
    /// Refuses what has become too large. A few bytes of a module can say that a thousand values are passed.
    pub fn check_size(&self, bytes: usize) -> Result<()> {
        if bytes <= LARGEST {
            return Ok(());
        }
        let message = format!("the C of its functions would be larger than {} MB", LARGEST >> 20);
        Err(Diagnostic::new("too-large", message).at(place(self.name, None, 0)).help("divide the module"))
    }

    /// Writes the translation unit.
    ///
    /// # Errors
    /// `unsupported-wasm`, `unsupported-relocations` and `too-large`.
    pub fn write(&self, options: &Options) -> Result<Translation> {
        let module = self.module;
        if let Some(relocations) = self.relocations
            && relocations.objects.iter().any(|object| self.object_bytes(relocations, object).is_none())
        {
            return Err(refuse(self.name, 0, "its data is not where the linker put it"));
        }
        let imported = module.imported();
        let mut c = format!("/* {} in C. */\n", comment(self.name));
        if self.trap_names {
            c.push_str("#define WASM_NAMES\n");
            if self.has_lines() {
                let _ = writeln!(c, "#define WASM_LINES {}\n#include \"wasm_lines.h\"", literal(FILE_NAME));
            }
        }
        if self.stack_checks.is_some() {
            c.push_str("#define WASM_FRAMES_ARE_MEASURED\n");
        }
        if let Some(need) = self.need.as_ref().filter(|_| options.stack.is_some()) {
            let _ = writeln!(c, "#define WASM_SHADOW_STACK {}", literal(need.text()));
        }
        c.push_str("#include \"wasm.h\"\n");
        if module.has_vectors {
            c.push_str("#include \"wasm_simd.h\"\n");
        }
        c.push('\n');

        let mut structs = HashSet::new();
        for ty in module.types.iter().filter(|ty| ty.results.len() > 1) {
            let name = self.result_type(ty);
            if structs.insert(name.clone()) {
                let members: Vec<String> =
                    ty.results.iter().enumerate().map(|(i, ty)| format!("{} r{i};", c_type(*ty))).collect();
                let _ = writeln!(c, "{name} {{\n    {}\n}};\n", members.join(" "));
            }
        }
        let types_end = c.len();
        for memory in &self.memories {
            if let Some((ty, elements)) = memory.object() {
                let align = elements.map(|_| 8);
                self.define(&mut c, &Mutable { ty, name: &memory.name, elements, align }, None);
            }
        }
        if self.any_stack_check() {
            self.define(&mut c, &Mutable::of("uintptr_t", "wasm_stack_limit"), None);
            c.push_str("static void wasm_stack_low(WASM_WHERE_ONLY);\n");
        }
        if (0..module.functions.len() as u32).any(|index| self.large_frame(index).is_some()) {
            c.push_str("static void wasm_stack_low_for(WASM_WHERE uintptr_t size);\n");
        }
        if self.in_flash.contains(&true) {
            c.push_str("static const uint8_t *wasm_flash_table(uint32_t number, uint32_t align);\n");
        }
        if !module.tags.is_empty() || self.throws_indirect || options.throwing.is_some() {
            c.push_str("/* The exception on its way. */\n");
            if self.linkable {
                c.push_str("extern wasm_exception_t *wasm_thrown;\n");
            } else {
                self.define(&mut c, &Mutable::of("wasm_exception_t *", "wasm_thrown"), None);
            }
            c.push_str("#define WASM_THROWN() __builtin_expect(wasm_thrown != NULL, 0)\n");
            if options.throwing.is_some() {
                c.push_str("/* What a handler caught that does not throw it again. */\n");
                self.define(&mut c, &Mutable::of("wasm_exception_t *", "wasm_caught"), None);
                c.push_str("__attribute__((noreturn)) static void wasm_uncaught(void);\n");
                c.push_str("#define WASM_UNCAUGHT() if (WASM_THROWN()) wasm_uncaught();\n");
            } else {
                c.push_str("#define WASM_UNCAUGHT() \\\n    if (WASM_THROWN()) { \\\n");
                c.push_str("        wasm_thrown = NULL; \\\n");
                c.push_str("        wasm_trap(WASM_TRAP_UNCAUGHT_EXCEPTION); \\\n    }\n");
            }
        }
        for (tag, name) in module.tags.iter().zip(&self.tags) {
            if tag.import.is_some() {
                self.define(&mut c, &Mutable::of("const wasm_tag_t *", name), None);
            } else {
                let params = tag.ty.params.len();
                let _ = writeln!(c, "WASM_UNUSED static const wasm_tag_t {name} = {{{params}}};");
            }
        }
        for index in 0..module.functions.len() as u32 {
            let _ = writeln!(c, "{};", self.prototype(index, false));
            self.check_size(c.len())?;
        }
        c.push('\n');
        let mut functions = String::new();
        for (body, index) in module.bodies.iter().zip(imported as u32..) {
            let function = passes::tree(self, index, body, passes::PASSES.len())?;
            codegen::function(self, &function, &mut functions)?;
            functions.push('\n');
        }
        // What functions refer to is known once they are written.
        let mut rest = String::new();
        if self.relocations.is_some() {
            self.objects(&mut rest);
        } else {
            self.segments(&mut rest);
        }
        let mut dynamic = String::new();
        for (index, global) in module.globals.iter().enumerate() {
            let name = &self.globals[index];
            let ty = c_type(global.ty);
            if global.import.is_some() {
                self.define(&mut rest, &Mutable::of(&format!("{ty} *"), name), None);
                continue;
            }
            if self.is_direct_stack(index as u32) && self.stack_pointer.is_none() {
                continue;
            }
            let (init, is_static) = self.initial(index as u32);
            if !is_static {
                self.define(&mut rest, &Mutable::of(ty, name), None);
                let _ = writeln!(dynamic, "{name} = {init};");
                continue;
            }
            if global.mutable || options.linkable {
                self.define(&mut rest, &Mutable::of(ty, name), Some(&init));
            } else {
                let _ = writeln!(rest, "WASM_UNUSED static const {ty} {name} = {init};");
            }
        }
        rest.push('\n');
        if self.relocations.is_none() {
            for index in 0..module.tables.len() as u32 {
                self.table(&mut rest, index);
            }
            self.elements(&mut rest, &mut dynamic);
        }
        self.entrances(&mut functions);
        functions.push_str(self.nowhere());
        let start = self.start(&dynamic);
        self.references(&mut c);
        // Everything that is in the block is known now.
        let start = self.block_init() + &start;
        let init = (!start.is_empty()).then(|| {
            let _ = write!(functions, "static void start(void) {{\n{}}}\n{}", indent(&start), self.nowhere());
            "start".to_owned()
        });
        c.insert_str(types_end, &self.block_type());
        c.push_str(&rest);
        c.push_str(&functions);
        let interface = self.interface(imported, init, options);
        let file_name = FILE_NAME.to_owned();
        let source = if self.has_lines() { number_lines(&c, &file_name) } else { c };
        let unit = CUnit { file_name, source };
        let named = self.functions.iter().zip(&module.functions);
        let named = named.filter_map(|(c, function)| Some((c.clone(), path(function.name.as_ref()?))));
        let mut names: HashMap<String, String> = named.collect();
        for index in 0..module.functions.len() as u32 {
            let name = &self.functions[index as usize];
            if self.large_frame(index).is_some()
                && let Some(known) = names.get(name).cloned()
            {
                names.insert(native_stack::within(name), known);
            }
        }
        let native_stack = self.stack_checks.clone().map(|checks| NativeStack {
            functions: self.functions.clone(),
            imported,
            recursive: self.recursive.clone(),
            calls: self.calls.clone(),
            checks,
        });
        Ok(Translation { unit, interface, native_stack, names })
    }

    /// What happens when the module starts (WebAssembly core specification, 4.5.4 Instantiation), once the block has its
    /// first values.
    fn start(&self, dynamic: &str) -> String {
        let mut text = String::new();
        self.write_addresses(&mut text);
        text.push_str(dynamic);
        if self.relocations.is_none() {
            for memory in &self.memories {
                memory.start(&mut text);
            }
            for (index, table) in self.module.tables.iter().enumerate() {
                if self.table_grows(index) {
                    let maximum = table.maximum.unwrap_or(u32::MAX);
                    let init = self.constant(&table.init).0;
                    let name = &self.tables[index];
                    let _ =
                        writeln!(text, "wasm_table_new(&{name}, {}u, {maximum}u, {init});", table.minimum);
                }
            }
            for (index, element) in self.module.elements.iter().enumerate() {
                let Place::Active { index: table, offset } = &element.place else { continue };
                if self.fixed[*table as usize] {
                    continue;
                }
                let (size, offset) = (
                    element.items.len(),
                    self.offset(offset, self.module.tables[*table as usize].is_64, "TABLE"),
                );
                let items = if size == 0 { "NULL".to_owned() } else { format!("elem{index}") };
                let table = self.table_pointer(*table);
                let _ = writeln!(text, "wasm_table_init({table}, {items}, {size}u, {offset}, 0, {size}u);");
            }
            for ((index, data), used) in self.module.data.iter().enumerate().zip(self.needed_bytes()) {
                let Place::Active { index: memory, offset } = &data.place else { continue };
                let is_64 = self.module.memories[*memory as usize].is_64;
                let memory = &self.memories[*memory as usize];
                match offset {
                    Constant::I32(offset) if memory.holds(*offset, data.bytes.len()) => {
                        if used > 0 {
                            let base = memory.base();
                            let _ =
                                writeln!(text, "__builtin_memcpy({base} + {offset}u, data{index}, {used}u);");
                        }
                    }
                    _ => {
                        let offset = self.offset(offset, is_64, "MEMORY");
                        let _ = writeln!(
                            text,
                            "wasm_memory_place({}, {}, {}, {used}u, {offset}, {}u);",
                            memory.base(),
                            memory.bytes(),
                            if used > 0 { format!("data{index}") } else { "NULL".to_owned() },
                            data.bytes.len()
                        );
                    }
                }
            }
        }
        if let Some(start) = self.module.start {
            let _ = writeln!(text, "{}();", self.functions[start as usize]);
            if self.throws[start as usize] && !self.linkable {
                text.push_str(&self.here(start));
                text.push_str("WASM_UNCAUGHT();\n");
            }
        }
        text
    }

    /// Where a segment begins.
    fn offset(&self, offset: &Constant, is_64: bool, kind: &str) -> String {
        let text = self.constant(offset).0;
        match offset {
            Constant::I32(_) => text,
            _ if is_64 => format!("wasm_index({text}, WASM_TRAP_{kind}_OUT_OF_BOUNDS)"),
            _ => text,
        }
    }
}
