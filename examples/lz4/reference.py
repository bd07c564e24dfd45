"""What test.py expects, by the reference implementation of LZ4: prints PACKED and DIGEST.

    pip install lz4 && python3 reference.py

Given what the module's `compress` made of the same text, in base64, it reads that too.
"""

import base64
import hashlib
import sys
from pathlib import Path

import lz4.block

text = (Path(__file__).parent / "../../LICENSE-APACHE").read_bytes()
packed = lz4.block.compress(text, store_size=False, mode="high_compression")
encoded = base64.b64encode(packed).decode()
print("PACKED = (\n" + "".join(f'    "{encoded[at : at + 108]}"\n' for at in range(0, len(encoded), 108)) + ")")
print(f'SIZE, DIGEST = {len(text)}, "{hashlib.sha256(text).hexdigest()}"')
for ours in sys.argv[1:]:
    assert lz4.block.decompress(base64.b64decode(ours), uncompressed_size=len(text)) == text
    print("# the reference implementation reads what `compress` made")
