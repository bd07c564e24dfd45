//! Instructions, and what they compute.

/// Two numbers as halves, the first one in the low half.
///
/// ```
/// assert_eq!(mpy::dsp::pair([1, -1]), 0xffff_0001);
/// ```
#[inline(always)]
#[must_use]
pub fn pair([low, high]: [i16; 2]) -> u32 {
    u32::from(low.cast_unsigned()) | u32::from(high.cast_unsigned()) << 16
}

/// The halves of 32 bits, the low one first.
///
/// ```
/// assert_eq!(mpy::dsp::halves_of(0xffff_0001), [1, -1]);
/// ```
#[inline(always)]
#[must_use]
pub fn halves_of(pair: u32) -> [i16; 2] {
    [pair as i16, (pair >> 16) as i16]
}

#[cfg(not(target_arch = "wasm32"))]
fn low(pair: u32) -> i32 {
    halves_of(pair)[0].into()
}

#[cfg(not(target_arch = "wasm32"))]
fn high(pair: u32) -> i32 {
    halves_of(pair)[1].into()
}

#[cfg(not(target_arch = "wasm32"))]
fn signed(byte: u8) -> i8 {
    byte.cast_signed()
}

#[cfg(not(target_arch = "wasm32"))]
fn saturated16(value: i32) -> i32 {
    value.clamp(i16::MIN.into(), i16::MAX.into())
}

#[cfg(not(target_arch = "wasm32"))]
fn halves(a: u32, b: u32, each: impl Fn(i32, i32) -> i32) -> u32 {
    pair([each(low(a), low(b)) as i16, each(high(a), high(b)) as i16])
}

#[cfg(not(target_arch = "wasm32"))]
fn bytes(a: u32, b: u32, each: impl Fn(u8, u8) -> u8) -> u32 {
    let (a, b) = (a.to_le_bytes(), b.to_le_bytes());
    u32::from_le_bytes(core::array::from_fn(|i| each(a[i], b[i])))
}

macro_rules! instructions {
    ($($(#[$doc:meta])* fn $name:ident = $import:literal ($($parameter:ident: $ty:ty),*) -> $result:ty $body:block)*) => {
        $(
            $(#[$doc])*
            #[inline(always)]
            #[must_use]
            pub fn $name($($parameter: $ty),*) -> $result {
                #[cfg(target_arch = "wasm32")]
                {
                    #[link(wasm_import_module = "mpy")]
                    unsafe extern "C" {
                        #[link_name = $import]
                        safe fn instruction($($parameter: $ty),*) -> $result;
                    }
                    instruction($($parameter),*)
                }
                #[cfg(not(target_arch = "wasm32"))]
                $body
            }
        )*
    };
}

instructions! {
    /// The products of the low and of the high halves, added.
    ///
    /// ```
    /// assert_eq!(mpy::dsp::smuad(0x8001_7f02, 0x7ffe_81ff), -2_122_447_620);
    /// ```
    fn smuad = "dsp_smuad" (a: u32, b: u32) -> i32 {
        low(a).wrapping_mul(low(b)).wrapping_add(high(a).wrapping_mul(high(b)))
    }

    /// As [`smuad`], of each half and the other half of `b`.
    ///
    /// ```
    /// assert_eq!(mpy::dsp::smuadx(0x8001_7f02, 0x7ffe_81ff), 2_122_318_843);
    /// ```
    fn smuadx = "dsp_smuadx" (a: u32, b: u32) -> i32 {
        smuad(a, b.rotate_right(16))
    }

    /// The product of the low halves minus that of the high halves.
    ///
    /// ```
    /// assert_eq!(mpy::dsp::smusd(0x8001_7f02, 0x7ffe_81ff), 24_839_424);
    /// ```
    fn smusd = "dsp_smusd" (a: u32, b: u32) -> i32 {
        low(a).wrapping_mul(low(b)).wrapping_sub(high(a).wrapping_mul(high(b)))
    }

    /// As [`smusd`], of each half and the other half of `b`.
    ///
    /// ```
    /// assert_eq!(mpy::dsp::smusdx(0x8001_7f02, 0x7ffe_81ff), 8_388_605);
    /// ```
    fn smusdx = "dsp_smusdx" (a: u32, b: u32) -> i32 {
        smusd(a, b.rotate_right(16))
    }

    /// `sum` and the products of the low and of the high halves, added. It wraps at 32 bits.
    ///
    /// ```
    /// assert_eq!(mpy::dsp::smlad(0x8001_7f02, 0x7ffe_81ff, 7), -2_122_447_613);
    /// ```
    fn smlad = "dsp_smlad" (a: u32, b: u32, sum: i32) -> i32 {
        sum.wrapping_add(smuad(a, b))
    }

    /// As [`smlad`], of each half and the other half of `b`.
    ///
    /// ```
    /// assert_eq!(mpy::dsp::smladx(0x8001_7f02, 0x7ffe_81ff, 7), 2_122_318_850);
    /// ```
    fn smladx = "dsp_smladx" (a: u32, b: u32, sum: i32) -> i32 {
        sum.wrapping_add(smuadx(a, b))
    }

    /// `sum` and the product of the low halves minus that of the high halves. It wraps at 32 bits.
    ///
    /// ```
    /// assert_eq!(mpy::dsp::smlsd(0x8001_7f02, 0x7ffe_81ff, 7), 24_839_431);
    /// ```
    fn smlsd = "dsp_smlsd" (a: u32, b: u32, sum: i32) -> i32 {
        sum.wrapping_add(smusd(a, b))
    }

    /// As [`smlsd`], of each half and the other half of `b`.
    ///
    /// ```
    /// assert_eq!(mpy::dsp::smlsdx(0x8001_7f02, 0x7ffe_81ff, 7), 8_388_612);
    /// ```
    fn smlsdx = "dsp_smlsdx" (a: u32, b: u32, sum: i32) -> i32 {
        sum.wrapping_add(smusdx(a, b))
    }

    /// As [`smlad`], with a sum of 64 bits.
    ///
    /// ```
    /// assert_eq!(mpy::dsp::smlald(0x8001_7f02, 0x7ffe_81ff, -1_000_000_000_000), -1_002_122_447_620);
    /// ```
    fn smlald = "dsp_smlald" (a: u32, b: u32, sum: i64) -> i64 {
        sum.wrapping_add(i64::from(low(a) * low(b))).wrapping_add(i64::from(high(a) * high(b)))
    }

    /// As [`smlald`], of each half and the other half of `b`.
    ///
    /// ```
    /// assert_eq!(mpy::dsp::smlaldx(0x8001_7f02, 0x7ffe_81ff, -1_000_000_000_000), -997_877_681_157);
    /// ```
    fn smlaldx = "dsp_smlaldx" (a: u32, b: u32, sum: i64) -> i64 {
        smlald(a, b.rotate_right(16), sum)
    }

    /// As [`smlsd`], with a sum of 64 bits.
    ///
    /// ```
    /// assert_eq!(mpy::dsp::smlsld(0x8001_7f02, 0x7ffe_81ff, -1_000_000_000_000), -999_975_160_576);
    /// ```
    fn smlsld = "dsp_smlsld" (a: u32, b: u32, sum: i64) -> i64 {
        sum.wrapping_add(i64::from(low(a) * low(b))).wrapping_sub(i64::from(high(a) * high(b)))
    }

    /// As [`smlsld`], of each half and the other half of `b`.
    ///
    /// ```
    /// assert_eq!(mpy::dsp::smlsldx(0x8001_7f02, 0x7ffe_81ff, -1_000_000_000_000), -999_991_611_395);
    /// ```
    fn smlsldx = "dsp_smlsldx" (a: u32, b: u32, sum: i64) -> i64 {
        smlsld(a, b.rotate_right(16), sum)
    }

    /// The product of `a` and the low half of `b`, without its lowest 16 bits.
    ///
    /// ```
    /// assert_eq!(mpy::dsp::smulwb(-70_000, 0x7ffe_81ff), 34_454);
    /// ```
    fn smulwb = "dsp_smulwb" (a: i32, b: u32) -> i32 {
        ((i64::from(a) * i64::from(low(b))) >> 16) as i32
    }

    /// The product of `a` and the high half of `b`, without its lowest 16 bits.
    ///
    /// ```
    /// assert_eq!(mpy::dsp::smulwt(-70_000, 0x7ffe_81ff), -34_998);
    /// ```
    fn smulwt = "dsp_smulwt" (a: i32, b: u32) -> i32 {
        ((i64::from(a) * i64::from(high(b))) >> 16) as i32
    }

    /// `sum` and [`smulwb`]. It wraps at 32 bits.
    ///
    /// ```
    /// assert_eq!(mpy::dsp::smlawb(-70_000, 0x7ffe_81ff, 7), 34_461);
    /// ```
    fn smlawb = "dsp_smlawb" (a: i32, b: u32, sum: i32) -> i32 {
        sum.wrapping_add(smulwb(a, b))
    }

    /// `sum` and [`smulwt`]. It wraps at 32 bits.
    ///
    /// ```
    /// assert_eq!(mpy::dsp::smlawt(-70_000, 0x7ffe_81ff, 7), -34_991);
    /// ```
    fn smlawt = "dsp_smlawt" (a: i32, b: u32, sum: i32) -> i32 {
        sum.wrapping_add(smulwt(a, b))
    }

    /// The upper 32 bits of a product.
    ///
    /// ```
    /// assert_eq!(mpy::dsp::smmul(-70_000, 123_456_789), -2_013);
    /// ```
    fn smmul = "dsp_smmul" (a: i32, b: i32) -> i32 {
        ((i64::from(a) * i64::from(b)) >> 32) as i32
    }

    /// The upper 32 bits of a product, rounded.
    ///
    /// ```
    /// assert_eq!(mpy::dsp::smmulr(-70_000, 123_456_789), -2_012);
    /// ```
    fn smmulr = "dsp_smmulr" (a: i32, b: i32) -> i32 {
        ((i64::from(a) * i64::from(b) + 0x8000_0000) >> 32) as i32
    }

    /// `sum` and the upper 32 bits of a product. It wraps at 32 bits.
    ///
    /// ```
    /// assert_eq!(mpy::dsp::smmla(-70_000, 123_456_789, 7), -2_006);
    /// ```
    fn smmla = "dsp_smmla" (a: i32, b: i32, sum: i32) -> i32 {
        sum.wrapping_add(smmul(a, b))
    }

    /// A sum that saturates.
    ///
    /// ```
    /// assert_eq!(mpy::dsp::qadd(-70_000, 123_456_789), 123_386_789);
    /// ```
    fn qadd = "dsp_qadd" (a: i32, b: i32) -> i32 {
        a.saturating_add(b)
    }

    /// A difference that saturates.
    ///
    /// ```
    /// assert_eq!(mpy::dsp::qsub(-70_000, 123_456_789), -123_526_789);
    /// ```
    fn qsub = "dsp_qsub" (a: i32, b: i32) -> i32 {
        a.saturating_sub(b)
    }

    /// Sums of halves that saturate.
    ///
    /// ```
    /// assert_eq!(mpy::dsp::qadd16(0x8001_7f02, 0x7ffe_81ff), 0xffff_0101);
    /// ```
    fn qadd16 = "dsp_qadd16" (a: u32, b: u32) -> u32 {
        halves(a, b, |a, b| saturated16(a + b))
    }

    /// Differences of halves that saturate.
    ///
    /// ```
    /// assert_eq!(mpy::dsp::qsub16(0x8001_7f02, 0x7ffe_81ff), 0x8000_7fff);
    /// ```
    fn qsub16 = "dsp_qsub16" (a: u32, b: u32) -> u32 {
        halves(a, b, |a, b| saturated16(a - b))
    }

    /// Sums of halves that wrap.
    ///
    /// ```
    /// assert_eq!(mpy::dsp::sadd16(0x8001_7f02, 0x7ffe_81ff), 0xffff_0101);
    /// ```
    fn sadd16 = "dsp_sadd16" (a: u32, b: u32) -> u32 {
        halves(a, b, |a, b| a + b)
    }

    /// Differences of halves that wrap.
    ///
    /// ```
    /// assert_eq!(mpy::dsp::ssub16(0x8001_7f02, 0x7ffe_81ff), 0x0003_fd03);
    /// ```
    fn ssub16 = "dsp_ssub16" (a: u32, b: u32) -> u32 {
        halves(a, b, |a, b| a - b)
    }

    /// Sums of halves, divided by two and rounded down.
    ///
    /// ```
    /// assert_eq!(mpy::dsp::shadd16(0x8001_7f02, 0x7ffe_81ff), 0xffff_0080);
    /// ```
    fn shadd16 = "dsp_shadd16" (a: u32, b: u32) -> u32 {
        halves(a, b, |a, b| (a + b) >> 1)
    }

    /// Differences of halves, divided by two and rounded down.
    ///
    /// ```
    /// assert_eq!(mpy::dsp::shsub16(0x8001_7f02, 0x7ffe_81ff), 0x8001_7e81);
    /// ```
    fn shsub16 = "dsp_shsub16" (a: u32, b: u32) -> u32 {
        halves(a, b, |a, b| (a - b) >> 1)
    }

    /// Sums of signed bytes that saturate.
    ///
    /// ```
    /// assert_eq!(mpy::dsp::qadd8(0x8001_7f02, 0x7ffe_81ff), 0xffff_0001);
    /// ```
    fn qadd8 = "dsp_qadd8" (a: u32, b: u32) -> u32 {
        bytes(a, b, |a, b| signed(a).saturating_add(signed(b)).cast_unsigned())
    }

    /// Differences of signed bytes that saturate.
    ///
    /// ```
    /// assert_eq!(mpy::dsp::qsub8(0x8001_7f02, 0x7ffe_81ff), 0x8003_7f03);
    /// ```
    fn qsub8 = "dsp_qsub8" (a: u32, b: u32) -> u32 {
        bytes(a, b, |a, b| signed(a).saturating_sub(signed(b)).cast_unsigned())
    }

    /// Sums of bytes that wrap.
    ///
    /// ```
    /// assert_eq!(mpy::dsp::sadd8(0x8001_7f02, 0x7ffe_81ff), 0xffff_0001);
    /// ```
    fn sadd8 = "dsp_sadd8" (a: u32, b: u32) -> u32 {
        bytes(a, b, u8::wrapping_add)
    }

    /// Differences of bytes that wrap.
    ///
    /// ```
    /// assert_eq!(mpy::dsp::ssub8(0x8001_7f02, 0x7ffe_81ff), 0x0103_fe03);
    /// ```
    fn ssub8 = "dsp_ssub8" (a: u32, b: u32) -> u32 {
        bytes(a, b, u8::wrapping_sub)
    }

    /// Sums of unsigned bytes that saturate.
    ///
    /// ```
    /// assert_eq!(mpy::dsp::uqadd8(0x8001_7f02, 0x7ffe_81ff), 0xffff_ffff);
    /// ```
    fn uqadd8 = "dsp_uqadd8" (a: u32, b: u32) -> u32 {
        bytes(a, b, u8::saturating_add)
    }

    /// Differences of unsigned bytes that saturate.
    ///
    /// ```
    /// assert_eq!(mpy::dsp::uqsub8(0x8001_7f02, 0x7ffe_81ff), 0x0100_0000);
    /// ```
    fn uqsub8 = "dsp_uqsub8" (a: u32, b: u32) -> u32 {
        bytes(a, b, u8::saturating_sub)
    }

    /// Sums of unsigned bytes, divided by two and rounded down.
    ///
    /// ```
    /// assert_eq!(mpy::dsp::uhadd8(0x8001_7f02, 0x7ffe_81ff), 0x7f7f_8080);
    /// ```
    fn uhadd8 = "dsp_uhadd8" (a: u32, b: u32) -> u32 {
        bytes(a, b, |a, b| u16::midpoint(a.into(), b.into()) as u8)
    }

    /// The sum of the differences of unsigned bytes, without signs.
    ///
    /// ```
    /// assert_eq!(mpy::dsp::usad8(0x8001_7f02, 0x7ffe_81ff), 509);
    /// ```
    fn usad8 = "dsp_usad8" (a: u32, b: u32) -> u32 {
        usada8(a, b, 0)
    }

    /// `sum` and [`usad8`]. It wraps at 32 bits.
    ///
    /// ```
    /// assert_eq!(mpy::dsp::usada8(0x8001_7f02, 0x7ffe_81ff, 7), 516);
    /// ```
    fn usada8 = "dsp_usada8" (a: u32, b: u32, sum: u32) -> u32 {
        a.to_le_bytes().into_iter().zip(b.to_le_bytes()).fold(sum, |sum, (a, b)| sum.wrapping_add(a.abs_diff(b).into()))
    }

    /// Bytes 0 and 2 as signed numbers, in the halves.
    ///
    /// ```
    /// assert_eq!(mpy::dsp::sxtb16(0x8001_7f02), 0x0001_0002);
    /// ```
    fn sxtb16 = "dsp_sxtb16" (a: u32) -> u32 {
        pair([signed(a as u8).into(), signed((a >> 16) as u8).into()])
    }

    /// Bytes 1 and 3 as signed numbers, in the halves.
    ///
    /// ```
    /// assert_eq!(mpy::dsp::sxtb16_ror8(0x8001_7f02), 0xff80_007f);
    /// ```
    fn sxtb16_ror8 = "dsp_sxtb16_ror8" (a: u32) -> u32 {
        sxtb16(a >> 8)
    }

    /// Bytes 0 and 2 of `b` as signed numbers, added to the halves of `a`. Sums wrap.
    ///
    /// ```
    /// assert_eq!(mpy::dsp::sxtab16(0x7ffe_81ff, 0x8001_7f02), 0x7fff_8201);
    /// ```
    fn sxtab16 = "dsp_sxtab16" (a: u32, b: u32) -> u32 {
        sadd16(a, sxtb16(b))
    }

    /// Bytes 1 and 3 of `b` as signed numbers, added to the halves of `a`. Sums wrap.
    ///
    /// ```
    /// assert_eq!(mpy::dsp::sxtab16_ror8(0x7ffe_81ff, 0x8001_7f02), 0x7f7e_827e);
    /// ```
    fn sxtab16_ror8 = "dsp_sxtab16_ror8" (a: u32, b: u32) -> u32 {
        sadd16(a, sxtb16_ror8(b))
    }

    /// Bytes 0 and 2 as unsigned numbers, in the halves.
    ///
    /// ```
    /// assert_eq!(mpy::dsp::uxtb16(0x8001_7f02), 0x0001_0002);
    /// ```
    fn uxtb16 = "dsp_uxtb16" (a: u32) -> u32 {
        a & 0x00ff_00ff
    }

    /// Bytes 1 and 3 as unsigned numbers, in the halves.
    ///
    /// ```
    /// assert_eq!(mpy::dsp::uxtb16_ror8(0x8001_7f02), 0x0080_007f);
    /// ```
    fn uxtb16_ror8 = "dsp_uxtb16_ror8" (a: u32) -> u32 {
        uxtb16(a >> 8)
    }

    /// The low half of `a`, and above it the high half of `b`.
    ///
    /// ```
    /// assert_eq!(mpy::dsp::pkhbt(0x1111_2222, 0x3333_4444), 0x3333_2222);
    /// ```
    fn pkhbt = "dsp_pkhbt" (a: u32, b: u32) -> u32 {
        a & 0xffff | b & 0xffff_0000
    }

    /// The low half of `a`, and above it that of `b`.
    ///
    /// ```
    /// assert_eq!(mpy::dsp::pkhbt_lsl16(0x1111_2222, 0x3333_4444), 0x4444_2222);
    /// ```
    fn pkhbt_lsl16 = "dsp_pkhbt_lsl16" (a: u32, b: u32) -> u32 {
        a & 0xffff | b << 16
    }

    /// The high half of `b`, and above it that of `a`.
    ///
    /// ```
    /// assert_eq!(mpy::dsp::pkhtb_asr16(0x1111_2222, 0x3333_4444), 0x1111_3333);
    /// ```
    fn pkhtb_asr16 = "dsp_pkhtb_asr16" (a: u32, b: u32) -> u32 {
        a & 0xffff_0000 | b >> 16
    }

    /// `sum` and the product of floats. Processors with an FPU for it (Cortex-M4F and higher) round once, behind the sum; others
    /// round the product too. Results can therefore differ in their last bits.
    ///
    /// ```
    /// assert_eq!(mpy::dsp::vfma(1.5, 2.0, 0.25), 3.25);
    /// ```
    fn vfma = "dsp_vfma" (a: f32, b: f32, sum: f32) -> f32 {
        a * b + sum
    }

    /// `sum` less the product of floats, rounded as [`vfma`] does it.
    ///
    /// ```
    /// assert_eq!(mpy::dsp::vfms(1.5, 2.0, 0.25), -2.75);
    /// ```
    fn vfms = "dsp_vfms" (a: f32, b: f32, sum: f32) -> f32 {
        sum - a * b
    }
}

/// `value`, or the signed number of `BITS` bits, from 1 to 32, that is next to it.
///
/// ```
/// assert_eq!(mpy::dsp::ssat::<16>(-70_000), -32768);
/// assert_eq!(mpy::dsp::ssat::<8>(100), 100);
/// ```
#[inline(always)]
#[must_use]
pub fn ssat<const BITS: u32>(value: i32) -> i32 {
    const { assert!(1 <= BITS && BITS <= 32, "a signed number has 1 to 32 bits") };
    #[cfg(target_arch = "wasm32")]
    return dsp_ssat(value, BITS);
    #[cfg(not(target_arch = "wasm32"))]
    value.clamp(i32::MIN >> (32 - BITS), i32::MAX >> (32 - BITS))
}

/// `value`, or the unsigned number of `BITS` bits, from 0 to 31, that is next to it.
///
/// ```
/// assert_eq!(mpy::dsp::usat::<8>(300), 255);
/// assert_eq!(mpy::dsp::usat::<8>(-1), 0);
/// ```
#[inline(always)]
#[must_use]
pub fn usat<const BITS: u32>(value: i32) -> u32 {
    const { assert!(BITS <= 31, "an unsigned number of a signed one has up to 31 bits") };
    #[cfg(target_arch = "wasm32")]
    return dsp_usat(value, BITS);
    #[cfg(not(target_arch = "wasm32"))]
    value.clamp(0, ((1u32 << BITS) - 1).cast_signed()).cast_unsigned()
}

#[cfg(target_arch = "wasm32")]
#[link(wasm_import_module = "mpy")]
unsafe extern "C" {
    safe fn dsp_ssat(value: i32, bits: u32) -> i32;
    safe fn dsp_usat(value: i32, bits: u32) -> u32;
}
