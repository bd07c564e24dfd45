//! The network: two layers of filters over time, whose results are added up, and a layer that weighs the sums.

/// Three axes of acceleration and three of rotation, ten times a second for ten seconds.
pub const CHANNELS: usize = 6;
pub const STEPS: usize = 100;

/// How many times a layer sees, each filter `WIDTH` times at once, and `STRIDE` further with each.
const WIDTH: usize = 5;
const STRIDE: usize = 2;
const fn times(steps: usize) -> usize {
    (steps - WIDTH) / STRIDE + 1
}

/// The numbers of a network. A scale is a factor, and by how many bits the product is shifted right.
pub struct Model<'a> {
    pub first: &'a [[i8; WIDTH * CHANNELS]; 16],
    pub first_bias: &'a [i32; 16],
    pub first_scale: (i32, u32),
    pub second: &'a [[i8; WIDTH * 16]; 16],
    pub second_bias: &'a [i32; 16],
    pub second_scale: (i32, u32),
    pub last: &'a [[i8; 16]; 4],
    pub last_bias: &'a [i32; 4],
}

/// How much speaks for each class in a recording.
pub fn infer(recording: &[i8; STEPS * CHANNELS], model: &Model<'_>) -> [i32; 4] {
    let mut first = [0; times(STEPS) * 16];
    convolve(recording, CHANNELS, model.first, model.first_bias, model.first_scale, &mut first);
    let mut second = [0; times(times(STEPS)) * 16];
    convolve(&first, 16, model.second, model.second_bias, model.second_scale, &mut second);
    let mut sums = [0; 16];
    for step in second.chunks_exact(sums.len()) {
        sums.iter_mut().zip(step).for_each(|(sum, &value)| *sum += i32::from(value));
    }
    let mut scores = model.last_bias.map(|bias| bias * times(times(STEPS)) as i32);
    for (score, weights) in scores.iter_mut().zip(model.last) {
        *score += weights.iter().zip(&sums).map(|(&weight, sum)| i32::from(weight) * sum).sum::<i32>();
    }
    scores
}

/// Each filter over `channels` of `input` at each time, scaled back to 8 bits; below zero is zero.
fn convolve<const SIZE: usize, const FILTERS: usize>(
    input: &[i8],
    channels: usize,
    filters: &[[i8; SIZE]; FILTERS],
    biases: &[i32; FILTERS],
    (multiply, shift): (i32, u32),
    output: &mut [i8],
) {
    let seen = input.windows(SIZE).step_by(STRIDE * channels);
    for (seen, results) in seen.zip(output.chunks_exact_mut(FILTERS)) {
        for ((filter, bias), result) in filters.iter().zip(biases).zip(results) {
            let products = filter.iter().zip(seen).map(|(&a, &b)| i32::from(a) * i32::from(b));
            let total = bias + products.sum::<i32>();
            *result = ((total * multiply + (1 << (shift - 1))) >> shift).clamp(0, 127) as i8;
        }
    }
}
