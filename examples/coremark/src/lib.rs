//! EEMBC CoreMark 1.0 in Rust without `std`: the same data, the same work in the same order, the same
//! CRCs. It is a port for comparing compilers with each other; only EEMBC's own C gives a CoreMark score.
//!
//! Three algorithms share 2000 bytes: a linked list that is searched, reversed and sorted; matrices that
//! are multiplied; a state machine that scans numbers. Lists are walked through raw pointers, as in C.
// On the host, for the tests, there is `std`.
#![cfg_attr(any(target_arch = "wasm32", target_os = "none"), no_std)]

mod list;
mod matrix;
mod state;

use core::ptr::addr_of_mut;

/// Bytes of data for all three algorithms (`TOTAL_DATA_SIZE`).
const TOTAL_DATA_SIZE: usize = 2000;
/// Bytes of data of each.
const SIZE: usize = TOTAL_DATA_SIZE / 3;

#[repr(align(8))]
struct Block([u8; TOTAL_DATA_SIZE]);

static mut BLOCK: Block = Block([0; TOTAL_DATA_SIZE]);
static mut RESULTS: Results = Results::new();

/// State of a run (`core_results`).
pub struct Results {
    seed1: i16,
    seed2: i16,
    seed3: i16,
    state: *mut u8,
    list: *mut list::Head,
    matrix: matrix::Params,
    crc: u16,
    crclist: u16,
    crcmatrix: u16,
    crcstate: u16,
}

impl Results {
    const fn new() -> Self {
        Results {
            seed1: 0,
            seed2: 0,
            seed3: 0,
            state: core::ptr::null_mut(),
            list: core::ptr::null_mut(),
            matrix: matrix::Params::new(),
            crc: 0,
            crclist: 0,
            crcmatrix: 0,
            crcstate: 0,
        }
    }
}

fn results() -> &'static mut Results {
    // SAFETY: a module runs one call at a time and no reference outlives a call.
    unsafe { &mut *addr_of_mut!(RESULTS) }
}

/// Sets up the data: `validation` 0 is EEMBC's 2K performance run, 1 its 2K validation run.
#[unsafe(no_mangle)]
pub extern "C" fn start(validation: i32) {
    let r = results();
    let seed = if validation == 0 { 0 } else { 0x3415 };
    (r.seed1, r.seed2, r.seed3) = (seed, seed, 0x66);
    // SAFETY: the three parts lie in BLOCK, one behind the other, and nothing else uses it.
    unsafe {
        let block = addr_of_mut!(BLOCK.0) as *mut u8;
        r.list = list::init(SIZE, block, r.seed1);
        r.matrix = matrix::init(SIZE, block.add(SIZE), i32::from(r.seed1) | (i32::from(r.seed2) << 16));
        r.state = block.add(2 * SIZE);
        state::init(SIZE, r.seed1, r.state);
    }
}

/// Runs all three algorithms `iterations` times; the result is the final CRC (`crcfinal`).
#[unsafe(no_mangle)]
pub extern "C" fn iterate(iterations: i32) -> i32 {
    let r = results();
    (r.crc, r.crclist, r.crcmatrix, r.crcstate) = (0, 0, 0, 0);
    for i in 0..iterations {
        let crc = list::bench(r, 1);
        r.crc = crcu16(crc, r.crc);
        let crc = list::bench(r, -1);
        r.crc = crcu16(crc, r.crc);
        if i == 0 {
            r.crclist = r.crc;
        }
    }
    i32::from(r.crc)
}

/// CRC of the list algorithm: 0xe714 (performance), 0xe3c1 (validation).
#[unsafe(no_mangle)]
pub extern "C" fn crclist() -> i32 {
    i32::from(results().crclist)
}

/// CRC of the matrix algorithm: 0x1fd7 (performance), 0x0747 (validation).
#[unsafe(no_mangle)]
pub extern "C" fn crcmatrix() -> i32 {
    i32::from(results().crcmatrix)
}

/// CRC of the state machine: 0x8e3a (performance), 0x8d84 (validation).
#[unsafe(no_mangle)]
pub extern "C" fn crcstate() -> i32 {
    i32::from(results().crcstate)
}

/// CRC of the seeds and the size: 0xe9f5 (performance), 0x18f2 (validation).
#[unsafe(no_mangle)]
pub extern "C" fn seedcrc() -> i32 {
    let r = results();
    let mut crc = 0;
    for value in [r.seed1, r.seed2, r.seed3, SIZE as i16] {
        crc = crc16(value, crc);
    }
    i32::from(crc)
}

fn crcu8(mut data: u8, mut crc: u16) -> u16 {
    for _ in 0..8 {
        let carry = (data & 1) ^ (crc as u8 & 1);
        data >>= 1;
        if carry == 1 {
            crc ^= 0x4002;
        }
        crc >>= 1;
        if carry == 1 {
            crc |= 0x8000;
        } else {
            crc &= 0x7fff;
        }
    }
    crc
}

fn crcu16(value: u16, crc: u16) -> u16 {
    crcu8((value >> 8) as u8, crcu8(value as u8, crc))
}

fn crcu32(value: u32, crc: u16) -> u16 {
    crc16((value >> 16) as i16, crc16(value as i16, crc))
}

fn crc16(value: i16, crc: u16) -> u16 {
    crcu16(value as u16, crc)
}

#[cfg(any(target_arch = "wasm32", target_os = "none"))]
#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    #[cfg(target_arch = "wasm32")]
    core::arch::wasm32::unreachable();
    #[cfg(not(target_arch = "wasm32"))]
    loop {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crcs_are_those_eembc_published() {
        for (validation, known) in [(0, [0xe9f5, 0xe714, 0x1fd7, 0x8e3a]), (1, [0x18f2, 0xe3c1, 0x0747, 0x8d84])] {
            start(validation);
            iterate(3);
            assert_eq!([seedcrc(), crclist(), crcmatrix(), crcstate()], known);
        }
    }
}
