//! A file gets to a board at the line's pace, and many times as fast as by mpremote. Alone in its file: the clock runs.

use std::io::Write;

use tests::board;
use tests::line::{self, UART, code, noise, ours, theirs};
use tests::unix::{Kind, UnixBoard};

#[test]
fn at_115200_baud() {
    let (board, why_not) = board::boards()
        .into_iter()
        .find(|(board, _)| board.name == "qemu-armv6m")
        .expect("there is such a board");
    if let Some(why) = why_not {
        eprintln!("skipped: {} ({why})", board.name);
        return;
    }
    let served = line::serve(board, Some(UART)).expect("a board");
    let data = code(24_576).expect("some code");
    let mut file = tempfile::NamedTempFile::new().expect("a file");
    file.write_all(&data).expect("a file");
    let theirs = theirs(&served.path, file.path()).expect("mpremote");
    // The best of some: what disturbs the clock only makes it worse.
    let mut best = (f64::INFINITY, f64::INFINITY);
    for turn in 0..3 {
        // What is there already would not be sent.
        let data: Vec<u8> = data.iter().map(|byte| byte ^ turn).collect();
        let times = ours(&served.path, &data).expect("a transfer");
        best = (best.0.min(times.whole), best.1.min(times.transfer));
    }
    let share = data.len() as f64 / best.1 / UART;
    let ratio = theirs / best.0;
    eprintln!("{:.0} % of the line, {ratio:.1} times as fast as mpremote", share * 100.0);
    assert!(share >= 0.7 && ratio >= 4.0, "{best:?}, mpremote {theirs}");
}

#[test]
fn without_a_pace() {
    let files = tempfile::tempdir().expect("a folder");
    let board = UnixBoard::start(files.path(), Kind::Quick).expect("a board");
    let served = line::serve_line(board, None).expect("a line");
    let mut best = 0.0_f64;
    for turn in 0..3 {
        let data: Vec<u8> = noise(131_072).iter().map(|byte| byte ^ turn).collect();
        let times = ours(&served.path, &data).expect("a transfer");
        best = best.max(data.len() as f64 / times.transfer / 1e3);
    }
    eprintln!("{best:.0} kB/s");
    assert!(best >= 200.0, "{best} kB/s");
}
