//! The port of a board: the flags of every command that uses one, and their defaults from the environment and files.

use std::path::Path;

use clap::Args;
use serde::Deserialize;
use target_specs::{Diagnostic, Place, Result};

use crate::serial::port::{self, Port};
use crate::ui;

/// The environment variable that names the port if no flag does.
const VARIABLE: &str = "CARGO_MPY_PORT";
/// Settings for one computer, in the directory of Cargo.toml or above it. It does not belong in a repository.
pub const LOCAL_FILE: &str = "mpy.local.toml";

/// The port of a board.
#[derive(Debug, Clone, Default, Args)]
pub struct PortArgs {
    /// Port of the board: `auto`, `id:SERIAL`, a path such as /dev/ttyACM0 or COM3, socket://HOST:PORT or
    /// rfc2217://HOST:PORT [default: from `CARGO_MPY_PORT`, mpy.local.toml or Cargo.toml, otherwise `auto`]
    #[arg(long, value_name = "PORT")]
    pub port: Option<String>,

    /// Bits per second, if the port is a UART [default: 115200]
    #[arg(long, value_name = "RATE")]
    pub baud: Option<u32>,
}

/// The settings of a port.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    port: Option<String>,
    baud: Option<u32>,
    /// The directory on the board for modules.
    pub dest: Option<String>,
}

impl Settings {
    fn or(self, other: Settings) -> Settings {
        Settings {
            port: self.port.or(other.port),
            baud: self.baud.or(other.baud),
            dest: self.dest.or(other.dest),
        }
    }
}

impl PortArgs {
    /// The port called `port`; `auto` means the one in the settings.
    pub fn at(port: &str) -> PortArgs {
        PortArgs { port: (port != "auto").then(|| port.to_owned()), baud: None }
    }

    /// The settings from flags, the environment and files. Earlier ones override later ones.
    ///
    /// # Errors
    /// `bad-value` if a file is not valid.
    pub fn settings(&self) -> Result<Settings> {
        let flags = Settings { port: self.port.clone(), baud: self.baud, dest: None };
        let variable = std::env::var(VARIABLE).ok().filter(|value| !value.is_empty());
        let variable = Settings { port: variable, ..Settings::default() };
        let here = std::env::current_dir().unwrap_or_default();
        Ok(flags.or(variable).or(of_folder(&here)?))
    }

    /// Opens the port.
    ///
    /// # Errors
    /// As [`PortArgs::settings`] and [`port::open`].
    pub fn open(&self) -> Result<Port> {
        let settings = self.settings()?;
        let name = settings.port.as_deref().unwrap_or("auto");
        ui::verbose("Opening", name);
        port::open(name, settings.baud.unwrap_or(port::BAUD))
    }

    /// Whether a port is named, or a board is connected to USB.
    ///
    /// # Errors
    /// As [`PortArgs::settings`].
    pub fn leads_somewhere(&self) -> Result<bool> {
        Ok(self.settings()?.port.is_some_and(|port| port != "auto")
            || port::ports().is_ok_and(|ports| !ports.is_empty()))
    }
}

/// The settings in the nearest files. The local file overrides Cargo.toml.
fn of_folder(folder: &Path) -> Result<Settings> {
    let nearest = |name: &str| {
        let mut paths = folder.ancestors().map(|above| above.join(name));
        paths.find_map(|path| Some((std::fs::read_to_string(&path).ok()?, path)))
    };
    let mut settings = Settings::default();
    if let Some((text, path)) = nearest(LOCAL_FILE) {
        let wrong = |error: toml::de::Error| {
            let line = error.span().map_or(0, |span| text[..span.start].matches('\n').count() as u32 + 1);
            Diagnostic::new("bad-value", error.message().to_owned())
                .at(Place::File { path: path.clone(), line, column: 0 })
                .help("it takes `port`, `baud` and `dest`")
        };
        settings = toml::from_str(&text).map_err(wrong)?;
    }
    // The build reports errors in the manifest.
    let manifest = nearest("Cargo.toml").and_then(|(text, _)| text.parse::<toml::Table>().ok());
    let shared = manifest.and_then(|table| {
        let table = table.get("package")?.get("metadata")?.get("mpy")?.as_table()?.clone();
        let text = |key: &str| Some(table.get(key)?.as_str()?.to_owned());
        let baud = table.get("baud").and_then(toml::Value::as_integer);
        let baud = baud.and_then(|baud| u32::try_from(baud).ok());
        Some(Settings { port: text("port"), baud, dest: text("dest") })
    });
    Ok(settings.or(shared.unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_local_file_goes_before_the_manifest() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        let inner = folder.path().join("src/deep");
        std::fs::create_dir_all(&inner).unwrap();
        write(
            "Cargo.toml",
            "[package]\nname = \"x\"\n[package.metadata.mpy]\nport = \"id:1\"\ndest = \"/lib\"\n",
        );
        let found = of_folder(&inner).unwrap();
        assert_eq!(found.port.as_deref(), Some("id:1"));
        write(LOCAL_FILE, "port = \"/dev/ttyUSB3\"\nbaud = 460800\n");
        let found = of_folder(&inner).unwrap();
        let expected =
            Settings { port: Some("/dev/ttyUSB3".into()), baud: Some(460_800), dest: Some("/lib".into()) };
        assert_eq!(found, expected);
        write(LOCAL_FILE, "port = \"a\"\nbuad = 1\n");
        let error = of_folder(&inner).unwrap_err();
        assert_eq!(error.code, "bad-value");
        assert_eq!(error.at, Place::File { path: folder.path().join(LOCAL_FILE), line: 2, column: 0 });
    }
}
