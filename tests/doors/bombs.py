"""Small bodies that decompress to a gigabyte, written by hand: no packer would spend the time."""

import gzip
import zlib

SIZE = 1 << 30
MEBIBYTE = 1 << 20


def deflated(size: int = SIZE, *, wbits: int = zlib.MAX_WBITS) -> bytes:
    """Return zeros in deflate's format: zlib's by default, gzip's with 31."""
    packer = zlib.compressobj(9, wbits=wbits)
    zeros = bytes(MEBIBYTE)
    packed = [packer.compress(zeros) for _ in range(size // MEBIBYTE)]
    return b"".join([*packed, packer.flush()])


def gzipped(size: int = SIZE) -> bytes:
    """Return zeros in gzip's format: a megabyte for a gigabyte."""
    return deflated(size, wbits=31)


def nested(size: int = SIZE) -> bytes:
    """Return a gzip of a gzip: a few kilobytes."""
    return gzip.compress(gzipped(size))


def zstd(size: int = SIZE, window_log: int = 17) -> bytes:
    """Return zeros as zstd's run-length blocks of 128 KiB, four bytes each (RFC 8878, 3.1.1)."""
    head = bytes.fromhex("28b52ffd00") + bytes([(window_log - 10) << 3])
    block = 128 * 1024
    run = ((block << 3) | 0b010).to_bytes(3, "little") + b"\0"
    last = ((block << 3) | 0b011).to_bytes(3, "little") + b"\0"
    return head + run * (size // block - 1) + last


def snappy(size: int = SIZE) -> bytes:
    """Return a block that declares a size and has nearly nothing in it."""
    declared = bytearray()
    while size > 0x7F:
        declared.append(size & 0x7F | 0x80)
        size >>= 7
    return bytes([*declared, size, 0, 0])


def lz4(size: int = SIZE) -> bytes:
    """Return zeros as lz4 blocks of 4 MiB, each one byte that is repeated."""
    block = 4 * MEBIBYTE
    repeated = block - 1 - 5 - 4 - 15  # the first byte; five literals end a block
    match = b"\x1f\0\x01\0" + b"\xff" * (repeated // 255) + bytes([repeated % 255])
    content = match + b"\x50" + bytes(5)
    blocks = (len(content).to_bytes(4, "little") + content) * (size // block)
    return bytes.fromhex("04224d18607073") + blocks + bytes(4)
