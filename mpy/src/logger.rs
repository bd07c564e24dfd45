//! The messages of the crate `log`, printed to Python's standard output.

use log::{LevelFilter, Log, Metadata, Record};

struct Logger;

static LOGGER: Logger = Logger;

impl Log for Logger {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        // `log` itself compares the level with the maximum.
        true
    }

    fn log(&self, record: &Record<'_>) {
        crate::println!("{} {}: {}", record.level(), record.target(), record.args());
    }

    fn flush(&self) {}
}

/// Prints the messages up to this level. Another call changes the level.
///
/// ```no_run
/// mpy::logger::init(log::LevelFilter::Info);
/// log::info!("started");
/// ```
pub fn init(level: LevelFilter) {
    // The only error is that there is a logger already, which is this one or another that the program chose.
    let _ = log::set_logger(&LOGGER);
    log::set_max_level(level);
}
