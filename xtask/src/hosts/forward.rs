//! Compiled for Windows under the names of programs of the system below Wine: passes its command line to `cargo xtask hosts`,
//! which runs that program there. Wine starts such programs itself, but does not wait for them.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};

fn main() -> io::Result<()> {
    let name = std::env::current_exe()?.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let folder = std::env::current_dir()?.to_string_lossy().into_owned();
    let mut words = vec![folder, name];
    words.extend(std::env::args().skip(1));
    let address = std::env::var("FORWARD_TO").map_err(io::Error::other)?;
    let mut stream = TcpStream::connect(address)?;
    stream.write_all(words.join("\0").as_bytes())?;
    stream.shutdown(Shutdown::Write)?;

    let mut numbers = [0; 8];
    stream.read_exact(&mut numbers)?;
    let number = |at: usize| i32::from_le_bytes(std::array::from_fn(|i| numbers[at + i]));
    let mut output = vec![0; number(4).unsigned_abs() as usize];
    stream.read_exact(&mut output)?;
    let mut errors = Vec::new();
    stream.read_to_end(&mut errors)?;
    io::stdout().write_all(&output)?;
    io::stderr().write_all(&errors)?;
    std::process::exit(number(0))
}
