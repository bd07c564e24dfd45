//! The translation unit around the functions: types, memory, tables, data, start.

use std::fmt::Write as _;
use std::ops::Range;

use target_specs::{Diagnostic, Result};

use crate::func::{self, Operand, float32, float64, indent, int32, int64};
use crate::memory::{Address, Memory};
use crate::module::{Constant, Module, place, unsupported};
use crate::names::Names;
use crate::relocs::{Reference, Relocations};
use crate::{
    CUnit, ExportedFunc, FuncType, ImportedFunc, Interface, MemoryInfo, Options, Translation, ValType,
    WasmModule, ops,
};

/// The C type of a value.
pub fn c_type(ty: ValType) -> &'static str {
    match ty {
        ValType::I32 => "uint32_t",
        ValType::I64 => "uint64_t",
        ValType::F32 => "float",
        ValType::F64 => "double",
        ValType::FuncRef | ValType::ExternRef | ValType::ExnRef => "uintptr_t",
    }
}

/// `ifd` for (i32, f32, f64).
fn letters(types: &[ValType]) -> String {
    types
        .iter()
        .map(|ty| match ty {
            ValType::I32 => 'i',
            ValType::I64 => 'q',
            ValType::F32 => 'f',
            ValType::F64 => 'd',
            _ => 'r',
        })
        .collect()
}

/// Everything the functions of a module have in common.
pub(crate) struct Unit<'m> {
    pub name: &'m str,
    pub module: &'m Module<'m>,
    pub memory: Memory,
    /// C names.
    pub functions: Vec<String>,
    pub globals: Vec<String>,
    objects: Vec<String>,
    stack_pointer: Option<u32>,
    /// Function types that tables distinguish, by number.
    types: Vec<FuncType>,
}

/// Bytes of the shadow stack when addresses are the machine's and nobody says.
const STACK: u32 = 4096;

pub(crate) fn unit(source: &WasmModule, module: &Module<'_>, options: &Options) -> Result<Translation> {
    let mut names = Names::default();
    for taken in ["memory", "memory_bytes", "at", "grow", "start", "table", "stack"] {
        names.unique("", taken);
    }
    let exported =
        |index: u32| module.exports.iter().find(|(_, i)| *i == index).map(|(name, _)| name.clone());
    let functions = (0..).zip(&module.functions).map(|(index, function)| {
        let prefix = if function.import.is_some() { "import_" } else { "f_" };
        let import = function.import.as_ref().map(|(module, field)| format!("{module}_{field}"));
        let name = import.or_else(|| exported(index)).or_else(|| function.name.clone());
        names.unique(prefix, &name.unwrap_or_else(|| index.to_string()))
    });
    let functions: Vec<String> = functions.collect();
    let globals = module
        .globals
        .iter()
        .enumerate()
        .map(|(index, global)| names.unique("g_", global.name.as_deref().unwrap_or(&index.to_string())));
    let globals: Vec<String> = globals.collect();
    let stack_pointer = module
        .globals
        .iter()
        .position(|global| global.name.as_deref() == Some("__stack_pointer"))
        .map(|i| i as u32);
    let mut types: Vec<FuncType> = Vec::new();
    for ty in &module.types {
        if !types.contains(ty) {
            types.push(ty.clone());
        }
    }
    let relocations = module.relocations.as_ref();
    if options.direct && module.memory.is_some() && relocations.is_none() {
        return Err(Diagnostic::new(
            "no-relocations",
            "the module does not say which of its constants are addresses",
        )
        .at(place(&source.name, None, 0))
        .help("link it with `--emit-relocs`, or choose a linear memory: `--safety checked`"));
    }
    let objects = relocations.map_or(&[][..], |r| &r.objects);
    let objects = objects.iter().map(|object| names.unique("d_", &object.name)).collect();
    let unit = Unit {
        name: &source.name,
        module,
        memory: Memory::of(source, module, options),
        functions,
        globals,
        objects,
        stack_pointer,
        types,
    };
    unit.write(options)
}

impl<'m> Unit<'m> {
    fn direct(&self) -> Option<&Relocations> {
        matches!(self.memory, Memory::Direct).then_some(self.module.relocations.as_ref()).flatten()
    }

    /// The C type a function of type `ty` returns.
    pub fn result_type(&self, ty: &FuncType) -> String {
        match ty.results.as_slice() {
            [] => "void".into(),
            [one] => c_type(*one).into(),
            several => format!("struct wasm_{}", letters(several)),
        }
    }

    /// A function's declarator, with or without the names of its parameters.
    pub fn prototype(&self, index: u32, named: bool) -> String {
        let function = &self.module.functions[index as usize];
        let params: Vec<String> = function
            .ty
            .params
            .iter()
            .enumerate()
            .map(|(i, ty)| if named { format!("{} l{i}", c_type(*ty)) } else { c_type(*ty).to_owned() })
            .collect();
        let params = if params.is_empty() { "void".to_owned() } else { params.join(", ") };
        let attributes =
            if named && !function.ty.params.is_empty() { "WASM_FUNCTION " } else { "WASM_FUNCTION " };
        format!("{attributes}{} {}({params})", self.result_type(&function.ty), self.functions[index as usize])
    }

    fn pointer_type(&self, ty: &FuncType) -> String {
        let params: Vec<&str> = ty.params.iter().map(|ty| c_type(*ty)).collect();
        let params = if params.is_empty() { "void".to_owned() } else { params.join(", ") };
        format!("{} (*)({params})", self.result_type(ty))
    }

    fn type_id(&self, ty: &FuncType) -> usize {
        self.types.iter().position(|known| known == ty).unwrap_or_default()
    }

    /// The callee of an indirect call.
    pub fn indirect(&self, ty: &FuncType, index: &str) -> String {
        let pointer = self.pointer_type(ty);
        if self.direct().is_some() {
            return format!("(({pointer})(uintptr_t){index})");
        }
        format!(
            "(({pointer})wasm_table_get(table, {}u, {index}, {}u))",
            self.table_size(),
            1 + self.type_id(ty)
        )
    }

    fn table_size(&self) -> u32 {
        self.module.table.as_ref().map_or(0, |table| table.minimum)
    }

    /// A statement that catches an overflow of the shadow stack before `value` becomes its pointer.
    pub fn stack_check(&self, global: u32, value: &str) -> Option<String> {
        let direct = self.direct().is_some() && self.stack_pointer == Some(global);
        direct.then(|| {
            format!("if ({value} - (uint32_t)(uintptr_t)stack > sizeof stack) wasm_trap(WASM_TRAP_STACK_OVERFLOW);")
        })
    }

    fn reference(&self, reference: Reference) -> String {
        match reference {
            Reference::Data { object, offset } => {
                let name = &self.objects[object];
                match offset {
                    0 => format!("(uint32_t)(uintptr_t){name}"),
                    1.. => format!("(uint32_t)(uintptr_t){name} + {offset}u"),
                    _ => format!("(uint32_t)(uintptr_t){name} - {}u", -offset),
                }
            }
            Reference::Function(index) => format!("(uint32_t)(uintptr_t){}", self.functions[index as usize]),
        }
    }

    /// An `i32.const` that is an address.
    pub fn address_constant(&self, value: u32, instruction: Range<usize>) -> Result<Option<String>> {
        let Some(relocations) = self.direct() else { return Ok(None) };
        let _ = value;
        Ok(relocations.in_code(instruction).map(|reference| self.reference(reference)))
    }

    /// The cell a load or store accesses.
    pub fn place(
        &self,
        address: &Operand,
        access: &ops::Access,
        instruction: Range<usize>,
    ) -> Result<Address> {
        if access.memarg.memory != 0 {
            return Err(unsupported(self.name, None, instruction.start, "more than one memory"));
        }
        if let Some(reference) = self.direct().and_then(|r| r.in_code(instruction)) {
            let base = self.reference(reference);
            let text = match address.known {
                Some(0) => format!("(uintptr_t)({base})"),
                _ => format!("(uintptr_t)({} + {base})", address.inner()),
            };
            return Ok(Address { text, traps: false });
        }
        Ok(self.memory.at(address, access.memarg.offset, access.bytes))
    }

    fn constant(&self, constant: Constant) -> String {
        match constant {
            Constant::I32(value) => int32(value as i32),
            Constant::I64(value) => int64(value as i64),
            Constant::F32(bits) => float32(bits),
            Constant::F64(bits) => float64(bits),
            Constant::Global(index) => self.constant(self.module.globals[index as usize].init),
            Constant::Null | Constant::Function(_) => "0".into(),
        }
    }

    fn write(&self, options: &Options) -> Result<Translation> {
        let module = self.module;
        let imported = module.imported();
        let mut c = format!("/* {} in C. */\n#include \"wasm.h\"\n\n", self.name.replace("*/", "* /"));

        let mut structs: Vec<String> = Vec::new();
        for ty in module.types.iter().filter(|ty| ty.results.len() > 1) {
            let name = self.result_type(ty);
            if !structs.contains(&name) {
                let members: Vec<String> =
                    ty.results.iter().enumerate().map(|(i, ty)| format!("{} r{i};", c_type(*ty))).collect();
                let _ = writeln!(c, "{name} {{\n    {}\n}};\n", members.join(" "));
                structs.push(name);
            }
        }
        self.memory.declare(&mut c);
        for index in 0..module.functions.len() as u32 {
            let _ = writeln!(c, "{};", self.prototype(index, false));
        }
        c.push('\n');
        if self.direct().is_some() {
            self.objects(&mut c, options);
        } else {
            self.segments(&mut c);
        }
        for (index, global) in module.globals.iter().enumerate() {
            let name = &self.globals[index];
            let is_stack = self.direct().is_some() && self.stack_pointer == Some(index as u32);
            let init = if is_stack {
                "(uint32_t)(uintptr_t)stack + sizeof stack".to_owned()
            } else {
                self.constant(global.init)
            };
            let kind = if global.mutable { "WASM_STATE" } else { "WASM_UNUSED static const" };
            let _ = writeln!(c, "{kind} {} {name} = {init};", c_type(global.ty));
        }
        c.push('\n');
        if self.direct().is_none() {
            self.table(&mut c)?;
        }
        for (body, index) in module.bodies.iter().zip(imported as u32..) {
            c.push_str(&func::translate(self, index, body)?);
            c.push('\n');
        }
        let init = self.start(&mut c);
        let interface = self.interface(imported, init);
        let unit = CUnit { file_name: "module.c".into(), source: c };
        Ok(Translation { unit, interface })
    }

    /// Data segments of a linear memory, without their zero tails.
    fn segments(&self, c: &mut String) {
        for (index, data) in self.module.data.iter().enumerate() {
            let passive = data.offset.is_none();
            let zeros =
                if passive { 0 } else { data.bytes.iter().rev().take_while(|byte| **byte == 0).count() };
            let bytes = &data.bytes[..data.bytes.len() - zeros];
            if bytes.is_empty() && !passive {
                continue;
            }
            let _ = writeln!(c, "static const uint8_t data{index}[{}] = {{", bytes.len().max(1));
            rows(c, bytes.iter().map(|byte| byte.to_string()), 24);
            c.push_str("};\n");
            if passive {
                let _ = writeln!(c, "WASM_STATE uint32_t data{index}_bytes = {}u;", bytes.len());
            }
        }
        c.push('\n');
    }

    /// The objects of a program whose addresses are the machine's.
    fn objects(&self, c: &mut String, options: &Options) {
        let Some(relocations) = self.direct() else { return };
        let stack = options.stack.unwrap_or(STACK);
        if self.stack_pointer.is_some() {
            let _ = writeln!(c, "WASM_STATE uint8_t stack[{stack}] __attribute__((aligned(16)));");
        }
        let read_only = |object: usize| {
            relocations.segments[relocations.objects[object].segment as usize].name.starts_with(".rodata")
        };
        let words: Vec<u32> = relocations.objects.iter().map(|object| object.size.div_ceil(4)).collect();
        let kind = |object: usize| if read_only(object) { "static const" } else { "WASM_STATE" };
        let shape = |object: usize| {
            let at = &relocations.objects[object];
            format!(
                "{} {}[{}]",
                if self.by_words(object) { "uint32_t" } else { "uint8_t" },
                self.objects[object],
                if self.by_words(object) { words[object].max(1) } else { at.size.max(1) }
            )
        };
        for object in 0..relocations.objects.len() {
            let declared = if kind(object) == "static const" { "static const" } else { "WASM_STATE_DECLARE" };
            let _ = writeln!(c, "{declared} {};", shape(object));
        }
        c.push('\n');
        for (index, object) in relocations.objects.iter().enumerate() {
            let segment = &self.module.data[object.segment as usize];
            let bytes = &segment.bytes[object.offset as usize..(object.offset + object.size) as usize];
            let align = object.align.max(1);
            let _ = write!(c, "{} {} __attribute__((aligned({align})))", kind(index), shape(index));
            let references: Vec<(u32, Reference)> =
                relocations.in_data(object.segment, object.offset..object.offset + object.size).collect();
            if !read_only(index) && references.is_empty() && bytes.iter().all(|byte| *byte == 0) {
                c.push_str(";\n");
                continue;
            }
            c.push_str(" = {\n");
            if self.by_words(index) {
                let items = bytes.chunks(4).zip(0u32..).map(|(chunk, word)| {
                    let at = object.offset + 4 * word;
                    if let Some((_, reference)) = references.iter().find(|(offset, _)| *offset == at) {
                        return self.reference(*reference);
                    }
                    let mut padded = [0; 4];
                    padded[..chunk.len()].copy_from_slice(chunk);
                    format!("{:#x}u", u32::from_le_bytes(padded))
                });
                rows(c, items, 6);
            } else {
                rows(c, bytes.iter().map(|byte| byte.to_string()), 24);
            }
            c.push_str("};\n");
        }
        c.push('\n');
    }

    /// Whether an object holds addresses, and so is an array of words.
    fn by_words(&self, object: usize) -> bool {
        let Some(relocations) = self.direct() else { return false };
        let object = &relocations.objects[object];
        relocations.in_data(object.segment, object.offset..object.offset + object.size).next().is_some()
    }

    fn table(&self, c: &mut String) -> Result<()> {
        let size = self.table_size() as usize;
        if size == 0 {
            return Ok(());
        }
        let mut entries: Vec<Option<u32>> = vec![None; size];
        for element in &self.module.elements {
            let Constant::I32(offset) = element.offset else {
                return Err(unsupported(self.name, None, 0, "an element segment at this offset"));
            };
            for (slot, function) in (offset as usize..).zip(&element.functions) {
                match entries.get_mut(slot) {
                    Some(entry) => *entry = *function,
                    None => {
                        return Err(Diagnostic::new(
                            "invalid-wasm",
                            "an element segment does not fit its table",
                        )
                        .at(place(self.name, None, 0)));
                    }
                }
            }
        }
        let _ = writeln!(c, "static const wasm_funcref_t table[{size}] = {{");
        for entry in &entries {
            match entry {
                None => c.push_str("    {0, 0},\n"),
                Some(index) => {
                    let ty = &self.module.functions[*index as usize].ty;
                    let _ = writeln!(
                        c,
                        "    {{{}, (wasm_function_t){}}},",
                        1 + self.type_id(ty),
                        self.functions[*index as usize]
                    );
                }
            }
        }
        c.push_str("};\n\n");
        Ok(())
    }

    /// The function that runs when the module starts, when there is something to do.
    fn start(&self, c: &mut String) -> Option<String> {
        let mut text = String::new();
        self.memory.start(&mut text, self.module);
        if let Some(start) = self.module.start {
            let _ = writeln!(text, "{}();", self.functions[start as usize]);
        }
        if text.is_empty() {
            return None;
        }
        let _ = write!(c, "static void start(void) {{\n{}}}\n", indent(&text));
        Some("start".to_owned())
    }

    fn interface(&self, imported: usize, init: Option<String>) -> Interface {
        let module = self.module;
        let exports = module.exports.iter().map(|(name, index)| {
            let ty = module.functions[*index as usize].ty.clone();
            let result_type = self.result_type(&ty);
            ExportedFunc {
                name: name.clone(),
                c_name: self.functions[*index as usize].clone(),
                ty,
                result_type,
            }
        });
        let imports = module.functions[..imported].iter().zip(&self.functions).map(|(function, c_name)| {
            let (module, field) = function.import.clone().unwrap_or_default();
            let result_type = self.result_type(&function.ty);
            ImportedFunc { module, field, c_name: c_name.clone(), ty: function.ty.clone(), result_type }
        });
        let stack_pointer = self.stack_pointer.and_then(|index| match module.globals[index as usize].init {
            Constant::I32(value) => Some((self.globals[index as usize].clone(), value)),
            _ => None,
        });
        let memory = match self.memory {
            Memory::None => None,
            Memory::Direct => Some(MemoryInfo { base: "(uint8_t *)0".into(), size: self.memory.bytes() }),
            _ => Some(MemoryInfo { base: "memory".into(), size: self.memory.bytes() }),
        };
        Interface { exports: exports.collect(), imports: imports.collect(), init, stack_pointer, memory }
    }
}

fn rows(c: &mut String, items: impl Iterator<Item = String>, per_row: usize) {
    let items: Vec<String> = items.collect();
    if items.is_empty() {
        c.push_str("    0,\n");
    }
    for row in items.chunks(per_row) {
        let _ = writeln!(c, "    {},", row.join(", "));
    }
}
