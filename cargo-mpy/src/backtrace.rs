//! Who called a function of a module, from the registers and the stack of a processor that stopped there (DWARF 5, 6.4 Call
//! Frame Information).

use std::collections::BTreeMap;

use gimli::{CfaRule, DebugFrame, EndianSlice, LittleEndian, Register, RegisterRule, UnwindSection as _};
use target_specs::Result;

use crate::symbols::Symbols;

/// More frames than these are not shown.
const MOST: usize = 64;

/// A processor that stopped in a module.
#[derive(Debug, Default)]
pub struct Stopped {
    /// The address of the module's text.
    pub base: u64,
    /// The address of the instruction.
    pub pc: u64,
    /// The registers, by their numbers in DWARF.
    pub registers: BTreeMap<u16, u64>,
    /// The number of the stack pointer.
    pub stack_pointer: u16,
    /// Words of the stack, by address.
    pub stack: BTreeMap<u64, u64>,
}

impl Stopped {
    /// The return addresses in the module, from the innermost call to the outermost. They end where the caller is not in the module,
    /// or cannot be found out.
    ///
    /// # Errors
    /// `no-symbols`
    pub fn callers(&self, symbols: &Symbols) -> Result<Vec<u64>> {
        let (data, word) = symbols.frames()?;
        let mut frames = DebugFrame::new(data, LittleEndian);
        frames.set_address_size(word);
        let mut registers = self.registers.clone();
        let mut found = Vec::new();
        let mut at = self.pc;
        while let Some(from) = self.step(&frames, at, &mut registers) {
            // A return address belongs to the call before it, whose instruction has 2 bytes or more.
            at = from.wrapping_sub(2);
            if !symbols.contains(at.wrapping_sub(self.base))? || found.len() == MOST {
                break;
            }
            found.push(from);
        }
        Ok(found)
    }

    /// Makes the registers in a function those of its caller. Returns the return address.
    fn step(
        &self,
        frames: &DebugFrame<EndianSlice<'_, LittleEndian>>,
        at: u64,
        registers: &mut BTreeMap<u16, u64>,
    ) -> Option<u64> {
        let bases = gimli::BaseAddresses::default();
        let offset = at.checked_sub(self.base)?;
        let fde = frames.fde_for_address(&bases, offset, DebugFrame::cie_from_offset).ok()?;
        let mut context = gimli::UnwindContext::new();
        let row = fde.unwind_info_for_address(frames, &bases, &mut context, offset).ok()?;
        let CfaRule::RegisterAndOffset { register, offset } = row.cfa() else { return None };
        let frame = registers.get(&register.0)?.wrapping_add_signed(*offset);
        let mut callers = registers.clone();
        for (Register(number), rule) in row.registers() {
            let value = match rule {
                RegisterRule::Offset(offset) => self.stack.get(&frame.wrapping_add_signed(*offset)).copied(),
                RegisterRule::ValOffset(offset) => Some(frame.wrapping_add_signed(*offset)),
                RegisterRule::Register(Register(other)) => registers.get(other).copied(),
                RegisterRule::SameValue => continue,
                _ => None,
            };
            match value {
                Some(value) => _ = callers.insert(*number, value),
                None => _ = callers.remove(number),
            }
        }
        callers.insert(self.stack_pointer, frame);
        let from = callers.get(&fde.cie().return_address_register().0).copied();
        // A function without a frame that returns to itself has no caller.
        let goes_on = callers != *registers;
        *registers = callers;
        from.filter(|_| goes_on)
    }
}
