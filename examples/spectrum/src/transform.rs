//! A Fourier transform in fixed point, and what prepares a block of samples for it. All slices of a block are of one length, a power
//! of two from 8 to [`MAX`].

/// Samples of the largest block.
pub const MAX: usize = 1024;
/// Three quarters of a sine in 15 bits, and a quarter further on the cosine. Constant, so it stays in flash.
static SINE: [i16; MAX * 3 / 4 + 1] = sine();

const fn sine() -> [i16; MAX * 3 / 4 + 1] {
    let mut table = [0; MAX * 3 / 4 + 1];
    let mut i = 0;
    while i < table.len() {
        // Of the angle's distance to the nearest zero of the sine.
        let angle = core::f64::consts::TAU * (i as f64 / MAX as f64);
        let x = if i <= MAX / 4 { angle } else { core::f64::consts::PI - angle };
        let (mut term, mut sum, mut n) = (x, x, 1.0);
        while n < 20.0 {
            term *= -x * x / ((n + 1.0) * (n + 2.0));
            sum += term;
            n += 2.0;
        }
        table[i] = (sum * 32767.0 + if sum < 0.0 { -0.5 } else { 0.5 }) as i16;
        i += 1;
    }
    table
}

/// Takes the mean away, makes the most of 14 bits, and fades the block in and out (Hann's window).
/// Returns by how many bits it is larger than what was measured.
pub fn load(samples: &[i16], re: &mut [i32], im: &mut [i32]) -> i32 {
    let bits = samples.len().trailing_zeros();
    let mean = samples.iter().map(|&sample| i32::from(sample)).sum::<i32>() >> bits;
    let most = samples.iter().map(|&sample| (i32::from(sample) - mean).unsigned_abs()).max();
    let scale = most.unwrap_or(0).max(1).leading_zeros() as i32 - 18;
    let step = MAX >> bits;
    for (at, &sample) in samples.iter().enumerate() {
        let value = i32::from(sample) - mean;
        let value = if scale < 0 { value >> -scale } else { value << scale };
        // The window is the same from both ends.
        let cosine = SINE[MAX / 4 + at.min(samples.len() - at) * step];
        let window = (32767 - i32::from(cosine)) >> 1;
        let to = at.reverse_bits() >> (usize::BITS - bits);
        re[to] = (value * window) >> 15;
        im[to] = 0;
    }
    scale
}

/// Cooley and Tukey's transform. Each step halves, so nothing overflows and the result is divided by the size.
pub fn transform(re: &mut [i32], im: &mut [i32]) {
    let size = re.len();
    let mut half = 1;
    while half < size {
        for turn in 0..half {
            let angle = turn * (MAX / 2 / half);
            let (cos, sin) = (i32::from(SINE[angle + MAX / 4]), i32::from(SINE[angle]));
            for a in (turn..size).step_by(2 * half) {
                let b = a + half;
                let x = (re[b] * cos + im[b] * sin + 0x4000) >> 15;
                let y = (im[b] * cos - re[b] * sin + 0x4000) >> 15;
                (re[b], im[b]) = ((re[a] - x + 1) >> 1, (im[a] - y + 1) >> 1);
                (re[a], im[a]) = ((re[a] + x + 1) >> 1, (im[a] + y + 1) >> 1);
            }
        }
        half *= 2;
    }
}
