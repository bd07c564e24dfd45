//! `critical-section` by `machine.disable_irq` and `enable_irq`; ports without interrupts have no such functions.

use critical_section::RawRestoreState;

crate::import::import! {
    "mpy":
    fn disable_irq() -> u32;
    fn enable_irq(state: u32);
}

struct Section;

critical_section::set_impl!(Section);

// SAFETY: a module runs in one thread, and no handler of an interrupt runs in between.
unsafe impl critical_section::Impl for Section {
    unsafe fn acquire() -> RawRestoreState {
        // SAFETY: it has no conditions.
        unsafe { disable_irq() }
    }

    unsafe fn release(state: RawRestoreState) {
        // SAFETY: the state is one of `disable_irq`.
        unsafe { enable_irq(state) };
    }
}
