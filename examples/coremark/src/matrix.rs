//! Multiplication of matrices of 16-bit numbers (`core_matrix.c`).

use crate::crc16;

pub struct Params {
    n: usize,
    a: *mut i16,
    b: *mut i16,
    c: *mut i32,
}

impl Params {
    pub const fn new() -> Self {
        Params { n: 0, a: core::ptr::null_mut(), b: core::ptr::null_mut(), c: core::ptr::null_mut() }
    }
}

pub fn bench(p: &Params, seed: i16, crc: u16) -> u16 {
    // SAFETY: `init` placed the three matrices one behind the other in the block.
    unsafe { crc16(test(p.n, p.c, p.a, p.b, seed), crc) }
}

unsafe fn test(n: usize, c: *mut i32, a: *mut i16, b: *mut i16, val: i16) -> i16 {
    unsafe {
        let clipval = 0xf000u16 as i16 | val;
        add_const(n, a, val);
        mul_const(n, c, a, val);
        let mut crc = crc16(sum(n, c, clipval), 0);
        mul_vect(n, c, a, b);
        crc = crc16(sum(n, c, clipval), crc);
        mul_matrix(n, c, a, b);
        crc = crc16(sum(n, c, clipval), crc);
        mul_matrix_bitextract(n, c, a, b);
        crc = crc16(sum(n, c, clipval), crc);
        add_const(n, a, val.wrapping_neg());
        crc as i16
    }
}

/// Lays three N×N matrices out in `size` bytes at `block` and fills A and B.
pub unsafe fn init(size: usize, block: *mut u8, seed: i32) -> Params {
    unsafe {
        let mut seed = if seed == 0 { 1 } else { seed };
        let mut n = 0;
        while (n + 1) * (n + 1) * 2 * 4 < size {
            n += 1;
        }
        let a = align(block) as *mut i16;
        let b = a.add(n * n);
        let mut order = 1i32;
        for i in 0..n {
            for j in 0..n {
                seed = order.wrapping_mul(seed) % 65536;
                let val = (seed + order) as i16;
                *b.add(i * n + j) = val;
                let val = i32::from(val) + order;
                *a.add(i * n + j) = (val & 0xff) as i16;
                order += 1;
            }
        }
        Params { n, a, b, c: align(b.add(n * n) as *mut u8) as *mut i32 }
    }
}

fn align(p: *mut u8) -> *mut u8 {
    p.wrapping_add(p.align_offset(4))
}

unsafe fn sum(n: usize, c: *mut i32, clipval: i16) -> i16 {
    unsafe {
        let (mut tmp, mut prev) = (0i32, 0i32);
        let mut ret = 0i16;
        for i in 0..n {
            for j in 0..n {
                let cur = *c.add(i * n + j);
                tmp = tmp.wrapping_add(cur);
                if tmp > i32::from(clipval) {
                    ret = ret.wrapping_add(10);
                    tmp = 0;
                } else {
                    ret = ret.wrapping_add(i16::from(cur > prev));
                }
                prev = cur;
            }
        }
        ret
    }
}

unsafe fn mul_const(n: usize, c: *mut i32, a: *mut i16, val: i16) {
    unsafe {
        for i in 0..n {
            for j in 0..n {
                *c.add(i * n + j) = i32::from(*a.add(i * n + j)) * i32::from(val);
            }
        }
    }
}

unsafe fn add_const(n: usize, a: *mut i16, val: i16) {
    unsafe {
        for i in 0..n {
            for j in 0..n {
                *a.add(i * n + j) = (*a.add(i * n + j)).wrapping_add(val);
            }
        }
    }
}

unsafe fn mul_vect(n: usize, c: *mut i32, a: *mut i16, b: *mut i16) {
    unsafe {
        for i in 0..n {
            *c.add(i) = 0;
            for j in 0..n {
                let product = i32::from(*a.add(i * n + j)) * i32::from(*b.add(j));
                *c.add(i) = (*c.add(i)).wrapping_add(product);
            }
        }
    }
}

unsafe fn mul_matrix(n: usize, c: *mut i32, a: *mut i16, b: *mut i16) {
    unsafe {
        for i in 0..n {
            for j in 0..n {
                *c.add(i * n + j) = 0;
                for k in 0..n {
                    let product = i32::from(*a.add(i * n + k)) * i32::from(*b.add(k * n + j));
                    *c.add(i * n + j) = (*c.add(i * n + j)).wrapping_add(product);
                }
            }
        }
    }
}

fn bit_extract(x: i32, from: u32, to: u32) -> i32 {
    (x >> from) & !(-1 << to)
}

unsafe fn mul_matrix_bitextract(n: usize, c: *mut i32, a: *mut i16, b: *mut i16) {
    unsafe {
        for i in 0..n {
            for j in 0..n {
                *c.add(i * n + j) = 0;
                for k in 0..n {
                    let product = i32::from(*a.add(i * n + k)) * i32::from(*b.add(k * n + j));
                    let extract = bit_extract(product, 2, 4) * bit_extract(product, 5, 7);
                    *c.add(i * n + j) = (*c.add(i * n + j)).wrapping_add(extract);
                }
            }
        }
    }
}
