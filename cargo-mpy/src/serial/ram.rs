//! Copies modules to the RAM of a board for one session, without touching its filesystem.

/// The folder of modules in RAM, in Python. [`MOUNT`] counts its letters, and the slash behind them.
pub(super) const FOLDER: &str = "/__ram";

/// Python code that opens `p` there for `n` bytes. The buffer has its final size from the start, because a buffer that
/// grows would take twice the RAM.
pub(super) const OPEN: &str = "_Sink(p,n)";

/// Python code that makes modules importable from RAM until the next reset: it mounts a filesystem of its own next to
/// the real one, as MicroPython's `tests/run-natmodtests.py` does. An earlier session may have left one.
pub(super) const MOUNT: &str = "\
import sys,io
try:
 import vfs
except ImportError:
 import os as vfs
class _File(io.IOBase):
 def __init__(self,data):
  self.data=data
  self.at=0
 def ioctl(self,request,argument):
  return 0 if request==4 else -1
 def readinto(self,to):
  part=self.data[self.at:self.at+len(to)]
  to[:len(part)]=part
  self.at+=len(part)
  return len(part)
 def close(self):
  pass
class _FS:
 files={}
 def mount(self,readonly,mkfs):
  pass
 def umount(self):
  pass
 def chdir(self,path):
  pass
 def getcwd(self):
  return '/'
 def stat(self,path):
  name=path[1:]
  if name in self.files:
   return (0x8000,0,0,0,0,0,len(self.files[name]),0,0,0)
  if any(n.startswith(name+'/') for n in self.files):
   return (0x4000,0,0,0,0,0,0,0,0,0)
  raise OSError(2)
 def open(self,path,mode):
  if path[1:] in self.files:
   return _File(self.files[path[1:]])
  raise OSError(2)
class _Sink:
 def __init__(self,path,size):
  name=path[7:]
  _FS.files.pop(name,0)
  self.data=memoryview(bytearray(size))
  self.at=0
  _FS.files[name]=self.data
 def write(self,part):
  self.data[self.at:self.at+len(part)]=part
  self.at+=len(part)
 def close(self):
  pass
try:
 vfs.umount('/__ram')
except OSError:
 sys.path.insert(0,'/__ram')
vfs.mount(_FS(),'/__ram')
";

/// Python code that gives back the RAM of the files there, on boards that have some.
pub const FORGET: &str = "if '_FS' in globals():_FS.files.clear()\n";

/// Bytes as the contents of a Python literal, in printable ASCII.
pub(super) fn escaped(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for &byte in bytes {
        match byte {
            b'\\' | b'\'' => {
                text.push('\\');
                text.push(char::from(byte));
            }
            b'\n' => text.push_str("\\n"),
            b' '..=b'~' => text.push(char::from(byte)),
            _ => text += &format!("\\x{byte:02x}"),
        }
    }
    text
}

/// Python code that sets `sys.argv`, as `micropython -c CODE ARGUMENTS` does.
pub fn argv(arguments: &[String]) -> String {
    let mut list = String::from("'-c'");
    for argument in arguments {
        list += ",'";
        for c in argument.chars() {
            match c {
                '\\' | '\'' => list.extend(['\\', c]),
                ' '..='~' => list.push(c),
                _ => list += &format!("\\U{:08x}", u32::from(c)),
            }
        }
        list.push('\'');
    }
    format!("__import__('sys').argv[:]=[{list}]\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_python() {
        let arguments = ["a'b\\".to_owned(), "é\n".to_owned()];
        let expected = r"__import__('sys').argv[:]=['-c','a\'b\\','\U000000e9\U0000000a']";
        assert_eq!(argv(&arguments), format!("{expected}\n"));
    }

    #[test]
    fn any_byte_survives_a_python_literal() {
        assert_eq!(escaped(b"a'\\\n\x00\xff~"), r"a\'\\\n\x00\xff~");
    }
}
