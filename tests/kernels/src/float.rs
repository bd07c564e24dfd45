//! Floating point: FIR, FFT, matrix product, Mandelbrot, n-body.

use crate::{Random, mix};

/// 32-tap FIR over 128 samples.
#[cfg_attr(feature = "fir_f32", unsafe(no_mangle))]
pub extern "C" fn fir_f32(rounds: u32) -> u32 {
    let mut random = Random(1);
    let mut taps = [0f32; 32];
    let mut input = [0f32; 160];
    taps.iter_mut().for_each(|x| *x = random.unit());
    input.iter_mut().for_each(|x| *x = random.unit());
    let mut sum = 0;
    for _ in 0..rounds {
        for n in 0..128 {
            let mut acc = 0f32;
            for (x, h) in input[n..n + 32].iter().zip(&taps) {
                acc += x * h;
            }
            sum = mix(sum, acc.to_bits());
        }
        input[0] += 0.5;
    }
    sum
}

/// In-place radix-2 FFT of 128 complex points.
#[cfg_attr(feature = "fft_f32", unsafe(no_mangle))]
pub extern "C" fn fft_f32(rounds: u32) -> u32 {
    const N: usize = 128;
    let mut random = Random(2);
    let (mut re, mut im) = ([0f32; N], [0f32; N]);
    // Twiddles by rotation: no libm, the same bits everywhere.
    let (mut wre, mut wim) = ([0f32; N / 2], [0f32; N / 2]);
    let (cos, sin) = (0.998_795_456_205_172_4_f64, -0.049_067_674_327_418_015_f64);
    let (mut c, mut s) = (1f64, 0f64);
    for k in 0..N / 2 {
        (wre[k], wim[k]) = (c as f32, s as f32);
        (c, s) = (c * cos - s * sin, c * sin + s * cos);
    }
    let mut sum = 0;
    for _ in 0..rounds {
        re.iter_mut().for_each(|x| *x = random.unit());
        im.iter_mut().for_each(|x| *x = 0.0);
        let mut j = 0;
        for i in 1..N {
            let mut bit = N >> 1;
            while j & bit != 0 {
                j ^= bit;
                bit >>= 1;
            }
            j |= bit;
            if i < j {
                re.swap(i, j);
                im.swap(i, j);
            }
        }
        let mut len = 2;
        while len <= N {
            let (half, step) = (len / 2, N / len);
            let mut start = 0;
            while start < N {
                for k in 0..half {
                    let (wr, wi) = (wre[k * step], wim[k * step]);
                    let (a, b) = (start + k, start + k + half);
                    let tr = re[b] * wr - im[b] * wi;
                    let ti = re[b] * wi + im[b] * wr;
                    (re[b], im[b]) = (re[a] - tr, im[a] - ti);
                    (re[a], im[a]) = (re[a] + tr, im[a] + ti);
                }
                start += len;
            }
            len *= 2;
        }
        for k in 0..N {
            sum = mix(mix(sum, re[k].to_bits()), im[k].to_bits());
        }
    }
    sum
}

/// Product of two 20×20 matrices.
#[cfg_attr(feature = "matmul_f32", unsafe(no_mangle))]
pub extern "C" fn matmul_f32(rounds: u32) -> u32 {
    const N: usize = 20;
    let mut random = Random(3);
    let (mut a, mut b, mut c) = ([[0f32; N]; N], [[0f32; N]; N], [[0f32; N]; N]);
    a.iter_mut().flatten().for_each(|x| *x = random.unit());
    b.iter_mut().flatten().for_each(|x| *x = random.unit());
    let mut sum = 0;
    for _ in 0..rounds {
        for i in 0..N {
            for j in 0..N {
                let mut acc = 0f32;
                for k in 0..N {
                    acc += a[i][k] * b[k][j];
                }
                c[i][j] = acc;
            }
        }
        for row in &c {
            for x in row {
                sum = mix(sum, x.to_bits());
            }
        }
        a[0][0] += 1.0;
    }
    sum
}

/// Iterations to escape on a 24×16 grid, at most 48.
#[cfg_attr(feature = "mandelbrot", unsafe(no_mangle))]
pub extern "C" fn mandelbrot(rounds: u32) -> u32 {
    let mut sum = 0;
    for round in 0..rounds {
        for y in 0..16u32 {
            for x in 0..24u32 {
                let cr = x as f32 / 8.0 - 2.25 + (round & 7) as f32 / 64.0;
                let ci = y as f32 / 8.0 - 1.0;
                let (mut zr, mut zi) = (0f32, 0f32);
                let mut n = 0;
                while n < 48 && zr * zr + zi * zi < 4.0 {
                    let t = zr * zr - zi * zi + cr;
                    zi = 2.0 * zr * zi + ci;
                    zr = t;
                    n += 1;
                }
                sum = mix(sum, n);
            }
        }
    }
    sum
}

#[derive(Clone, Copy)]
struct Body {
    p: [f64; 3],
    v: [f64; 3],
    mass: f64,
}

/// Square root by Newton's method: the same bits on every target.
fn sqrt(x: f64) -> f64 {
    let mut y = f64::from_bits((x.to_bits() >> 1) + (1023 << 51));
    for _ in 0..5 {
        y = 0.5 * (y + x / y);
    }
    y
}

/// Ten steps of five bodies.
#[cfg_attr(feature = "nbody", unsafe(no_mangle))]
pub extern "C" fn nbody(rounds: u32) -> u32 {
    let mut random = Random(4);
    let mut bodies = [Body { p: [0.0; 3], v: [0.0; 3], mass: 0.0 }; 5];
    for body in &mut bodies {
        body.p.iter_mut().for_each(|x| *x = f64::from(random.unit()) * 8.0);
        body.v.iter_mut().for_each(|x| *x = f64::from(random.unit()));
        body.mass = f64::from(random.unit()) + 1.5;
    }
    let dt = 0.0078125;
    let mut sum = 0;
    for _ in 0..rounds {
        for _ in 0..10 {
            for i in 0..5 {
                for j in i + 1..5 {
                    let mut d = [0f64; 3];
                    let mut square = 0.25;
                    for k in 0..3 {
                        d[k] = bodies[i].p[k] - bodies[j].p[k];
                        square += d[k] * d[k];
                    }
                    let mag = dt / (square * sqrt(square));
                    for k in 0..3 {
                        bodies[i].v[k] -= d[k] * bodies[j].mass * mag;
                        bodies[j].v[k] += d[k] * bodies[i].mass * mag;
                    }
                }
            }
            for body in &mut bodies {
                for k in 0..3 {
                    body.p[k] += dt * body.v[k];
                }
            }
        }
        for body in &bodies {
            for x in body.p {
                let bits = x.to_bits();
                sum = mix(mix(sum, bits as u32), (bits >> 32) as u32);
            }
        }
    }
    sum
}
