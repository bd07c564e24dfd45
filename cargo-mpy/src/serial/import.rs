//! Which file `import` takes on a board.

use target_specs::{Diagnostic, Place, Result};

use super::board::{Board, garbled};
use super::plain::plain;
use super::ram::escaped;
use super::transport::Transport;

/// What `import NAME` takes on a board.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// The file that was asked for.
    Wanted,
    /// Nothing.
    Nothing,
    /// Another file or folder.
    Other(String),
    /// A module that is part of the firmware.
    Firmware,
}

impl Found {
    /// The error for a module in `file` that cannot be imported, because something else is.
    ///
    /// # Errors
    /// `shadowed`.
    pub fn check(&self, module: &str, file: &str) -> Result<()> {
        let (what, help) = match self {
            Found::Wanted | Found::Nothing => return Ok(()),
            Found::Other(path) => {
                (format!("`{path}` on the board"), "delete it, or give the module another name with `--name`")
            }
            Found::Firmware => (
                format!("the firmware's own module `{module}`"),
                "give the module another name with `--name`",
            ),
        };
        Err(Diagnostic::new("shadowed", format!("`import {module}` finds {what}, not this module"))
            .at(Place::Item(file.to_owned()))
            .help(help))
    }
}

/// Searches as `process_import_at_level` does (py/builtinimport.c). Modules of the firmware are found only by an import:
/// with an empty `sys.path` those in C, and with `.frozen` alone those in Python. Those in C that come after files can also be
/// imported with a `u` before the name. A module that was imported at the start tells its file itself.
const SEARCH: &str = "\
import sys,os
def a(p):
 if p[:1]!='/':p=os.getcwd().rstrip('/')+'/'+p
 return p
def k(p):
 try:return os.stat(p)[0]
 except OSError:return 0
def i(n,*p):
 s=sys.path[:]
 sys.path[:]=p
 try:
  __import__(n)
  return 1
 except ImportError:return 0
 except Exception:return 1
 finally:sys.path[:]=s
def s():
 c=i(m)
 if c and not i('u'+m):return '-'
 l=sys.modules.get(m)
 if l:
  p=getattr(l,'__file__',None)
  if p:return p
 for q in sys.path:
  if q=='.frozen':
   if not l and not c and i(m,q):
    sys.modules.pop(m,0)
    return '-'
   continue
  b=q+'/'+m if q else m
  if k(b)&0x4000:return b
  for x in('.py','.mpy'):
   if k(b+x)&0x8000:return b+x
 return ''
r=s()
d=a(f).rsplit('/',1)[0]
print('found',int(d in[a(q).rstrip('/')for q in sys.path]),'=' if r and r!='-' and a(r)==a(f) else r)
";

impl<T: Transport> Board<T> {
    /// The directory where `mip` puts packages on the board.
    ///
    /// # Errors
    /// `no-answer`, `garbled`, `board-error`.
    pub fn library_folder(&mut self) -> Result<String> {
        let code = "import sys\n\
                    for p in sys.path+['/lib']:\n\
                    \x20if p[-4:]=='/lib'and p[:4]!='/rom':break\n\
                    print('found',p)\n";
        let said = self.ask(code)?;
        let (_, folder) = said.rsplit_once("found ").ok_or_else(garbled)?;
        Ok(folder.trim_end_matches(['\r', '\n']).to_owned())
    }

    /// What `import module` takes, if `file` is the file of the module; and whether `sys.path` has its folder.
    ///
    /// # Errors
    /// `no-answer`, `garbled`, `board-error`.
    pub fn found(&mut self, module: &str, file: &str) -> Result<(Found, bool)> {
        let code = format!("m,f='{}','{}'\n{SEARCH}", escaped(module.as_bytes()), escaped(file.as_bytes()));
        let said = self.ask(&code)?;
        // A frozen module may print.
        let (_, found) = said.rsplit_once("found ").ok_or_else(garbled)?;
        let (in_path, found) = found.split_once(' ').ok_or_else(garbled)?;
        let found = match found.trim_end_matches(['\r', '\n']) {
            "=" => Found::Wanted,
            "" => Found::Nothing,
            "-" => Found::Firmware,
            path => Found::Other(plain(path)),
        };
        Ok((found, in_path == "1"))
    }
}
