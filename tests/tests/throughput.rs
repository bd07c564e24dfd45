//! A file gets to a board with fewer bytes on the line than it has, if it can be compressed, and few more if not; and with
//! many fewer than by mpremote. How long that takes, `cargo xtask line` measures.

use std::io::Write;

use tests::board;
use tests::line::{self, code, noise, ours, theirs};
use tests::unix::{Kind, UnixBoard};

#[test]
fn code_on_a_board() {
    let (board, why_not) = board::boards()
        .into_iter()
        .find(|(board, _)| board.name == "qemu-armv6m")
        .expect("there is such a board");
    if let Some(why) = why_not {
        eprintln!("skipped: {} ({why})", board.name);
        return;
    }
    let served = line::serve(board, None).expect("a board");
    let data = code(24_576).expect("some code");
    let mut file = tempfile::NamedTempFile::new().expect("a file");
    file.write_all(&data).expect("a file");
    let ours = ours(&served, &data).expect("a transfer").bytes;
    let before = served.bytes();
    theirs(&served.path, file.path()).expect("mpremote");
    let theirs = served.bytes() - before;
    eprintln!("{} bytes: {ours} on the line, by mpremote {theirs}", data.len());
    assert!(ours <= data.len() && ours * 3 <= theirs, "{ours} bytes, mpremote {theirs}");
}

#[test]
fn noise_on_this_machine() {
    let files = tempfile::tempdir().expect("a folder");
    let board = UnixBoard::start(files.path(), Kind::Quick).expect("a board");
    let served = line::serve_line(board, None).expect("a line");
    let data = noise(131_072);
    let bytes = ours(&served, &data).expect("a transfer").bytes;
    eprintln!("{} bytes: {bytes} on the line", data.len());
    assert!(bytes * 100 <= data.len() * 105, "{bytes} bytes");
}
