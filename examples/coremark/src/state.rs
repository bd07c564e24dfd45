//! A state machine that tells integers, floats and nonsense apart (`core_state.c`).

use crate::crcu32;

#[derive(Clone, Copy, PartialEq)]
enum State {
    Start,
    Invalid,
    S1,
    S2,
    Int,
    Float,
    Exponent,
    Scientific,
}

const STATES: usize = 8;

static INT: [&[u8]; 4] = [b"5012", b"1234", b"-874", b"+122"];
static FLOAT: [&[u8]; 4] = [b"35.54400", b".1234500", b"-110.700", b"+0.64400"];
static SCIENTIFIC: [&[u8]; 4] = [b"5.500e+3", b"-.123e-2", b"-87e+832", b"+0.6e-12"];
static ERROR: [&[u8]; 4] = [b"T0.3e-1F", b"-T.T++Tq", b"1T3.4e4z", b"34.0e-T^"];

/// Scans the block, corrupts it, scans it again and mends it.
pub unsafe fn bench(size: usize, block: *mut u8, seed1: i16, seed2: i16, step: i16, mut crc: u16) -> u16 {
    unsafe {
        let mut finals = [0u32; STATES];
        let mut tracks = [0u32; STATES];
        scan(block, &mut finals, &mut tracks);
        disturb(size, block, seed1 as u8, step);
        scan(block, &mut finals, &mut tracks);
        disturb(size, block, seed2 as u8, step);
        for i in 0..STATES {
            crc = crcu32(finals[i], crc);
            crc = crcu32(tracks[i], crc);
        }
        crc
    }
}

unsafe fn scan(block: *mut u8, finals: &mut [u32; STATES], tracks: &mut [u32; STATES]) {
    unsafe {
        let mut p = block;
        while *p != 0 {
            let state = transition(&mut p, tracks);
            finals[state as usize] += 1;
        }
    }
}

unsafe fn disturb(size: usize, block: *mut u8, seed: u8, step: i16) {
    unsafe {
        let mut p = block;
        while p < block.add(size) {
            if *p != b',' {
                *p ^= seed;
            }
            p = p.wrapping_offset(step as isize);
        }
    }
}

/// Fills the block with numbers and near-numbers, separated by commas.
pub unsafe fn init(size: usize, seed: i16, p: *mut u8) {
    unsafe {
        let mut seed = seed;
        let mut total = 0;
        let mut next: &[u8] = &[];
        while total + next.len() + 1 < size - 1 {
            if !next.is_empty() {
                for (i, byte) in next.iter().enumerate() {
                    *p.add(total + i) = *byte;
                }
                *p.add(total + next.len()) = b',';
                total += next.len() + 1;
            }
            seed = seed.wrapping_add(1);
            let choice = (seed >> 3) as usize & 3;
            next = match seed & 7 {
                0..=2 => INT[choice],
                3 | 4 => FLOAT[choice],
                5 | 6 => SCIENTIFIC[choice],
                _ => ERROR[choice],
            };
        }
        while total < size {
            *p.add(total) = 0;
            total += 1;
        }
    }
}

unsafe fn transition(instr: &mut *mut u8, count: &mut [u32; STATES]) -> State {
    unsafe {
        let mut p = *instr;
        let mut state = State::Start;
        while *p != 0 && state != State::Invalid {
            let symbol = *p;
            if symbol == b',' {
                p = p.add(1);
                break;
            }
            match state {
                State::Start => {
                    state = match symbol {
                        b'0'..=b'9' => State::Int,
                        b'+' | b'-' => State::S1,
                        b'.' => State::Float,
                        _ => {
                            count[State::Invalid as usize] += 1;
                            State::Invalid
                        }
                    };
                    count[State::Start as usize] += 1;
                }
                State::S1 => {
                    state = match symbol {
                        b'0'..=b'9' => State::Int,
                        b'.' => State::Float,
                        _ => State::Invalid,
                    };
                    count[State::S1 as usize] += 1;
                }
                State::Int => {
                    if symbol == b'.' {
                        state = State::Float;
                        count[State::Int as usize] += 1;
                    } else if !symbol.is_ascii_digit() {
                        state = State::Invalid;
                        count[State::Int as usize] += 1;
                    }
                }
                State::Float => {
                    if symbol == b'E' || symbol == b'e' {
                        state = State::S2;
                        count[State::Float as usize] += 1;
                    } else if !symbol.is_ascii_digit() {
                        state = State::Invalid;
                        count[State::Float as usize] += 1;
                    }
                }
                State::S2 => {
                    state = match symbol {
                        b'+' | b'-' => State::Exponent,
                        _ => State::Invalid,
                    };
                    count[State::S2 as usize] += 1;
                }
                State::Exponent => {
                    state = match symbol {
                        b'0'..=b'9' => State::Scientific,
                        _ => State::Invalid,
                    };
                    count[State::Exponent as usize] += 1;
                }
                State::Scientific => {
                    if !symbol.is_ascii_digit() {
                        state = State::Invalid;
                        count[State::Invalid as usize] += 1;
                    }
                }
                State::Invalid => {}
            }
            p = p.add(1);
        }
        *instr = p;
        state
    }
}
