//! crate: qrcodegen-no-heap | QR codes

use qrcodegen_no_heap::{QrCode, QrCodeEcc, Version};
use wasm_bindgen::prelude::*;

/// A row of bytes for each row of modules; 1 is dark.
#[wasm_bindgen]
pub fn modules(text: &str) -> Result<Vec<u8>, JsError> {
    const MOST: Version = Version::new(5);
    let (mut scratch, mut out) = (vec![0; MOST.buffer_len()], vec![0; MOST.buffer_len()]);
    let made = QrCode::encode_text(text, &mut scratch, &mut out, QrCodeEcc::Medium, Version::MIN, MOST, None, false);
    let code = made.map_err(|_| JsError::new("too long"))?;
    let size = code.size();
    Ok((0..size).flat_map(|y| (0..size).map(move |x| (x, y))).map(|(x, y)| code.get_module(x, y).into()).collect())
}

/* dependencies
qrcodegen-no-heap = "=1.8.1"
*/
/* python
import use_qrcodegen_no_heap as m
# The code is read back: its format, its mask, its bits in a zigzag, and a text of letters and digits (ISO/IEC 18004, 6 and 7).
ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
def read(code):
    size = 21
    at = lambda x, y: code[y * size + x]
    format = 0
    for x, y in [(i, 8) for i in (0, 1, 2, 3, 4, 5, 7)]: format = format << 1 | at(x, y)
    format ^= 0b1010100
    level, mask = format >> 5, format >> 2 & 7
    masks = [lambda y, x: (x + y) % 2 == 0, lambda y, x: y % 2 == 0, lambda y, x: x % 3 == 0, lambda y, x: (x + y) % 3 == 0,
        lambda y, x: (y // 2 + x // 3) % 2 == 0, lambda y, x: x * y % 2 + x * y % 3 == 0, lambda y, x: (x * y % 2 + x * y % 3) % 2 == 0,
        lambda y, x: ((x + y) % 2 + x * y % 3) % 2 == 0]
    bits, up, x = "", True, 20
    while x > 0:
        if x == 6: x -= 1
        for i in range(size):
            y = size - 1 - i if up else i
            for c in (x, x - 1):
                if y == 6 or c == 6 or c < 9 and (y < 9 or y > 12) or c > 12 and y < 9: continue
                bits += str(at(c, y) ^ masks[mask](y, c))
        up, x = not up, x - 2
    take = lambda a, n: int(bits[a:a + n], 2)
    count, text, p = take(4, 9), "", 13
    while len(text) + 1 < count: text += ALPHABET[take(p, 11) // 45] + ALPHABET[take(p, 11) % 45]; p += 11
    if len(text) < count: text += ALPHABET[take(p, 6)]
    return level, take(0, 4), text
for text in "MICROPYTHON + RUST", "A", "HTTPS://X.Y/12345":
    code = m.modules(text)
    print(len(code), read(code), read(code)[2] == text)
try: m.modules("x" * 200)
except RuntimeError as error: print(error)
*/
/* expect
441 (0, 2, 'MICROPYTHON + RUST') True
441 (0, 2, 'A') True
441 (0, 2, 'HTTPS://X.Y/12345') True
too long
*/
