//! The lines that boards are connected to: serial ports, which are found automatically, and sockets.

#[cfg(unix)]
use std::fs::File;
use std::io::{self, Read, Write};
use std::net::TcpStream;
#[cfg(unix)]
use std::os::fd::{AsRawFd, BorrowedFd};
use std::time::{Duration, Instant};

use serialport::{SerialPort, SerialPortInfo, SerialPortType};
use target_specs::{Diagnostic, Place, Result};

use super::plain::plain;
use super::rfc2217::Remote;
use super::transport::Transport;
use crate::ui;

/// The usual rate of UARTs on MicroPython boards. It has no effect on USB.
pub const BAUD: u32 = 115_200;

/// A stream with a time limit for each operation, such as serial ports and sockets.
trait Timed: Read + Write + Send {
    fn limit(&mut self, time: Duration) -> io::Result<()>;
}

/// A serial port of this computer. Other programs cannot open it at the same time.
struct Serial(Native);

#[cfg(unix)]
type Native = serialport::TTYPort;
#[cfg(windows)]
type Native = serialport::COMPort;

impl Serial {
    fn open(path: &str, baud: u32) -> serialport::Result<Serial> {
        serialport::new(path, baud).timeout(Duration::from_secs(1)).open_native().map(Serial)
    }
}

/// A lock on a file lasts until the last copy of its descriptor is closed. Each process that another thread starts has
/// copies of all descriptors until it executes its program. The port is therefore unlocked before it is closed.
#[cfg(unix)]
impl Drop for Serial {
    fn drop(&mut self) {
        // SAFETY: the port is not used after this.
        let port = unsafe { BorrowedFd::borrow_raw(self.0.as_raw_fd()) };
        let _ = port.try_clone_to_owned().and_then(|port| File::from(port).unlock());
    }
}

impl Read for Serial {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl Write for Serial {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.0.write(data)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl Timed for Serial {
    fn limit(&mut self, time: Duration) -> io::Result<()> {
        Ok(self.0.set_timeout(time)?)
    }
}

impl Timed for TcpStream {
    fn limit(&mut self, time: Duration) -> io::Result<()> {
        self.set_read_timeout(Some(time))?;
        self.set_write_timeout(Some(time))
    }
}

impl Timed for Remote {
    fn limit(&mut self, time: Duration) -> io::Result<()> {
        Remote::limit(self, time)
    }
}

/// An open line. It is closed when this is dropped.
pub struct Port {
    /// The name that it was opened by.
    pub name: String,
    stream: Box<dyn Timed>,
}

impl Port {
    /// Sets the time limit of the stream to the remaining time.
    fn limit(&mut self, deadline: Instant) -> io::Result<()> {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        self.stream.limit(left.max(Duration::from_millis(1)))
    }
}

/// Streams report a timeout in different ways.
fn kind(error: &io::Error) -> io::ErrorKind {
    match error.kind() {
        io::ErrorKind::WouldBlock => io::ErrorKind::TimedOut,
        kind => kind,
    }
}

impl Transport for Port {
    fn read(&mut self, buffer: &mut [u8], deadline: Instant) -> io::Result<usize> {
        loop {
            self.limit(deadline)?;
            match self.stream.read(buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(io::Error::new(kind(&error), error)),
                Ok(n) => return Ok(n),
            }
        }
    }

    fn write(&mut self, mut data: &[u8], deadline: Instant) -> io::Result<()> {
        while !data.is_empty() {
            self.limit(deadline)?;
            match self.stream.write(data) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(io::Error::new(kind(&error), error)),
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(n) => data = &data[n..],
            }
        }
        Ok(())
    }
}

/// A serial port that a board may be connected to.
#[derive(Debug, Clone)]
pub struct Found {
    /// The value for `--port`.
    pub path: String,
    /// USB vendor and product, `2e8a:0005`.
    pub usb: String,
    /// The value for `--port id:…`.
    pub serial: String,
    /// The name of the device.
    pub product: String,
}

/// The USB serial ports of this computer. Boards are not looked for elsewhere.
///
/// # Errors
/// `port` if the system cannot list them.
pub fn ports() -> Result<Vec<Found>> {
    let all = serialport::available_ports()
        .map_err(|error| Diagnostic::new("port", format!("cannot list serial ports: {error}")))?;
    let mut found: Vec<Found> = all.into_iter().filter_map(usb).collect();
    found.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(found)
}

fn usb(port: SerialPortInfo) -> Option<Found> {
    let SerialPortType::UsbPort(usb) = port.port_type else { return None };
    Some(Found {
        path: port.port_name,
        usb: format!("{:04x}:{:04x}", usb.vid, usb.pid),
        // The text comes from the device and is not trusted.
        serial: plain(&usb.serial_number.unwrap_or_default()),
        product: plain(&usb.product.unwrap_or_default()),
    })
}

/// The ports of all connected boards: those with the USB IDs of known boards, or otherwise all on USB.
///
/// # Errors
/// `no-port` if there are none; `port` if the system cannot list them.
pub fn boards() -> Result<Vec<Found>> {
    let found = likely(ports()?);
    if found.is_empty() { Err(no_board()) } else { Ok(found) }
}

fn no_board() -> Diagnostic {
    Diagnostic::new("no-port", "no board is connected by USB")
        .help("connect one, or name its port with `--port`")
}

/// Opens the port called `name`: `auto`, `id:SERIAL`, `socket://HOST:PORT`, `rfc2217://HOST:PORT`, or the path of a
/// port.
///
/// # Errors
/// `no-port`; `which-port` if several ports are possible; `port` if the port cannot be opened.
pub fn open(name: &str, baud: u32) -> Result<Port> {
    if let Some(address) = name.strip_prefix("socket://") {
        let stream = TcpStream::connect(address).and_then(|stream| {
            stream.set_nodelay(true)?;
            Ok(stream)
        });
        let stream =
            stream.map_err(|error| cannot_open(name, &error.to_string(), "does anything listen there?"))?;
        return Ok(Port { name: name.to_owned(), stream: Box::new(stream) });
    }
    if let Some(address) = name.strip_prefix("rfc2217://") {
        // Options after the address that other programs accept.
        let address = address.split(['?', '/']).next().unwrap_or_default();
        let remote = Remote::connect(address, baud).map_err(|error| {
            cannot_open(name, &error.to_string(), "does a server of serial ports listen there?")
        })?;
        return Ok(Port { name: name.to_owned(), stream: Box::new(remote) });
    }
    let path = match name.strip_prefix("id:") {
        Some(serial) => only(ports()?, |port| port.serial == serial)?,
        None if name == "auto" => only(likely(ports()?), |_| true)?,
        None => name.to_owned(),
    };
    let stream = Serial::open(&path, baud).map_err(|error| {
        let help = match error.kind() {
            serialport::ErrorKind::Io(io::ErrorKind::PermissionDenied) => {
                "your user may not open it: on Linux join the group `dialout` and log in again"
            }
            serialport::ErrorKind::NoDevice if error.to_string().contains("ermission") => {
                "your user may not open it: on Linux join the group `dialout` and log in again"
            }
            serialport::ErrorKind::NoDevice if std::path::Path::new(&path).exists() => {
                "another program has it open: a monitor, an editor, mpremote"
            }
            _ => "`cargo mpy boards --connected` lists the ports there are",
        };
        cannot_open(&path, &error.to_string(), help)
    })?;
    Ok(Port { name: path, stream: Box::new(stream) })
}

fn cannot_open(name: &str, why: &str, help: &str) -> Diagnostic {
    Diagnostic::new("port", format!("cannot open the port: {why}"))
        .at(Place::Item(name.to_owned()))
        .help(help)
}

/// The ports with the vendor and product of a known board's own USB port, if there are any. Other ports may belong to
/// boards with a USB-to-serial chip, or to no board.
fn likely(mut ports: Vec<Found>) -> Vec<Found> {
    let known =
        |port: &Found| target_specs::boards().iter().any(|board| board.usb.as_deref() == Some(&port.usb));
    if ports.iter().any(known) {
        ports.retain(known);
    }
    ports
}

/// The port to use, if there is exactly one.
fn only(ports: Vec<Found>, wanted: impl Fn(&Found) -> bool) -> Result<String> {
    let matching: Vec<&Found> = ports.iter().filter(|port| wanted(port)).collect();
    let one = |port: &Found| format!("{} {} {}", port.path, port.serial, port.product).trim_end().to_owned();
    let list = |ports: &[&Found]| ports.iter().map(|port| format!("\n{}", one(port))).collect::<String>();
    match matching[..] {
        [port] => Ok(port.path.clone()),
        [] if ports.is_empty() => Err(no_board()),
        [] => Err(Diagnostic::new("no-port", "no board with this serial number is connected")
            .help(format!("there are:{}", list(&ports.iter().collect::<Vec<_>>())))),
        _ => {
            let lines: Vec<String> = matching.iter().map(|port| one(port)).collect();
            match ui::choose("several boards are connected; which one?", &lines) {
                Some(at) => Ok(matching[at].path.clone()),
                None => Err(Diagnostic::new("which-port", "several boards are connected").help(format!(
                    "choose one with `--port PATH` or `--port id:SERIAL`:{}",
                    list(&matching)
                ))),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, serial: &str) -> Found {
        Found { path: path.into(), usb: String::new(), serial: serial.into(), product: "Board".into() }
    }

    #[test]
    fn a_known_board_goes_before_what_may_be_one() {
        let paths = |ports: [(&str, &str); 2]| {
            let ports = ports.map(|(path, usb)| Found { usb: usb.into(), ..found(path, "") });
            likely(ports.into()).into_iter().map(|port| port.path).collect::<Vec<_>>()
        };
        assert_eq!(paths([("/dev/a", "10c4:ea60"), ("/dev/b", "2e8a:0005")]), ["/dev/b"]);
        assert_eq!(paths([("/dev/a", "f055:9800"), ("/dev/b", "2e8a:0005")]), ["/dev/a", "/dev/b"]);
        assert_eq!(paths([("/dev/a", "10c4:ea60"), ("/dev/b", "1a86:7523")]), ["/dev/a", "/dev/b"]);
    }

    #[test]
    fn a_port_is_taken_when_there_is_one_choice() {
        let two = || vec![found("/dev/a", "1"), found("/dev/b", "2")];
        assert_eq!(only(vec![found("/dev/a", "1")], |_| true).unwrap(), "/dev/a");
        assert_eq!(only(two(), |port| port.serial == "2").unwrap(), "/dev/b");
        assert_eq!(only(two(), |_| true).unwrap_err().code, "which-port");
        assert_eq!(only(two(), |port| port.serial == "3").unwrap_err().code, "no-port");
        assert_eq!(only(Vec::new(), |_| true).unwrap_err().code, "no-port");
    }

    #[cfg(unix)]
    #[test]
    fn a_closed_port_can_be_opened_while_a_process_starts() {
        let (_master, terminal) = serialport::TTYPort::pair().unwrap();
        let path = terminal.name().unwrap();
        let port = Serial::open(&path, BAUD).unwrap();
        // The copy that a process has while it is started.
        let copy = port.0.try_clone_native().unwrap();
        assert_eq!(open(&path, BAUD).err().unwrap().code, "port");
        drop(port);
        open(&path, BAUD).unwrap();
        drop(copy);
    }

    #[test]
    fn what_is_not_there_is_said() {
        let error = open("/dev/there-is-no-such-port", BAUD).err().unwrap();
        assert_eq!(error.code, "port");
    }
}
