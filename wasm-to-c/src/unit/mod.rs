//! The translation unit around the functions: types, memory, tables, data, start.

mod block;
mod data;
mod functions;
mod globals;
mod interface;
mod rows;
mod state;
mod tables;
mod write;

use std::cell::{OnceCell, RefCell};
use std::collections::{BTreeSet, HashMap, HashSet};

use block::Block;
use target_specs::Result;
use wasmparser::ExternalKind;

use crate::callgraph::{CallGraph, Calls};
use crate::ir::{Access, Check};
use crate::memory::{Address, Displacement, Memory, Shown, Uses};
use crate::module::{Constant, Module, Place};
use crate::names::{Names, literal};
use crate::options::{CodePlace, Options, Safety, SourceLine, SourceLines, StackSize, WasmModule};
use crate::range::Range;
use crate::relocs::{DataObject, Reference, Relocations};
use crate::shadow_stack::{self, ShadowStack, StackUse};
use crate::stack_checks::StackChecks;
use crate::stack_need::{self, RED_ZONE, StackNeed};

/// Everything the functions of a module have in common.
pub(crate) struct Unit<'m> {
    pub name: &'m str,
    pub module: &'m Module<'m>,
    pub memories: Vec<Memory>,
    /// Functions while which a memory may grow.
    moves: Vec<bool>,
    /// C names of the tables.
    pub tables: Vec<String>,
    /// Tables that never change and are only called through.
    fixed: Vec<bool>,
    /// C names.
    pub functions: Vec<String>,
    pub globals: Vec<String>,
    objects: Vec<String>,
    /// Objects that stay in flash, [`Options::flash_tables`].
    in_flash: Vec<bool>,
    /// Objects that functions refer to.
    used: RefCell<BTreeSet<usize>>,
    /// By object, whether something refers to it. Known once functions are written.
    live: OnceCell<Vec<bool>>,
    /// Where the code is, the state if it is one block, and the objects in that.
    code: CodePlace,
    block: Option<RefCell<Block>>,
    in_block: Vec<bool>,
    /// Given, addresses are the machine's.
    relocations: Option<&'m Relocations>,
    heap_base: Option<u32>,
    heap_reserve: u32,
    /// Alignment hints tell the truth.
    hints: bool,
    /// The shadow stack's pointer, and that where some function uses it in the C.
    stack_global: Option<u32>,
    stack_pointer: Option<u32>,
    /// The shadow stack, where frames on it make checks unnecessary.
    pub shadow_stack: Option<ShadowStack>,
    /// How large the shadow stack is.
    pub(super) need: Option<StackNeed>,
    /// The bytes of it that calls use at most, if that suffices whatever runs.
    pub depth: Option<u32>,
    /// By function that is not imported, its frame where that lies on the machine's stack instead.
    pub native_frames: Vec<Option<shadow_stack::Frame>>,
    /// The first name that a function is exported by.
    exported: HashMap<u32, &'m str>,
    /// Modules that share functions number their types alike.
    linkable: bool,
    pub trap_names: bool,
    /// The C is compiled for speed, and may be larger for that.
    pub is_for_speed: bool,
    /// The machine's addresses have 64 bits.
    pub has_wide_addresses: bool,
    /// The machine compares in one instruction, and branches in the next.
    pub has_condition_flags: bool,
    /// Functions of which there are references.
    referenced: RefCell<BTreeSet<u32>>,
    /// Functions that may call themselves again.
    recursive: Vec<bool>,
    stack_checks: Option<StackChecks>,
    /// Segments of memory 0 by their address and size.
    placed_data: HashMap<(u32, usize), usize>,
    /// Functions with loops, and called from outside.
    looping_exports: Vec<bool>,
    calls: CallGraph,
    /// C names of the tags.
    tags: Vec<String>,
    /// Functions after whose call an exception may wait, and whether that is so after indirect calls.
    pub throws: Vec<bool>,
    pub throws_indirect: bool,
    /// The embedder asks what was caught.
    pub keeps_caught: bool,
    lines: Option<&'m SourceLines>,
}

/// Bytes of a table's element where pointers have 32 bits: the function and its type.
const TABLE_ELEMENT: u64 = 8;
/// The C name of the shadow stack when addresses are the machine's.
const SHADOW_STACK: &str = "shadow_stack";
/// Handlers of interrupts that interrupt one another, at most: no architecture of MicroPython has more priorities in use.
const INTERRUPTS: u32 = 16;
/// Frames of so many bytes lie on the machine's stack when addresses are the machine's: it costs less, and is no more
/// than a compiler takes for a function unasked.
const LOCAL_FRAME: u32 = 64;

impl<'m> Unit<'m> {
    /// # Errors
    /// `memory-too-large`
    pub fn new(source: &'m WasmModule, module: &'m Module<'m>, options: &Options) -> Result<Unit<'m>> {
        let mut names = Names::default();
        let taken =
            ["start", SHADOW_STACK, "wasm_thrown", "wasm_caught", "wasm_stack_limit", "wasm_flash_table"];
        for taken in taken {
            names.unique("", taken);
        }
        // Members of the block are macros, whose names must be nothing else's.
        let own = if options.code.has_state_block() { "m_" } else { "" };
        let mut exported: HashMap<u32, &str> = HashMap::new();
        for (name, _, index) in module.exports.iter().filter(|(_, kind, _)| *kind == ExternalKind::Func) {
            exported.entry(*index).or_insert(name);
        }
        let functions = (0..).zip(&module.functions).map(|(index, function)| {
            let prefix = if function.import.is_some() { "import_" } else { "f_" };
            let import = function.import.as_ref().map(|(module, field)| format!("{module}_{field}"));
            let own = || exported.get(&index).copied().or(function.name.as_deref()).map(str::to_owned);
            names.unique(prefix, &import.or_else(own).unwrap_or_else(|| index.to_string()))
        });
        let functions: Vec<String> = functions.collect();
        let globals = module.globals.iter().enumerate().map(|(index, global)| match &global.import {
            Some((module, field)) => names.unique("import_", &format!("{module}_{field}")),
            None => names.unique("g_", global.name.as_deref().unwrap_or(&index.to_string())),
        });
        let globals: Vec<String> = globals.collect();
        let stack_global = module
            .globals
            .iter()
            .position(|global| global.name.as_deref() == Some("__stack_pointer"))
            .map(|i| i as u32);
        let relocations = source.relocations.as_ref();
        let objects = relocations.map_or(&[][..], |r| &r.objects);
        let is_in_flash = |(index, object): (usize, &DataObject)| {
            let large = options.flash_tables.is_some_and(|least| object.size >= least.max(1));
            large && relocations.is_some_and(|r| r.is_read_only(index) && r.in_object(index).next().is_none())
        };
        let in_flash = objects.iter().enumerate().map(is_in_flash).collect();
        let in_block = match relocations.filter(|_| options.code.has_state_block()) {
            Some(relocations) => block::in_block(relocations, options.code),
            None => vec![false; objects.len()],
        };
        let objects = objects.iter().map(|object| names.unique("d_", &object.name)).collect();
        let shared = |kind: ExternalKind, index: usize| {
            options.linkable && module.exports.iter().any(|(_, k, i)| *k == kind && *i as usize == index)
        };
        let memories = module.memories.iter().enumerate().map(|(index, memory)| {
            let name = names.unique(own, "memory");
            Memory::of(source, index, memory, options, name, shared(ExternalKind::Memory, index))
        });
        let memories: Vec<Memory> = memories.collect::<Result<_>>()?;
        let tables: Vec<String> = module.tables.iter().map(|_| names.unique(own, "table")).collect();
        let fixed = module.tables.iter().enumerate().map(|(index, table)| {
            !table.accessed
                && table.import.is_none()
                && table.init == Constant::Null
                && !shared(ExternalKind::Table, index)
                && module.elements.iter().all(|element| match &element.place {
                    Place::Active { index: at, offset } => {
                        *at as usize != index
                            || (matches!(offset, Constant::I32(at) if u64::from(*at) + element.items.len() as u64 <= u64::from(table.minimum))
                                && element.items.iter().all(|i| matches!(i, Constant::Function(_) | Constant::Null)))
                    }
                    _ => true,
                })
        });
        let fixed = fixed.collect();
        let shown = module.exports.iter().filter(|(_, kind, _)| *kind == ExternalKind::Global);
        let shown: HashSet<u32> = shown.map(|(_, _, index)| *index).collect();
        let shadow_stack = match memories.first().and_then(Memory::least) {
            Some(bytes) if relocations.is_none() && options.safety != Safety::Trusted => {
                ShadowStack::find(module, bytes, |index| !shown.contains(&index))
            }
            _ => None,
        };
        // A name is enough where it takes no check away.
        let is_stack = |index: &u32| {
            let global = &module.globals[*index as usize];
            matches!(global.init, Constant::I32(_))
                && (global.mutable && global.import.is_none() && !shown.contains(index))
        };
        let stack_global = match shadow_stack {
            Some(stack) => Some(stack.pointer),
            None => stack_global.filter(is_stack),
        };
        let uses = |body| stack_global.map_or(StackUse::Nothing, |pointer| StackUse::of(body, pointer));
        let uses: Vec<StackUse> = module.bodies.iter().map(uses).collect();
        // A frame that catches an exception puts back the pointer of those below it.
        let may_be_local = relocations.is_some() && stack_global.is_some() && module.tags.is_empty();
        let native_frames = uses.iter().map(|uses| match uses {
            StackUse::Frame(frame) if may_be_local && frame.size <= LOCAL_FRAME => Some(*frame),
            _ => None,
        });
        let native_frames: Vec<Option<shadow_stack::Frame>> = native_frames.collect();
        let stack_pointer = stack_global.filter(|_| {
            !may_be_local
                || uses
                    .iter()
                    .zip(&native_frames)
                    .any(|(uses, local)| *uses != StackUse::Nothing && local.is_none())
        });
        let calls = Calls::of(module);
        let graph = calls.graph(module);
        // What Python runs in the middle of a call may call the module again, at any depth.
        let alone = module.imported() == 0 && !options.linkable;
        let need = stack_global.map(|pointer| {
            let own = module.bodies.iter().zip(&native_frames).map(|(body, native)| {
                let (bytes, returns) = shadow_stack::bytes(body, pointer);
                stack_need::Frame { bytes: if native.is_some() { Some(0) } else { bytes }, returns }
            });
            let imported = stack_need::Frame { bytes: Some(0), returns: true };
            let frames: Vec<_> = vec![imported; module.imported()].into_iter().chain(own).collect();
            let size = match (module.globals[pointer as usize].init.clone(), options.stack) {
                (_, Some(StackSize::Fixed(size))) => Some(size),
                (Constant::I32(top), _) if relocations.is_none() => Some(top),
                _ => None,
            };
            StackNeed::of(module, &graph, &frames, size, options)
        });
        let most = match shadow_stack {
            // Each handler of interrupts that calls the module while it runs begins where the calls before it are.
            Some(stack) if module.tags.is_empty() => Some(stack.top / (1 + INTERRUPTS)),
            Some(_) => None,
            // What rustc and its linker made is no sandbox: this believes that frames are given back. One such handler.
            None => need.as_ref().filter(|_| relocations.is_some()).map(|need| need.size / 2),
        };
        let bound = need.as_ref().filter(|_| alone).and_then(|need| need.bound);
        let depth = bound.filter(|bound| most.is_some_and(|most| *bound <= most));
        // Another module's exceptions pass, and Python's where the embedder makes them such.
        let imports = module.functions.iter().map_while(|function| function.import.as_ref());
        let throws = calls.throwing(imports.map(|(from, name)| {
            options.linkable || options.throwing.is_some_and(|throws| throws(from, name))
        }));
        let mut looping_exports = vec![false; functions.len()];
        for (_, _, index) in module.exports.iter().filter(|(_, kind, _)| *kind == ExternalKind::Func) {
            looping_exports[*index as usize] = calls.loops[*index as usize];
        }
        let mut placed_data = HashMap::new();
        for (index, data) in module.data.iter().enumerate() {
            if let Place::Active { index: 0, offset: Constant::I32(at) } = data.place {
                placed_data.entry((at, data.bytes.len())).or_insert(index);
            }
        }
        Ok(Unit {
            name: &source.name,
            module,
            placed_data,
            memories,
            moves: calls.moving(module.imported()),
            tables,
            fixed,
            functions,
            globals,
            objects,
            in_flash,
            used: RefCell::default(),
            live: OnceCell::new(),
            block: options.code.has_state_block().then(RefCell::default),
            code: options.code,
            in_block,
            relocations,
            heap_base: source.heap_base,
            heap_reserve: source.heap_reserve,
            hints: options.aligned || relocations.is_some() || options.safety == Safety::Trusted,
            stack_global,
            stack_pointer,
            shadow_stack,
            need,
            depth,
            native_frames,
            exported,
            linkable: options.linkable,
            trap_names: options.trap_names,
            is_for_speed: options.for_speed,
            has_wide_addresses: options.wide_addresses && relocations.is_none(),
            has_condition_flags: options.condition_flags,
            referenced: RefCell::default(),
            recursive: calls.recursive(),
            stack_checks: options.stack_checks.clone(),
            looping_exports,
            calls: graph,
            tags: module.tags.iter().map(|_| names.unique(own, "tag")).collect(),
            throws_indirect: throws.contains(&true),
            throws,
            keeps_caught: options.throwing.is_some(),
            lines: source.lines.as_ref(),
        })
    }

    /// Whether it is known which lines operators are from.
    pub fn has_lines(&self) -> bool {
        self.lines.is_some()
    }

    /// The line of the source that the operator at an offset of the module is from.
    pub fn line(&self, offset: usize) -> Option<SourceLine> {
        self.lines?.at(offset)
    }

    /// The directive that gives the next line of the C the place of a line of the source (C11, 6.10.4).
    pub fn line_directive(&self, line: SourceLine) -> Option<String> {
        let path = self.lines?.files.get(line.file)?;
        Some(format!("#line {} {}\n", line.line, literal(path)))
    }

    /// Whether addresses are native.
    pub fn is_direct(&self) -> bool {
        self.relocations.is_some()
    }

    /// A function's frame, if that is on the native stack.
    pub fn native_frame(&self, index: u32) -> Option<shadow_stack::Frame> {
        self.native_frames[index as usize - self.module.imported()]
    }

    /// Whether a call of a function may come back to it.
    pub fn recursive(&self, index: u32) -> bool {
        self.recursive[index as usize]
    }

    /// Whether a function checks the machine's stack.
    pub fn checks_stack(&self, index: u32) -> bool {
        self.recursive(index) || self.stack_checks.as_ref().is_some_and(|checks| checks.has(index))
    }

    /// The size of a frame that is checked before it is made.
    pub fn large_frame(&self, index: u32) -> Option<u32> {
        self.stack_checks.as_ref()?.large(index)
    }

    /// Whether a function must not be inlined, so that its frame is measured.
    pub(super) fn is_not_inlined(&self, index: u32) -> bool {
        let Some(checks) = &self.stack_checks else { return false };
        let from_outside = self.exported.contains_key(&index) || self.module.start == Some(index);
        !checks.may_inline(index, from_outside)
    }

    /// Whether a global is the pointer of a shadow stack that is the machine's memory.
    pub fn is_direct_stack(&self, global: u32) -> bool {
        self.relocations.is_some() && self.stack_global == Some(global)
    }

    /// A statement that catches an overflow of such a stack before `value` becomes its pointer.
    pub fn stack_check(&self, value: &str) -> Option<String> {
        self.depth.is_none().then(|| {
            // Signed, so that a frame larger than the address of the stack is caught as well.
            format!(
                "if ((int32_t)({value} - (uint32_t)(uintptr_t)({SHADOW_STACK} + {RED_ZONE})) < 0) wasm_trap(WASM_TRAP_SHADOW_STACK_OVERFLOW);"
            )
        })
    }

    /// What an `i32.const` or an offset is the address of.
    pub fn address_constant(&self, value: u32) -> Option<Reference> {
        self.relocations?.of_constant(value)
    }

    /// How an access is kept inside its memory, whose address is in a range.
    pub fn check(&self, access: &Access, address: Range) -> Check {
        self.memories[access.memory as usize].check(address, access.end())
    }

    /// Whether so many bytes from an address are kept inside a memory.
    pub fn check_block(&self, memory: u32, address: Range, length: Option<u32>) -> Check {
        self.memories[memory as usize].check_block(address, length)
    }

    /// What is known of the address of an access once that was made.
    pub fn accessed(&self, access: &Access) -> Range {
        self.memories[access.memory as usize].accessed(access.check, access.end())
    }

    /// The cell that a load or store accesses in the function `index`.
    pub fn place(&self, access: &Access, address: &Shown, index: u32, uses: &mut Uses) -> Address {
        if let Some(base) = access.base {
            let base = self.reference(base);
            let text = match access.address.known() {
                Some(0) => format!("(uintptr_t)({base})"),
                _ => format!("(uintptr_t)({} + {base})", address.inner()),
            };
            return Address { text, displacement: Displacement::None };
        }
        let steady = !self.moves[index as usize];
        self.memories[access.memory as usize].at(access, address, steady, uses)
    }

    /// Whether an access lies as its alignment hint says.
    pub fn is_aligned(&self, access: &Access) -> bool {
        let known = access.address.known().map(|known| u64::from(known) + access.offset);
        self.hints || known.is_some_and(|at| at.is_multiple_of(access.cell.bytes().into()))
    }

    pub(super) fn any_stack_check(&self) -> bool {
        self.recursive.contains(&true) || self.stack_checks.as_ref().is_some_and(|checks| !checks.is_empty())
    }
}
