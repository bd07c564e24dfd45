//! Integers: FIR, matrix product, SHA-256, CRC-32, sort.

use crate::{Random, mix};

/// 32-tap Q15 FIR over 128 samples.
#[cfg_attr(feature = "fir_i16", unsafe(no_mangle))]
pub extern "C" fn fir_i16(rounds: u32) -> u32 {
    let mut random = Random(5);
    let mut taps = [0i16; 32];
    let mut input = [0i16; 160];
    taps.iter_mut().for_each(|x| *x = random.next() as i16 >> 4);
    input.iter_mut().for_each(|x| *x = random.next() as i16);
    let mut sum = 0;
    for _ in 0..rounds {
        for n in 0..128 {
            let mut acc = 0i32;
            for (x, h) in input[n..n + 32].iter().zip(&taps) {
                acc = acc.wrapping_add(i32::from(*x) * i32::from(*h));
            }
            sum = mix(sum, (acc >> 15) as u32);
        }
        input[0] = input[0].wrapping_add(77);
    }
    sum
}

/// What no compiler knows to be `size`: sizes and taps of a library are arguments.
fn at_run_time(size: usize, rounds: u32) -> usize {
    size + (rounds >> 31) as usize
}

#[inline(never)]
fn dot(a: &[i16], b: &[i16]) -> i64 {
    a.iter().zip(b).map(|(a, b)| i64::from(i32::from(*a) * i32::from(*b))).sum()
}

/// Dot products of 512 Q15 numbers, summed in 64 bits, eight a round.
#[cfg_attr(feature = "dot_q15", unsafe(no_mangle))]
pub extern "C" fn dot_q15(rounds: u32) -> u32 {
    let mut random = Random(11);
    let (mut a, mut b) = ([0i16; 512], [0i16; 512]);
    a.iter_mut().chain(&mut b).for_each(|x| *x = random.next() as i16);
    let n = at_run_time(512, rounds);
    let mut sum = 0;
    for _ in 0..8 * rounds {
        let dot = dot(&a[..n], &b[..n]);
        sum = mix(mix(sum, dot as u32), (dot >> 32) as u32);
        a[0] = a[0].wrapping_add(77);
    }
    sum
}

#[inline(never)]
fn fir(x: &[i16], taps: &[i16], y: &mut [i16]) {
    for (y, x) in y.iter_mut().zip(x.windows(taps.len())) {
        let acc: i64 = x.iter().zip(taps).map(|(x, h)| i64::from(i32::from(*x) * i32::from(*h))).sum();
        *y = (acc >> 15).clamp(-32768, 32767) as i16;
    }
}

/// Q15 FIR of 128 samples with taps that are given at run time, 32 of them, summed in 64 bits.
#[cfg_attr(feature = "fir_q15", unsafe(no_mangle))]
pub extern "C" fn fir_q15(rounds: u32) -> u32 {
    let mut random = Random(12);
    let (mut taps, mut x, mut y) = ([0i16; 32], [0i16; 159], [0i16; 128]);
    taps.iter_mut().chain(&mut x).for_each(|x| *x = random.next() as i16);
    let n = at_run_time(32, rounds);
    let mut sum = 0;
    for _ in 0..rounds {
        fir(&x, &taps[..n], &mut y);
        for y in &y {
            sum = mix(sum, *y as u32);
        }
        x[0] = x[0].wrapping_add(77);
    }
    sum
}

#[inline(never)]
fn matmul(a: &[i16], b: &[i16], c: &mut [i16], n: usize) {
    for (a, c) in a.chunks_exact(n).zip(c.chunks_exact_mut(n)) {
        for (j, c) in c.iter_mut().enumerate() {
            let mut acc = 0i64;
            for (a, b) in a.iter().zip(b[j..].iter().step_by(n)) {
                acc += i64::from(i32::from(*a) * i32::from(*b));
            }
            *c = (acc >> 15).clamp(-32768, 32767) as i16;
        }
    }
}

/// Product of two 24×24 matrices of Q15 numbers, summed in 64 bits, of a size that is given at run time.
#[cfg_attr(feature = "matmul_q15", unsafe(no_mangle))]
pub extern "C" fn matmul_q15(rounds: u32) -> u32 {
    const N: usize = 24;
    let mut random = Random(13);
    let (mut a, mut b, mut c) = ([0i16; N * N], [0i16; N * N], [0i16; N * N]);
    a.iter_mut().chain(&mut b).for_each(|x| *x = random.next() as i16);
    let n = at_run_time(N, rounds);
    let mut sum = 0;
    for _ in 0..rounds {
        matmul(&a, &b, &mut c, n);
        for c in &c {
            sum = mix(sum, *c as u32);
        }
        a[0] = a[0].wrapping_add(1);
    }
    sum
}

/// Product of two 24×24 matrices of i8 into i32.
#[cfg_attr(feature = "matmul_i8", unsafe(no_mangle))]
pub extern "C" fn matmul_i8(rounds: u32) -> u32 {
    const N: usize = 24;
    let mut random = Random(6);
    let (mut a, mut b, mut c) = ([[0i8; N]; N], [[0i8; N]; N], [[0i32; N]; N]);
    a.iter_mut().flatten().for_each(|x| *x = random.next() as i8);
    b.iter_mut().flatten().for_each(|x| *x = random.next() as i8);
    let mut sum = 0;
    for _ in 0..rounds {
        for i in 0..N {
            for j in 0..N {
                let mut acc = 0i32;
                for k in 0..N {
                    acc += i32::from(a[i][k]) * i32::from(b[k][j]);
                }
                c[i][j] = acc;
            }
        }
        for row in &c {
            for x in row {
                sum = mix(sum, *x as u32);
            }
        }
        a[0][0] = a[0][0].wrapping_add(1);
    }
    sum
}

static K: [u32; 64] = [
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98,
    0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786,
    0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8,
    0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13,
    0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819,
    0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a,
    0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7,
    0xc67178f2,
];

fn sha256_block(h: &mut [u32; 8], block: &[u8; 64]) {
    let mut w = [0u32; 64];
    for (word, bytes) in w.iter_mut().zip(block.chunks_exact(4)) {
        *word = u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
    }
    for i in 16..64 {
        let s0 = w[i - 15].rotate_right(7) ^ w[i - 15].rotate_right(18) ^ (w[i - 15] >> 3);
        let s1 = w[i - 2].rotate_right(17) ^ w[i - 2].rotate_right(19) ^ (w[i - 2] >> 10);
        w[i] = w[i - 16].wrapping_add(s0).wrapping_add(w[i - 7]).wrapping_add(s1);
    }
    let [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut k] = *h;
    for i in 0..64 {
        let s1 = e.rotate_right(6) ^ e.rotate_right(11) ^ e.rotate_right(25);
        let t1 = k.wrapping_add(s1).wrapping_add((e & f) ^ (!e & g)).wrapping_add(K[i]).wrapping_add(w[i]);
        let s0 = a.rotate_right(2) ^ a.rotate_right(13) ^ a.rotate_right(22);
        let t2 = s0.wrapping_add((a & b) ^ (a & c) ^ (b & c));
        (k, g, f, e, d, c, b, a) = (g, f, e, d.wrapping_add(t1), c, b, a, t1.wrapping_add(t2));
    }
    for (x, y) in h.iter_mut().zip([a, b, c, d, e, f, g, k]) {
        *x = x.wrapping_add(y);
    }
}

/// SHA-256's compression of 8 blocks.
#[cfg_attr(feature = "sha256", unsafe(no_mangle))]
pub extern "C" fn sha256(rounds: u32) -> u32 {
    let mut random = Random(7);
    let mut data = [0u8; 64];
    let mut h = [
        0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
    ];
    for _ in 0..rounds {
        for _ in 0..8 {
            data.iter_mut().for_each(|x| *x = random.next() as u8);
            sha256_block(&mut h, &data);
        }
    }
    h.iter().fold(0, |sum, x| mix(sum, *x))
}

/// CRC-32 (reflected, 0xedb88320) of 1 KiB by a table of 256 words that it makes first.
#[cfg_attr(feature = "crc32", unsafe(no_mangle))]
pub extern "C" fn crc32(rounds: u32) -> u32 {
    let mut table = [0u32; 256];
    for (i, entry) in table.iter_mut().enumerate() {
        let mut c = i as u32;
        for _ in 0..8 {
            c = if c & 1 != 0 { 0xedb8_8320 ^ (c >> 1) } else { c >> 1 };
        }
        *entry = c;
    }
    let mut random = Random(8);
    let mut data = [0u8; 1024];
    data.iter_mut().for_each(|x| *x = random.next() as u8);
    let mut crc = !0u32;
    for _ in 0..rounds {
        for byte in data {
            crc = table[((crc ^ u32::from(byte)) & 0xff) as usize] ^ (crc >> 8);
        }
    }
    !crc
}

/// Heap sort of 256 numbers.
#[cfg_attr(feature = "sort", unsafe(no_mangle))]
pub extern "C" fn sort(rounds: u32) -> u32 {
    fn sift(data: &mut [u32], mut root: usize, end: usize) {
        loop {
            let mut child = 2 * root + 1;
            if child >= end {
                return;
            }
            if child + 1 < end && data[child] < data[child + 1] {
                child += 1;
            }
            if data[root] >= data[child] {
                return;
            }
            data.swap(root, child);
            root = child;
        }
    }
    let mut random = Random(9);
    let mut data = [0u32; 256];
    let mut sum = 0;
    for _ in 0..rounds {
        data.iter_mut().for_each(|x| *x = random.next());
        for root in (0..128).rev() {
            sift(&mut data, root, 256);
        }
        for end in (1..256).rev() {
            data.swap(0, end);
            sift(&mut data, 0, end);
        }
        for x in data {
            sum = mix(sum, x);
        }
    }
    sum
}
