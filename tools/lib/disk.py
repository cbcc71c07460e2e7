# SPDX-License-Identifier: Apache-2.0
"""Disk images with partitions, made by an ordinary user without mounting anything."""

import binascii
import os
import shutil
import struct
import uuid

from common import need_packages, run

SECTOR = 512
FIRST = 2048            # sector of the first partition
ENTRIES, ENTRY_SIZE = 128, 128
ESP = uuid.UUID('c12a7328-f81f-11d2-ba4b-00a0c93ec93b')
LINUX = uuid.UUID('0fc63daf-8483-4772-8e79-3d69d8477de4')
# Always the same, so that the same contents make the same image.
NAMES = uuid.UUID('6f627665-7273-4500-8000-000000000001')


def _header(sectors, here, other, table, crc):
    """One copy of the header (UEFI specification, section 5.3.2)."""
    usable = 2 + ENTRIES * ENTRY_SIZE // SECTOR
    fields = struct.pack('<8sIIIIQQQQ16sQIII', b'EFI PART', 0x10000, 92, 0, 0, here, other, usable,
                         sectors - usable, NAMES.bytes_le, table, ENTRIES, ENTRY_SIZE, crc)
    sum_at = 16
    crc = struct.pack('<I', binascii.crc32(fields))
    return fields[:sum_at] + crc + fields[sum_at + 4:]


def create(path, partitions):
    """An empty image with a GPT; partitions: (type, bytes) each. Returns their offsets in bytes."""
    entries, offsets, at = b'', [], FIRST
    for n, (kind, size) in enumerate(partitions):
        last = at + size // SECTOR - 1
        entries += struct.pack('<16s16sQQQ72s', kind.bytes_le, uuid.uuid5(NAMES, str(n)).bytes_le,
                               at, last, 0, b'')
        offsets.append(at * SECTOR)
        at = last + 1
    entries = entries.ljust(ENTRIES * ENTRY_SIZE, b'\0')
    sectors = at + FIRST
    crc, table = binascii.crc32(entries), len(entries) // SECTOR
    protective = struct.pack('<446xB3sB3sII48xH', 0, b'\0\2\0', 0xee, b'\xff' * 3, 1,
                             min(sectors - 1, 0xffffffff), 0xaa55)
    with open(path, 'wb') as f:
        f.truncate(sectors * SECTOR)
        f.write(protective)
        f.write(_header(sectors, 1, sectors - 1, 2, crc).ljust(SECTOR, b'\0') + entries)
        f.seek((sectors - 1 - table) * SECTOR)
        f.write(entries + _header(sectors, sectors - 1, 1, sectors - 1 - table, crc))
    return offsets


def make_fat(path, offset, size, files):
    """FAT32 at an offset of an image; files: path in it -> path here, or bytes."""
    if not shutil.which('mformat'):
        need_packages('disks')
    image = '%s@@%d' % (path, offset)
    # No clocks, no serial numbers at random: the same contents make the same image.
    env = dict(os.environ, SOURCE_DATE_EPOCH='0', TZ='UTC', MTOOLS_SKIP_CHECK='1', LC_ALL='C.UTF-8')
    run(['mformat', '-i', image, '-F', '-v', 'OBVERSE', '-N', '0b5e45e0', '-T',
         str(size // SECTOR), '-c', '1', '::'], env=env)
    folders = set()
    for name in files:
        parts = name.split('/')[:-1]
        folders |= {'/'.join(parts[:n + 1]) for n in range(len(parts))}
    for folder in sorted(folders):
        run(['mmd', '-i', image, '::/' + folder], env=env)
    for name, source in sorted(files.items()):
        given = isinstance(source, bytes)
        # "-" is standard input.
        run(['mcopy', '-i', image, '-' if given else source, '::/' + name], env=env, text=not given,
            **({'input': source, 'stdin': None} if given else {}))


def make_ext4(path, root, size, offset=0):
    """An ext4 file system with the contents of a directory, in a new image or at an offset of one."""
    sbin = dict(os.environ, PATH=os.environ.get('PATH', '') + ':/sbin:/usr/sbin')
    if not shutil.which('mke2fs', path=sbin['PATH']):
        need_packages('demo')
    if not offset:
        with open(path, 'wb') as f:
            f.truncate(size)
    run(['mke2fs', '-q', '-F', '-t', 'ext4', '-L', 'obverse', '-m', '0', '-U', str(NAMES), '-E',
         'root_owner=0:0,offset=%d' % offset, '-d', root, path, '%dk' % (size // 1024)], env=sbin)
