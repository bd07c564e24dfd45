//! The architectures. Each is a static value: data, and functions for what cannot be expressed as data.
//!
//! `description.rs` defines the type. The file of each architecture starts with what is special about it.

mod arm;
mod description;
mod riscv;
mod x64;
mod x86;
mod xtensa;

pub use self::description::Arch;

/// All architectures.
pub static ARCHS: &[&Arch] = &[
    &x86::X86,
    &x64::X64,
    &arm::ARMV6M,
    &arm::ARMV7M,
    &arm::ARMV7EMSP,
    &arm::ARMV7EMDP,
    &arm::ARMV81M,
    &xtensa::XTENSA,
    &xtensa::XTENSAWIN,
    &riscv::RV32IMC,
    &riscv::RV64IMC,
];

/// The architecture called `name`.
pub fn named(name: &str) -> Option<&'static Arch> {
    ARCHS.iter().copied().find(|arch| arch.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reloc::{Misfit, Range, Row, load, mask};

    /// Every row of every architecture.
    fn rows() -> impl Iterator<Item = (&'static str, &'static Row)> {
        ARCHS.iter().flat_map(|arch| arch.rows.iter().map(move |row| (arch.name, row)))
    }

    #[test]
    fn a_write_changes_only_its_field_and_reads_back() {
        for (arch, row) in rows() {
            let field = row.field;
            let bytes = usize::from(field.bytes);
            let ours = field.bits.iter().fold(0, |all, part| all | mask(part.count) << part.to);
            let (low, high) = field.range.bounds();
            let align = i64::from(field.align);
            let mut values = vec![0, align, -align, low, high - high.rem_euclid(align)];
            values.extend((0..62).flat_map(|power| [1i64 << power, -(1i64 << power)]));
            for value in values {
                if value < low || value > high || value.rem_euclid(align) != 0 {
                    continue;
                }
                for fill in [0x00, 0xff, 0xa5] {
                    let mut place = vec![fill; bytes + 2];
                    field.write(&mut place, value).unwrap();
                    assert_eq!(place[bytes..], [fill; 2], "{arch} {}: bytes after the field", row.name);
                    let before = load(&vec![fill; bytes]);
                    let changed = load(&place[..bytes]) ^ before;
                    assert_eq!(changed & !ours, 0, "{arch} {}: {value:#x} changed other bits", row.name);
                    let rounded = field.bits.iter().any(|part| part.round != 0);
                    if !rounded && field.addend.is_none() && matches!(field.range, Range::Signed(_)) {
                        assert_eq!(field.read(&place), Some(value), "{arch} {}: {value:#x}", row.name);
                    }
                }
            }
        }
    }

    #[test]
    fn values_past_either_end_and_odd_ones_are_refused() {
        for (arch, row) in rows() {
            let field = row.field;
            let mut place = vec![0x5a; usize::from(field.bytes)];
            let untouched = place.clone();
            let (low, high) = field.range.bounds();
            for value in [low.checked_sub(1), high.checked_add(1)].into_iter().flatten() {
                assert_eq!(
                    field.write(&mut place, value),
                    Err(Misfit::OutOfRange),
                    "{arch} {}: {value:#x}",
                    row.name
                );
            }
            if field.align > 1 {
                assert_eq!(field.write(&mut place, 1), Err(Misfit::Misaligned), "{arch} {}", row.name);
            }
            if let Some(short) = place.len().checked_sub(1) {
                assert_eq!(field.write(&mut place[..short], 0), Err(Misfit::Truncated));
                assert_eq!(field.read(&untouched[..short]), None);
            }
            assert_eq!(place, untouched);
        }
    }

    #[test]
    fn addresses_of_32_bits_wrap_around_where_a_field_contains_all_of_them() {
        for (arch, row) in rows().filter(|(_, row)| row.field.bytes > 0) {
            let (low, high) = row.field.range.bounds();
            let has_all = high.abs_diff(low) >= u64::from(u32::MAX);
            for value in
                [-1 << 32, -0x8000_0801, -0x8000_0155, -1, 0, 0x7fff_f800, 0x8000_0155, 0xffff_ffff, 1 << 32]
            {
                let wrapped = row.field.range.wrap_32(value);
                assert_eq!(wrapped as u32, value as u32, "{arch} {}: {value:#x}", row.name);
                assert!(!has_all || (low..=high).contains(&wrapped), "{arch} {}: {value:#x}", row.name);
                assert!(has_all || wrapped == value, "{arch} {}: {value:#x}", row.name);
            }
        }
    }

    #[test]
    fn tables_are_sorted_and_fields_do_not_overlap() {
        for arch in ARCHS {
            assert!(arch.rows.windows(2).all(|pair| pair[0].r_type < pair[1].r_type), "{}", arch.name);
        }
        for (arch, row) in rows() {
            let mut seen = 0;
            for part in row.field.bits {
                assert!(part.to + part.count <= row.field.bytes * 8, "{arch} {}", row.name);
                assert_eq!(seen & mask(part.count) << part.to, 0, "{arch} {}", row.name);
                seen |= mask(part.count) << part.to;
            }
        }
    }
}
