//! Relocations as data: the formula that computes a value ([`Formula`]), the field that contains it ([`Field`]), and the row
//! that assigns both to a relocation type of the psABI ([`Row`]). Architectures differ in their tables of rows.

/// The address that a PC-relative distance counts from. P is the address of the field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pc {
    /// P.
    Here,
    /// P + 3, rounded down to a word: `l32r` of Xtensa.
    WordUp,
    /// P rounded down to a word, plus 4: `call*` of Xtensa.
    WordAfter,
    /// P + 4: `j` and the branches of Xtensa.
    After4,
}

impl Pc {
    /// The address that distances count from.
    pub fn of(self, place: i64) -> i64 {
        match self {
            Pc::Here => place,
            Pc::WordUp => place.wrapping_add(3) & !3,
            Pc::WordAfter => (place & !3).wrapping_add(4),
            Pc::After4 => place.wrapping_add(4),
        }
    }
}

/// Why a relocation is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// It is for thread-local storage, which MicroPython does not have.
    Tls,
    /// It is for another instruction set of the same processor.
    ForeignCode,
    /// It is for the dynamic linker of an operating system.
    Dynamic,
}

/// What a relocation computes. The letters are those of the ELF specification: S is the symbol, A the addend, P the place,
/// G the offset of the symbol's entry in the GOT, GOT the address of the GOT, and Z the size of the symbol.
#[derive(Debug, Clone, Copy)]
pub enum Formula {
    /// Nothing: it is a mark for tools.
    None,
    /// S + A
    Absolute,
    /// S + A − P
    Relative(Pc),
    /// S + A − P of a jump, which is not executed if S is weak and undefined
    Jump(Pc),
    /// (S without the Thumb bit) + A − P
    ThumbBranch,
    /// GOT + G + A − P
    GotEntry,
    /// G + A
    GotOffset,
    /// GOT + A − P
    GotAddress,
    /// S + A − GOT
    FromGot,
    /// Z + A
    Size,
    /// field + S + A, one half of a difference of two symbols
    Add,
    /// field − (S + A), the other half
    Subtract,
    /// S + A as the start of a difference
    Set,
    /// The low part of the value of the relocation at S, which is for the high part
    LowOfPair,
    /// S + A, upper part of an absolute address
    High,
    /// S + A, lower part of an absolute address
    Low,
    /// A bytes of padding, some of which may have to be removed
    Align,
    /// The formula and the field depend on the instruction at P.
    ByInstruction(fn(&[u8]) -> Option<(Formula, &'static Field)>),
    /// It cannot be linked.
    Refuse(Refusal),
}

/// The values that a field can contain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Range {
    /// Signed numbers of so many bits.
    Signed(u8),
    /// Signed or unsigned numbers of so many bits: −2ⁿ⁻¹ to 2ⁿ − 1.
    Either(u8),
    /// From `low` to `high`.
    Between(i64, i64),
    /// Any number: the upper bits are dropped.
    Any,
}

impl Range {
    /// The smallest and the largest value.
    pub fn bounds(self) -> (i64, i64) {
        match self {
            Range::Any | Range::Signed(64) | Range::Either(64) => (i64::MIN, i64::MAX),
            Range::Signed(bits) => (-(1 << (bits - 1)), (1 << (bits - 1)) - 1),
            Range::Either(bits) => (-(1 << (bits - 1)), (1 << bits) - 1),
            Range::Between(low, high) => (low, high),
        }
    }

    /// The number in this range that `value` is modulo 2³², if the range contains such a number for every value. On a
    /// machine with 32-bit addresses, arithmetic on them wraps around, so both are the same address.
    pub fn wrap_32(self, value: i64) -> i64 {
        let (low, high) = self.bounds();
        if high.abs_diff(low) < u64::from(u32::MAX) || (low..=high).contains(&value) {
            return value;
        }
        low + value.wrapping_sub(low).rem_euclid(1 << 32)
    }
}

/// Consecutive bits of a value, and their position in a field.
#[derive(Debug, Clone, Copy)]
pub struct Bits {
    /// The lowest bit in the value.
    pub from: u8,
    pub count: u8,
    /// The lowest bit in the field, which is a little-endian number.
    pub to: u8,
    /// A number that is added to the value first: a high part is rounded, because the low part is sign-extended.
    pub round: u16,
}

/// `count` bits of the value from bit `from`, to bit `to` of the field.
pub const fn bits(from: u8, count: u8, to: u8) -> Bits {
    Bits { from, count, to, round: 0 }
}

/// The bits of an instruction or of data that contain a value.
#[derive(Debug)]
pub struct Field {
    /// The number of bytes that are read and written.
    pub bytes: u8,
    pub bits: &'static [Bits],
    pub range: Range,
    /// The value must be a multiple of this.
    pub align: u8,
    /// A transformation of the value that is its own inverse.
    pub swizzle: Option<fn(u64) -> u64>,
    /// The field that contains the addend of a REL section, if it is not this one.
    pub addend: Option<&'static Field>,
}

impl Field {
    /// A little-endian number of `bytes` bytes.
    pub const fn number(bytes: u8, bits: &'static [Bits], range: Range) -> Field {
        Field { bytes, bits, range, align: 1, swizzle: None, addend: None }
    }
}

pub static NOTHING: Field = Field::number(0, &[], Range::Any);
pub static U8: Field = Field::number(1, &[bits(0, 8, 0)], Range::Either(8));
pub static U16: Field = Field::number(2, &[bits(0, 16, 0)], Range::Either(16));
pub static U32: Field = Field::number(4, &[bits(0, 32, 0)], Range::Either(32));
pub static S8: Field = Field::number(1, &[bits(0, 8, 0)], Range::Signed(8));
pub static S16: Field = Field::number(2, &[bits(0, 16, 0)], Range::Signed(16));
pub static S32: Field = Field::number(4, &[bits(0, 32, 0)], Range::Signed(32));
pub static U64: Field = Field::number(8, &[bits(0, 64, 0)], Range::Any);

/// A relocation type of an architecture.
#[derive(Debug)]
pub struct Row {
    pub r_type: u32,
    pub name: &'static str,
    pub formula: Formula,
    pub field: &'static Field,
}

/// A row of an architecture's table.
pub const fn row(r_type: u32, name: &'static str, formula: Formula, field: &'static Field) -> Row {
    Row { r_type, name, formula, field }
}

/// Why a field cannot contain a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Misfit {
    OutOfRange,
    Misaligned,
    /// The field is beyond the end of its section.
    Truncated,
}

pub const fn mask(count: u8) -> u64 {
    if count >= 64 { u64::MAX } else { (1 << count) - 1 }
}

pub fn load(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |word, &byte| word << 8 | u64::from(byte))
}

impl Field {
    /// Writes `value` to the field at the start of `place`. All other bits keep their value.
    pub fn write(&self, place: &mut [u8], value: i64) -> Result<(), Misfit> {
        let place = place.get_mut(..usize::from(self.bytes)).ok_or(Misfit::Truncated)?;
        let (low, high) = self.range.bounds();
        if value < low || value > high {
            return Err(Misfit::OutOfRange);
        }
        if value.rem_euclid(i64::from(self.align)) != 0 {
            return Err(Misfit::Misaligned);
        }
        let value = self.swizzle.map_or(value as u64, |swizzle| swizzle(value as u64));
        let mut word = load(place);
        for part in self.bits {
            let piece = value.wrapping_add(u64::from(part.round)) >> part.from & mask(part.count);
            word = word & !(mask(part.count) << part.to) | piece << part.to;
        }
        for (at, byte) in place.iter_mut().enumerate() {
            *byte = (word >> (8 * at)) as u8;
        }
        Ok(())
    }

    /// Reads the value at the start of `place`: the addend of a REL section.
    pub fn read(&self, place: &[u8]) -> Option<i64> {
        if let Some(field) = self.addend {
            return field.read(place);
        }
        let word = load(place.get(..usize::from(self.bytes))?);
        let mut value = 0;
        let mut width = 0;
        for part in self.bits {
            value |= (word >> part.to & mask(part.count)) << part.from;
            width = width.max(part.from + part.count);
        }
        value = self.swizzle.map_or(value, |swizzle| swizzle(value));
        let unused = 64 - u32::from(width.clamp(1, 64));
        Some((value << unused) as i64 >> unused)
    }
}
