//! The global allocator of crates that have none of their own: that of the module's bindings (`mpy_heap.h`).
//! It is linked to a user's crate and no part of this one.
#![no_std]

use core::alloc::{GlobalAlloc, Layout};

#[link(wasm_import_module = "mpy")]
unsafe extern "C" {
    fn alloc(size: usize, align: usize) -> *mut u8;
    fn alloc_zeroed(size: usize, align: usize) -> *mut u8;
    fn realloc(at: *mut u8, old_size: usize, size: usize, align: usize) -> *mut u8;
    fn dealloc(at: *mut u8);
}

struct Heap;

// SAFETY: the bindings keep the contract of `GlobalAlloc`; modules have one thread.
unsafe impl GlobalAlloc for Heap {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        unsafe { alloc(layout.size(), layout.align()) }
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        unsafe { alloc_zeroed(layout.size(), layout.align()) }
    }

    #[inline]
    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        unsafe { realloc(at, layout.size(), size, layout.align()) }
    }

    #[inline]
    unsafe fn dealloc(&self, at: *mut u8, _: Layout) {
        unsafe { dealloc(at) }
    }
}

#[global_allocator]
static HEAP: Heap = Heap;
