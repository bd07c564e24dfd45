//! The memory models: how an address becomes a C pointer. Nothing else knows them.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use target_specs::{Diagnostic, Place, Result};

use crate::interface::Growth;
use crate::ir::{Access, Check, Proof};
use crate::module::Memory as Declared;
use crate::options::{Options, Safety, WasmModule};
use crate::range::Range;
use crate::types::ValType;

/// An address in C.
pub(crate) struct Shown {
    pub text: String,
    /// It needs no parentheses.
    pub is_primary: bool,
}

impl Shown {
    /// As an operand of an operator.
    pub fn inner(&self) -> String {
        if self.is_primary { self.text.clone() } else { format!("({})", self.text) }
    }
}

/// What a function uses of memories: their first byte, and their size.
#[derive(Debug, Default)]
pub(crate) struct Uses {
    base: BTreeSet<String>,
    size: BTreeSet<String>,
}

/// A pointer to a cell.
pub(crate) struct Address {
    pub text: String,
    pub displacement: Displacement,
}

/// How far behind an address a cell lies.
pub(crate) enum Displacement {
    None,
    /// So many bytes behind an address of the machine.
    Machine(u64),
    /// So many bytes behind an index, which the text is, into an array of bytes.
    Array(String, u64),
}

impl Address {
    /// The cell, of the type `wasm_` and this, and of as many bytes, which lies at a multiple of `align`.
    pub fn cell(&self, cell: &str, bytes: u32, align: u32) -> String {
        let suffix = match align {
            _ if align >= bytes => "",
            // No more is known of what a vector's address is a multiple of where memory begins.
            4 | 8 => "_at4",
            2 => "_at2",
            _ => "_unaligned",
        };
        let whole = |offset: u64| offset.is_multiple_of(u64::from(align.min(bytes)));
        match &self.displacement {
            // Members, as sums would be taken for values of their own to keep across loops.
            Displacement::Machine(offset) if whole(*offset) => {
                format!("WASM_AT(wasm_{cell}{suffix}, {}, {offset})", self.text)
            }
            Displacement::Array(base, offset) if whole(*offset) => {
                format!("WASM_AT_INDEX(wasm_{cell}{suffix}, {base}, {}, {offset})", self.text)
            }
            Displacement::None => format!("*(wasm_{cell}{suffix} *){}", self.text),
            _ => format!("*(wasm_{cell}{suffix} *){}", self.pointer()),
        }
    }

    /// A pointer to the cell's first byte.
    pub fn pointer(&self) -> String {
        match &self.displacement {
            Displacement::None => self.text.clone(),
            Displacement::Machine(offset) => {
                format!("((uint8_t *)(uintptr_t)({}) + {offset}u)", self.text)
            }
            Displacement::Array(base, offset) => format!("({base} + {} + {offset}u)", self.text),
        }
    }
}

enum Model {
    /// An array of a fixed size. What begins inside may end up to `guard` bytes behind it: nobody counts on a
    /// trap there, or masking keeps it harmless.
    Static { bytes: u32, guard: u32 },
    /// A `wasm_memory_t`, whose block may move when it grows; `pointer` when it is another module's.
    Block { minimum: u32, maximum: u32, pointer: bool },
    /// No block at all: addresses are the machine's.
    Direct,
}

/// Bytes that a memory grows by when nobody counts its pages but the embedder's heap: those that its blocks are
/// aligned to.
const HEAP_PAGE: u64 = 8;

/// A memory of a module.
pub(crate) struct Memory {
    /// Its C name.
    pub name: String,
    model: Model,
    page: u32,
    safety: Safety,
    /// It is memory 0, which a shadow stack is in.
    first: bool,
    /// Bytes of the largest cell, which may begin at the last byte that a mask lets through.
    largest_cell: u32,
}

/// The most bytes that a memory or a table may have: no object in C is larger where pointers have 32 bits, as a
/// difference of pointers into it would not fit (C11, 6.5.6p9).
const MOST: u64 = i32::MAX as u64;

impl Memory {
    /// `name` is its C name; `shared` when other modules may import it.
    ///
    /// # Errors
    /// `memory-too-large`
    pub fn of(
        source: &WasmModule,
        index: usize,
        declared: &Declared,
        options: &Options,
        name: String,
        shared: bool,
    ) -> Result<Memory> {
        let mut page = declared.page;
        let exact = source.memory_bytes.filter(|_| index == 0).map(u64::from);
        let size = exact.unwrap_or(declared.minimum.saturating_mul(declared.page));
        // What the C declares.
        let declares = match options.safety {
            Safety::Masked => size.checked_next_power_of_two().unwrap_or(u64::MAX),
            Safety::Checked | Safety::Trusted => size,
        };
        let largest_cell = if declared.has_vectors { 16 } else { 8 };
        let guard = u64::from(declared.reach).max(largest_cell.into());
        let fits = declares.saturating_add(guard) <= MOST;
        if !fits && source.relocations.is_none() {
            return Err(too_large(&source.name, index, declares));
        }
        let bytes = size as u32;
        let block = |pointer| {
            let most = (MOST / declared.page).min(declared.maximum.unwrap_or(u64::MAX));
            Model::Block { minimum: bytes, maximum: most as u32, pointer }
        };
        let model = match exact {
            _ if source.relocations.is_some() => Model::Direct,
            _ if declared.import.is_some() => block(true),
            _ if shared => block(false),
            Some(_) if source.heap_grows => {
                page = HEAP_PAGE;
                Model::Block { minimum: bytes, maximum: (MOST / page) as u32, pointer: false }
            }
            None if index == 0 && source.heap_grows => block(false),
            Some(_) => {
                // The module was promised whole pages, so what lies behind the bytes it uses is still its memory.
                let promised = declared.minimum.saturating_mul(declared.page);
                let is_promised = |bytes: u32| u64::from(bytes) + u64::from(declared.reach) <= promised;
                let comparable =
                    bytes.next_multiple_of(1 << (u32::BITS - bytes.leading_zeros()).saturating_sub(8));
                let rounds =
                    options.for_speed && options.safety == Safety::Checked && options.modified_immediates;
                let bytes = if rounds && is_promised(comparable) { comparable } else { bytes };
                Model::Static { bytes, guard: if is_promised(bytes) { declared.reach } else { 0 } }
            }
            None if !declared.grows || declared.maximum == Some(declared.minimum) => {
                Model::Static { bytes, guard: 0 }
            }
            None => block(false),
        };
        let model = match model {
            Model::Static { bytes, .. } if options.safety == Safety::Masked => {
                Model::Static { bytes, guard: declared.reach }
            }
            other => other,
        };
        let (page, safety) = (page as u32, options.safety);
        Ok(Memory { name, model, page, safety, first: index == 0, largest_cell })
    }

    /// What is known of an address in this memory: a frame is in the first.
    fn range(&self, address: Range) -> Range {
        if address.is_frame() && !self.first { Range::ANY } else { address }
    }

    /// Whether it may grow.
    pub fn grows(&self) -> bool {
        matches!(self.model, Model::Block { .. })
    }

    /// How many bytes it always has.
    pub fn fixed_bytes(&self) -> Option<u32> {
        match self.model {
            Model::Static { bytes, .. } => Some(bytes),
            Model::Block { .. } | Model::Direct => None,
        }
    }

    /// The `wasm_memory_t *` of a block.
    pub fn pointer(&self) -> String {
        match self.model {
            Model::Block { pointer: true, .. } => self.name.clone(),
            _ => format!("&{}", self.name),
        }
    }

    fn member(&self, member: &str) -> String {
        match self.model {
            Model::Block { pointer: true, .. } => format!("{}->{member}", self.name),
            _ => format!("{}.{member}", self.name),
        }
    }

    /// How an access is kept inside that ends so far behind an address.
    pub fn check(&self, address: Range, end: u64) -> Check {
        let address = self.range(address);
        let trusted = self.safety == Safety::Trusted;
        match self.model {
            Model::Direct => Check::None(Proof::Direct),
            Model::Static { bytes, guard } if address.inside(end, bytes + guard) => {
                Check::None(address.proof())
            }
            Model::Block { minimum, .. } if address.inside(end, minimum) => Check::None(address.proof()),
            _ if end > 2 * u64::from(u32::MAX) => Check::Outside,
            Model::Block { .. } if end > u64::from(u32::MAX) => Check::Outside,
            _ if trusted => Check::None(Proof::Trusted),
            Model::Static { .. } if self.safety == Safety::Masked => Check::Mask,
            Model::Static { bytes, .. } if end > u64::from(bytes) && !self.guards(end) => Check::Outside,
            Model::Static { .. } | Model::Block { .. } => Check::Bounds,
        }
    }

    /// Whether what begins inside may end so far behind its address.
    fn guards(&self, end: u64) -> bool {
        matches!(self.model, Model::Static { bytes: 1.., guard } if end <= u64::from(guard))
    }

    /// A pointer to the cell of an access, whose address is `address`, or is so far behind that as
    /// [`Access::displaced`] says; `steady` in a function while which no memory can grow.
    pub fn at(&self, access: &Access, address: &Shown, steady: bool, uses: &mut Uses) -> Address {
        let (offset, end) = (access.offset, access.end());
        let whole = |text: String| Address { text, displacement: Displacement::None };
        let sum = || match offset {
            0 => address.text.clone(),
            _ => format!("{} + {offset}u", address.inner()),
        };
        let base = |uses: &mut Uses| match self.model {
            Model::Block { .. } if !steady => self.member("data"),
            _ => self.local_base(uses),
        };
        match access.check {
            Check::None(Proof::Direct) => match access.displaced() {
                Some((_, behind)) => {
                    Address { text: address.text.clone(), displacement: Displacement::Machine(behind) }
                }
                None => whole(format!("(uintptr_t)({})", sum())),
            },
            Check::None(proof) => {
                let name = base(uses);
                if access.address.ty == ValType::I64 {
                    return whole(format!("WASM_WIDE({name}, {})", sum()));
                }
                let is_static = matches!(self.model, Model::Static { .. }) && proof != Proof::Trusted;
                match (access.address.known(), access.displaced()) {
                    (Some(known), _) if is_static => {
                        whole(format!("({name} + {}u)", u64::from(known) + offset))
                    }
                    (_, Some((_, behind))) => {
                        Address { text: address.inner(), displacement: Displacement::Array(name, behind) }
                    }
                    _ if access.is_element => whole(format!("WASM_PLACE({name}, {})", sum())),
                    _ => whole(format!("({name} + ({}))", sum())),
                }
            }
            Check::Outside => whole(format!("wasm_outside({})", address.text)),
            Check::Mask => {
                let name = base(uses);
                let mask = self.least().unwrap_or_default().next_power_of_two() - 1;
                // An address that is good is below the mask, so fields of one structure share it.
                match (self.guards(end), access.is_near()) {
                    (true, true) => Address {
                        text: format!("({} & {mask:#x}u)", address.inner()),
                        displacement: Displacement::Array(name, offset),
                    },
                    (true, false) if offset > 0 => {
                        whole(format!("({name} + {offset}u + ({} & {mask:#x}u))", address.inner()))
                    }
                    _ => whole(format!("({name} + (({}) & {mask:#x}u))", sum())),
                }
            }
            Check::Bounds => {
                let name = base(uses);
                let size = match self.model {
                    Model::Static { bytes, .. } => {
                        let last = u64::from(bytes) - if self.guards(end) { 1 } else { end };
                        let text = &address.text;
                        return match access.is_near() {
                            true => Address {
                                text: format!("wasm_inside({text}, {last}u)"),
                                displacement: Displacement::Array(name, offset),
                            },
                            false => whole(format!("wasm_cell({name}, {text}, {offset}u, {last}u)")),
                        };
                    }
                    _ if steady => self.local_size(uses),
                    _ => self.member("bytes"),
                };
                // It is never smaller than at first.
                whole(match end <= self.at_first() {
                    true => format!("wasm_cell({name}, {}, {offset}u, {size} - {end}u)", address.text),
                    false => format!("wasm_cell_of({name}, {size}, {}, {offset}u, {end}u)", address.text),
                })
            }
        }
    }

    /// Its bytes when the module starts, which are the fewest that it ever has.
    fn at_first(&self) -> u64 {
        match self.model {
            Model::Static { bytes, .. } | Model::Block { minimum: bytes, .. } => bytes.into(),
            Model::Direct => 0,
        }
    }

    /// What is known of an address once an access has used it. Where nobody checks, the module promises that it is inside.
    pub fn accessed(&self, check: Check, end: u64) -> Range {
        let last = match (&self.model, check) {
            (Model::Static { bytes, .. }, Check::Bounds) if self.guards(end) => u64::from(*bytes) - 1,
            (Model::Static { bytes, .. }, Check::Bounds) => u64::from(*bytes) - end,
            (Model::Static { bytes, guard }, Check::None(Proof::Trusted)) => {
                (u64::from(*bytes) + u64::from(*guard)).saturating_sub(end)
            }
            (Model::Block { .. }, Check::Bounds) => MOST.saturating_sub(end),
            _ => return Range::ANY,
        };
        u32::try_from(last).map_or(Range::ANY, Range::to)
    }

    /// `memory.size`.
    pub fn size(&self) -> String {
        match &self.model {
            Model::Static { bytes, .. } => format!("{}u", bytes.div_ceil(self.page)),
            Model::Block { .. } => format!("({} / {}u)", self.member("bytes"), self.page),
            Model::Direct => "0u".into(),
        }
    }

    /// `memory.grow`.
    pub fn grow(&self, pages: &str) -> String {
        match self.model {
            Model::Static { .. } => format!("({pages}) == 0 ? {} : (-1u)", self.size()),
            Model::Block { .. } => format!("wasm_memory_more({}, {pages}, {}u)", self.pointer(), self.page),
            Model::Direct => format!("((void)({pages}), (-1u))"),
        }
    }

    /// Whether so many bytes from an address need no check.
    pub fn check_block(&self, address: Range, length: Option<u32>) -> Check {
        let size = match self.model {
            Model::Direct => return Check::None(Proof::Direct),
            Model::Static { bytes, .. } => bytes,
            Model::Block { minimum, .. } => minimum,
        };
        let address = self.range(address);
        // C's functions want a pointer even to no bytes, which a block without any has not.
        match length {
            Some(length @ 1..) if address.inside(length.into(), size) => Check::None(address.proof()),
            _ => Check::Bounds,
        }
    }

    /// A pointer to what is at an address, which needs no check.
    pub fn block(&self, address: &str, uses: &mut Uses) -> String {
        match self.model {
            Model::Direct => format!("(void *)(uintptr_t){address}"),
            _ => format!("{} + {address}", self.begin(uses)),
        }
    }

    /// Its first byte.
    pub fn base(&self) -> String {
        match self.model {
            Model::Static { .. } => self.name.clone(),
            Model::Block { .. } => self.member("data"),
            Model::Direct => "(uint8_t *)0".into(),
        }
    }

    /// Its first byte, in a function's body.
    pub fn begin(&self, uses: &mut Uses) -> String {
        match self.model {
            Model::Static { .. } => self.local_base(uses),
            _ => self.base(),
        }
    }

    fn local_base(&self, uses: &mut Uses) -> String {
        uses.base.insert(self.name.clone());
        format!("{}_base", self.name)
    }

    fn local_size(&self, uses: &mut Uses) -> String {
        uses.size.insert(self.name.clone());
        format!("{}_size", self.name)
    }

    /// The declarations of what a function uses of it.
    pub fn declare_uses(&self, uses: &Uses, has_loops: bool) -> Vec<String> {
        let base = match self.model {
            Model::Direct => return Vec::new(),
            // A loop is better off with the address in a register than with a constant behind every sum.
            Model::Static { .. } if has_loops => format!("wasm_base({})", self.name),
            Model::Static { .. } => self.name.clone(),
            Model::Block { .. } => self.member("data"),
        };
        let name = &self.name;
        let declare = |used: &BTreeSet<String>, text: String| used.contains(name).then_some(text);
        let base = declare(&uses.base, format!("WASM_UNUSED uint8_t *const {name}_base = {base};"));
        let size = format!("WASM_UNUSED uint32_t const {name}_size = {};", self.member("bytes"));
        base.into_iter().chain(declare(&uses.size, size)).collect()
    }

    /// Its current size in bytes.
    pub fn bytes(&self) -> String {
        match &self.model {
            Model::Static { bytes, .. } => format!("{bytes}u"),
            Model::Block { .. } => self.member("bytes"),
            Model::Direct => "0xffffffffu".into(),
        }
    }

    /// Whether a segment of `length` bytes at `offset` surely fits.
    pub fn holds(&self, offset: u32, length: usize) -> bool {
        match self.model {
            Model::Static { bytes: size, .. } | Model::Block { minimum: size, pointer: false, .. } => {
                u64::from(offset) + length as u64 <= u64::from(size)
            }
            _ => false,
        }
    }

    /// The bytes that it has at least, when it is the module's own.
    pub fn least(&self) -> Option<u64> {
        match self.model {
            Model::Static { bytes, .. } | Model::Block { minimum: bytes, pointer: false, .. } => {
                Some(bytes.into())
            }
            _ => None,
        }
    }

    /// Bytes that it takes from the embedder when the module starts.
    pub fn heap_bytes(&self) -> u64 {
        match self.model {
            Model::Block { minimum, pointer: false, .. } => minimum.into(),
            _ => 0,
        }
    }

    /// Bytes that lie in `.bss`.
    pub fn static_bytes(&self) -> u64 {
        match self.model {
            Model::Static { bytes, .. } => bytes.into(),
            _ => 0,
        }
    }

    /// The object that it is in C: its type, and the number of elements of an array.
    pub fn object(&self) -> Option<(&'static str, Option<u32>)> {
        match self.model {
            Model::Direct => None,
            Model::Static { bytes, guard } => {
                let bytes = if self.safety == Safety::Masked {
                    // Masked accesses reach past the mask by a cell at least.
                    bytes.next_power_of_two() + guard.max(self.largest_cell)
                } else {
                    (bytes + guard).max(1)
                };
                Some(("uint8_t", Some(bytes)))
            }
            Model::Block { pointer: true, .. } => Some(("wasm_memory_t *", None)),
            Model::Block { .. } => Some(("wasm_memory_t", None)),
        }
    }

    /// How it grows, when it is the module's own.
    pub fn growth(&self) -> Option<Growth> {
        match self.model {
            Model::Block { pointer: false, minimum, .. } => {
                Some(Growth { lvalue: self.name.clone(), page: self.page, minimum })
            }
            _ => None,
        }
    }

    /// The statement that makes it when the module starts.
    pub fn start(&self, c: &mut String) {
        if let Model::Block { minimum, maximum, pointer: false } = self.model {
            let _ = writeln!(c, "wasm_memory_new(&{}, {minimum}u, {maximum}u);", self.name);
        }
    }
}

fn too_large(module: &str, memory: usize, bytes: u64) -> Diagnostic {
    let message = format!("memory {memory} takes {bytes} bytes, and no target has room for more than {MOST}");
    Diagnostic::new("memory-too-large", message)
        .at(Place::Wasm { module: module.to_owned(), function: None, offset: None })
        .help("declare no more than the module uses")
}
