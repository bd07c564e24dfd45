//! boards: all
//! Instructions for signal processing compute the same everywhere.

use wasm_bindgen::prelude::*;

#[wasm_bindgen]
pub fn smuad(a: u32, b: u32) -> i32 {
    mpy::dsp::smuad(a, b)
}

#[wasm_bindgen]
pub fn smuadx(a: u32, b: u32) -> i32 {
    mpy::dsp::smuadx(a, b)
}

#[wasm_bindgen]
pub fn smusd(a: u32, b: u32) -> i32 {
    mpy::dsp::smusd(a, b)
}

#[wasm_bindgen]
pub fn smusdx(a: u32, b: u32) -> i32 {
    mpy::dsp::smusdx(a, b)
}

#[wasm_bindgen]
pub fn smlad(a: u32, b: u32, sum: i32) -> i32 {
    mpy::dsp::smlad(a, b, sum)
}

#[wasm_bindgen]
pub fn smladx(a: u32, b: u32, sum: i32) -> i32 {
    mpy::dsp::smladx(a, b, sum)
}

#[wasm_bindgen]
pub fn smlsd(a: u32, b: u32, sum: i32) -> i32 {
    mpy::dsp::smlsd(a, b, sum)
}

#[wasm_bindgen]
pub fn smlsdx(a: u32, b: u32, sum: i32) -> i32 {
    mpy::dsp::smlsdx(a, b, sum)
}

#[wasm_bindgen]
pub fn smlald(a: u32, b: u32, sum: i64) -> i64 {
    mpy::dsp::smlald(a, b, sum)
}

#[wasm_bindgen]
pub fn smlaldx(a: u32, b: u32, sum: i64) -> i64 {
    mpy::dsp::smlaldx(a, b, sum)
}

#[wasm_bindgen]
pub fn smlsld(a: u32, b: u32, sum: i64) -> i64 {
    mpy::dsp::smlsld(a, b, sum)
}

#[wasm_bindgen]
pub fn smlsldx(a: u32, b: u32, sum: i64) -> i64 {
    mpy::dsp::smlsldx(a, b, sum)
}

#[wasm_bindgen]
pub fn smulwb(a: i32, b: u32) -> i32 {
    mpy::dsp::smulwb(a, b)
}

#[wasm_bindgen]
pub fn smulwt(a: i32, b: u32) -> i32 {
    mpy::dsp::smulwt(a, b)
}

#[wasm_bindgen]
pub fn smlawb(a: i32, b: u32, sum: i32) -> i32 {
    mpy::dsp::smlawb(a, b, sum)
}

#[wasm_bindgen]
pub fn smlawt(a: i32, b: u32, sum: i32) -> i32 {
    mpy::dsp::smlawt(a, b, sum)
}

#[wasm_bindgen]
pub fn smmul(a: i32, b: i32) -> i32 {
    mpy::dsp::smmul(a, b)
}

#[wasm_bindgen]
pub fn smmulr(a: i32, b: i32) -> i32 {
    mpy::dsp::smmulr(a, b)
}

#[wasm_bindgen]
pub fn smmla(a: i32, b: i32, sum: i32) -> i32 {
    mpy::dsp::smmla(a, b, sum)
}

#[wasm_bindgen]
pub fn qadd(a: i32, b: i32) -> i32 {
    mpy::dsp::qadd(a, b)
}

#[wasm_bindgen]
pub fn qsub(a: i32, b: i32) -> i32 {
    mpy::dsp::qsub(a, b)
}

#[wasm_bindgen]
pub fn qadd16(a: u32, b: u32) -> u32 {
    mpy::dsp::qadd16(a, b)
}

#[wasm_bindgen]
pub fn qsub16(a: u32, b: u32) -> u32 {
    mpy::dsp::qsub16(a, b)
}

#[wasm_bindgen]
pub fn sadd16(a: u32, b: u32) -> u32 {
    mpy::dsp::sadd16(a, b)
}

#[wasm_bindgen]
pub fn ssub16(a: u32, b: u32) -> u32 {
    mpy::dsp::ssub16(a, b)
}

#[wasm_bindgen]
pub fn shadd16(a: u32, b: u32) -> u32 {
    mpy::dsp::shadd16(a, b)
}

#[wasm_bindgen]
pub fn shsub16(a: u32, b: u32) -> u32 {
    mpy::dsp::shsub16(a, b)
}

#[wasm_bindgen]
pub fn qadd8(a: u32, b: u32) -> u32 {
    mpy::dsp::qadd8(a, b)
}

#[wasm_bindgen]
pub fn qsub8(a: u32, b: u32) -> u32 {
    mpy::dsp::qsub8(a, b)
}

#[wasm_bindgen]
pub fn sadd8(a: u32, b: u32) -> u32 {
    mpy::dsp::sadd8(a, b)
}

#[wasm_bindgen]
pub fn ssub8(a: u32, b: u32) -> u32 {
    mpy::dsp::ssub8(a, b)
}

#[wasm_bindgen]
pub fn uqadd8(a: u32, b: u32) -> u32 {
    mpy::dsp::uqadd8(a, b)
}

#[wasm_bindgen]
pub fn uqsub8(a: u32, b: u32) -> u32 {
    mpy::dsp::uqsub8(a, b)
}

#[wasm_bindgen]
pub fn uhadd8(a: u32, b: u32) -> u32 {
    mpy::dsp::uhadd8(a, b)
}

#[wasm_bindgen]
pub fn usad8(a: u32, b: u32) -> u32 {
    mpy::dsp::usad8(a, b)
}

#[wasm_bindgen]
pub fn usada8(a: u32, b: u32, sum: u32) -> u32 {
    mpy::dsp::usada8(a, b, sum)
}

#[wasm_bindgen]
pub fn sxtb16(a: u32) -> u32 {
    mpy::dsp::sxtb16(a)
}

#[wasm_bindgen]
pub fn sxtb16_ror8(a: u32) -> u32 {
    mpy::dsp::sxtb16_ror8(a)
}

#[wasm_bindgen]
pub fn uxtb16(a: u32) -> u32 {
    mpy::dsp::uxtb16(a)
}

#[wasm_bindgen]
pub fn uxtb16_ror8(a: u32) -> u32 {
    mpy::dsp::uxtb16_ror8(a)
}

#[wasm_bindgen]
pub fn pkhbt(a: u32, b: u32) -> u32 {
    mpy::dsp::pkhbt(a, b)
}

#[wasm_bindgen]
pub fn pkhbt_lsl16(a: u32, b: u32) -> u32 {
    mpy::dsp::pkhbt_lsl16(a, b)
}

#[wasm_bindgen]
pub fn pkhtb_asr16(a: u32, b: u32) -> u32 {
    mpy::dsp::pkhtb_asr16(a, b)
}

#[wasm_bindgen]
pub fn sxtab16(a: u32, b: u32) -> u32 {
    mpy::dsp::sxtab16(a, b)
}

#[wasm_bindgen]
pub fn sxtab16_ror8(a: u32, b: u32) -> u32 {
    mpy::dsp::sxtab16_ror8(a, b)
}

#[wasm_bindgen]
pub fn vfma(a: f32, b: f32, sum: f32) -> f32 {
    mpy::dsp::vfma(a, b, sum)
}

#[wasm_bindgen]
pub fn vfms(a: f32, b: f32, sum: f32) -> f32 {
    mpy::dsp::vfms(a, b, sum)
}

#[wasm_bindgen]
pub fn ssat1(value: i32) -> i32 {
    mpy::dsp::ssat::<1>(value)
}

#[wasm_bindgen]
pub fn ssat8(value: i32) -> i32 {
    mpy::dsp::ssat::<8>(value)
}

#[wasm_bindgen]
pub fn ssat16(value: i32) -> i32 {
    mpy::dsp::ssat::<16>(value)
}

#[wasm_bindgen]
pub fn ssat32(value: i32) -> i32 {
    mpy::dsp::ssat::<32>(value)
}

#[wasm_bindgen]
pub fn usat0(value: i32) -> u32 {
    mpy::dsp::usat::<0>(value)
}

#[wasm_bindgen]
pub fn usat8(value: i32) -> u32 {
    mpy::dsp::usat::<8>(value)
}

#[wasm_bindgen]
pub fn usat31(value: i32) -> u32 {
    mpy::dsp::usat::<31>(value)
}

#[link(wasm_import_module = "mpy")]
unsafe extern "C" {
    safe fn dsp_ssat(value: i32, bits: u32) -> i32;
    safe fn dsp_usat(value: i32, bits: u32) -> u32;
}

/// Of as many bits as Python says.
#[wasm_bindgen]
pub fn ssat(value: i32, bits: u32) -> i32 {
    dsp_ssat(value, bits)
}

#[wasm_bindgen]
pub fn usat(value: i32, bits: u32) -> u32 {
    dsp_usat(value, bits)
}

/* dependencies
mpy = { path = "ROOT/mpy" }
*/
/* python
import dsp_instructions as m
def s32(x): return (x & 0xffffffff ^ 0x80000000) - 0x80000000
def s64(x): return (x & 0xffffffffffffffff ^ 0x8000000000000000) - 0x8000000000000000
def lo(x): return (x & 0xffff ^ 0x8000) - 0x8000
def hi(x): return lo(x >> 16)
def rot(x): return x >> 16 | (x & 0xffff) << 16
def ub(x, i): return x >> 8 * i & 255
def sb(x, i): return (ub(x, i) ^ 128) - 128
def clamp(x, bits): return max(-1 << bits - 1, min((1 << bits - 1) - 1, x))
def pair(low, high): return low & 0xffff | (high & 0xffff) << 16
def halves(f): return lambda a, b: pair(f(lo(a), lo(b)), f(hi(a), hi(b)))
def bytes_(f): return lambda a, b: sum((f(a, b, i) & 255) << 8 * i for i in range(4))
def add(a, b): return lo(a) * lo(b) + hi(a) * hi(b)
def sub(a, b): return lo(a) * lo(b) - hi(a) * hi(b)
def usad(a, b): return sum(abs(ub(a, i) - ub(b, i)) for i in range(4))
table = (
    ("smuad", "uu", lambda a, b: s32(add(a, b))),
    ("smuadx", "uu", lambda a, b: s32(add(a, rot(b)))),
    ("smusd", "uu", lambda a, b: s32(sub(a, b))),
    ("smusdx", "uu", lambda a, b: s32(sub(a, rot(b)))),
    ("smlad", "uus", lambda a, b, c: s32(c + add(a, b))),
    ("smladx", "uus", lambda a, b, c: s32(c + add(a, rot(b)))),
    ("smlsd", "uus", lambda a, b, c: s32(c + sub(a, b))),
    ("smlsdx", "uus", lambda a, b, c: s32(c + sub(a, rot(b)))),
    ("smlald", "uul", lambda a, b, c: s64(c + add(a, b))),
    ("smlaldx", "uul", lambda a, b, c: s64(c + add(a, rot(b)))),
    ("smlsld", "uul", lambda a, b, c: s64(c + sub(a, b))),
    ("smlsldx", "uul", lambda a, b, c: s64(c + sub(a, rot(b)))),
    ("smulwb", "su", lambda a, b: s32(a * lo(b) >> 16)),
    ("smulwt", "su", lambda a, b: s32(a * hi(b) >> 16)),
    ("smlawb", "sus", lambda a, b, c: s32(c + (a * lo(b) >> 16))),
    ("smlawt", "sus", lambda a, b, c: s32(c + (a * hi(b) >> 16))),
    ("smmul", "ss", lambda a, b: a * b >> 32),
    ("smmulr", "ss", lambda a, b: a * b + (1 << 31) >> 32),
    ("smmla", "sss", lambda a, b, c: s32(c + (a * b >> 32))),
    ("qadd", "ss", lambda a, b: clamp(a + b, 32)),
    ("qsub", "ss", lambda a, b: clamp(a - b, 32)),
    ("qadd16", "uu", halves(lambda a, b: clamp(a + b, 16))),
    ("qsub16", "uu", halves(lambda a, b: clamp(a - b, 16))),
    ("sadd16", "uu", halves(lambda a, b: a + b)),
    ("ssub16", "uu", halves(lambda a, b: a - b)),
    ("shadd16", "uu", halves(lambda a, b: a + b >> 1)),
    ("shsub16", "uu", halves(lambda a, b: a - b >> 1)),
    ("qadd8", "uu", bytes_(lambda a, b, i: clamp(sb(a, i) + sb(b, i), 8))),
    ("qsub8", "uu", bytes_(lambda a, b, i: clamp(sb(a, i) - sb(b, i), 8))),
    ("sadd8", "uu", bytes_(lambda a, b, i: ub(a, i) + ub(b, i))),
    ("ssub8", "uu", bytes_(lambda a, b, i: ub(a, i) - ub(b, i))),
    ("uqadd8", "uu", bytes_(lambda a, b, i: min(255, ub(a, i) + ub(b, i)))),
    ("uqsub8", "uu", bytes_(lambda a, b, i: max(0, ub(a, i) - ub(b, i)))),
    ("uhadd8", "uu", bytes_(lambda a, b, i: ub(a, i) + ub(b, i) >> 1)),
    ("usad8", "uu", usad),
    ("usada8", "uuu", lambda a, b, c: c + usad(a, b) & 0xffffffff),
    ("sxtb16", "u", lambda a: pair(sb(a, 0), sb(a, 2))),
    ("sxtb16_ror8", "u", lambda a: pair(sb(a, 1), sb(a, 3))),
    ("sxtab16", "uu", lambda a, b: pair(a + sb(b, 0), (a >> 16) + sb(b, 2))),
    ("sxtab16_ror8", "uu", lambda a, b: pair(a + sb(b, 1), (a >> 16) + sb(b, 3))),
    ("vfma", "fff", lambda a, b, c: a * b + c),
    ("vfms", "fff", lambda a, b, c: c - a * b),
    ("ssat1", "s", lambda a: clamp(a, 1)),
    ("ssat8", "s", lambda a: clamp(a, 8)),
    ("ssat16", "s", lambda a: clamp(a, 16)),
    ("ssat32", "s", lambda a: a),
    ("ssat", "sb", lambda a, b: clamp(a, b) if 0 < b < 33 else a),
    ("usat0", "s", lambda a: 0),
    ("usat8", "s", lambda a: max(0, min(255, a))),
    ("usat31", "s", lambda a: max(0, a)),
    ("usat", "sb", lambda a, b: max(0, min((1 << b) - 1, a)) if b < 32 else a & 0xffffffff),
    ("uxtb16", "u", lambda a: pair(ub(a, 0), ub(a, 2))),
    ("uxtb16_ror8", "u", lambda a: pair(ub(a, 1), ub(a, 3))),
    ("pkhbt", "uu", lambda a, b: pair(a, b >> 16)),
    ("pkhbt_lsl16", "uu", lambda a, b: pair(a, b)),
    ("pkhtb_asr16", "uu", lambda a, b: pair(b >> 16, a >> 16)),
)
edges = (0, 0xffffffff, 0x80008000, 0x7fff7fff, 0x80000000, 0x7fffffff, 0x80808080, 0x7f7f7f7f, 0x8000, 0x10001)
state = 1
def word():
    global state
    state = (state * 1103515245 + 12345) & 0xffffffff
    return edges[state >> 8 & 7] if state >> 28 < 6 else state ^ state >> 15
make = {"f": lambda: float(word() & 1023), "u": word, "s": lambda: s32(word()), "b": lambda: word() >> 7 & 63, "l": lambda: s64(word() << 32 | word())}
for name, kinds, expected in table:
    function = getattr(m, name)
    for i in range(40):
        args = [make[kind]() for kind in kinds]
        if function(*args) != expected(*args):
            print(name, [hex(x) for x in args], function(*args), expected(*args))
            break
print(len(table))
*/
/* expect
56
*/
