//! The boards with little memory are as strict as the chips they stand for: so much is free and no more, accesses that are
//! not aligned fault, and where text is in a memory of words, so do accesses of other sizes to it.

use target_specs::Emulator;
use tests::board;

/// A load of `size` bits at an address, in machine code.
fn peek(size: u32) -> String {
    format!("@micropython.viper\ndef peek(at: int) -> int:\n    p = ptr{size}(at)\n    return p[0]\n")
}

#[test]
fn small_boards_are_as_strict_as_their_chips() {
    for (board, why_not) in board::small_boards() {
        if let Some(why) = why_not {
            eprintln!("skipped: {} ({why})", board.name);
            continue;
        }
        let size =
            board.name.rsplit_once('-').and_then(|(_, size)| size.strip_suffix('k')?.parse::<i64>().ok());
        let size = size.expect("its name ends in its size");
        let Some(Emulator::Qemu { code, word_access_only, .. }) = &board.emulator else {
            panic!("{}", board.name)
        };
        let run = |code: &str| board::execute(board, &[], code);

        let free = run("import gc\ngc.collect()\nprint(gc.mem_free())").expect("a number");
        let free: i64 = free.trim().parse().expect("a number");
        eprintln!("{}: {free} bytes are free", board.name);
        assert!((size * 1024 - 1024..=size * 1024).contains(&free), "{}: {free} bytes are free", board.name);

        let data = "import uctypes\ndata = bytearray(16)\nat = uctypes.addressof(data)\n";
        for bits in [16, 32] {
            let aligned = run(&format!("{}{data}data[4] = 77\nprint(peek(at + 4))", peek(bits)));
            assert_eq!(aligned, Ok("77\n".to_owned()), "{}", board.name);
            let unaligned = run(&format!("{}{data}peek(at + 1)", peek(bits))).expect_err("a fault");
            assert!(unaligned.contains("faulted"), "{}: {unaligned}", board.name);
        }
        // Where native code is put.
        let text = format!("print(peek({:#x}) is None)", code[0]);
        for bits in [8, 16, 32] {
            let of_text = run(&format!("{}{text}", peek(bits)));
            match of_text {
                Err(error) if *word_access_only && bits < 32 => {
                    assert!(
                        error.contains(&format!("{bits}-bit access to memory that has 32-bit words only")),
                        "{error}"
                    );
                }
                other => assert_eq!(other, Ok("False\n".to_owned()), "{}: {bits} bits", board.name),
            }
        }
    }
}
