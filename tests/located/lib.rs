//! What goes wrong in a module, in one place each.

/// Its methods fail.
struct Filter {
    state: u32,
}

impl Filter {
    #[inline(never)]
    fn trap(&mut self, by: u32) -> u32 {
        self.state += by;
        if self.state > 10 {
            core::arch::wasm32::unreachable(); // trap
        }
        self.state
    }

    #[inline(never)]
    fn panic(&self, at: u32) -> u32 {
        [1, 2, 3][(at + self.state) as usize] // panic
    }

    #[inline(never)]
    fn recurse(&self, n: u32) -> u32 {
        if n == 0 {
            return self.state;
        }
        self.recurse(n - 1).wrapping_mul(3) + self.recurse(n / 2)
    }

    #[inline(never)]
    fn store(&mut self, address: u32) -> u32 {
        // SAFETY: there is none.
        unsafe { (address as *mut u32).write_volatile(self.state) }; // store
        self.state + 1
    }

    #[inline(never)]
    fn twice(&mut self, address: u32) -> u32 {
        self.state += 7;
        let first = self.store(address); // first call
        first + self.store(address + 40)
    }
}

#[unsafe(no_mangle)]
pub extern "C" fn trap(by: u32) -> u32 {
    Filter { state: 1 }.trap(by)
}

#[unsafe(no_mangle)]
pub extern "C" fn panic(at: u32) -> u32 {
    Filter { state: 1 }.panic(at)
}

#[unsafe(no_mangle)]
pub extern "C" fn recurse(n: u32) -> u32 {
    Filter { state: 1 }.recurse(n)
}

#[unsafe(no_mangle)]
pub extern "C" fn store(address: u32) -> u32 {
    Filter { state: 1 }.twice(address) // outer call
}
