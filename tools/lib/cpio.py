# SPDX-License-Identifier: Apache-2.0
"""Writes "newc" cpio archives for an initramfs; needs no privileges, also for device nodes."""

import os
import stat


class Archive:
    def __init__(self):
        self._parts, self._names, self._ino = [], set(), 0

    def _entry(self, name, mode, data=b'', rdev=(0, 0), nlink=1):
        name = name.strip('/')
        self._ino += 1
        raw = name.encode() + b'\0'
        head = '070701' + ''.join('%08X' % v for v in (
            self._ino, mode, 0, 0, nlink, 0, len(data), 0, 0, rdev[0], rdev[1], len(raw), 0))
        block = head.encode() + raw
        self._parts.append(block + b'\0' * (-len(block) % 4))
        self._parts.append(data + b'\0' * (-len(data) % 4))

    def _parents(self, name):
        parent = os.path.dirname(name.strip('/'))
        if parent and parent not in self._names:
            self.directory(parent)

    def _new(self, name):
        if name.strip('/') in self._names:
            return False
        self._parents(name)
        self._names.add(name.strip('/'))
        return True

    def directory(self, name, mode=0o755):
        if self._new(name):
            self._entry(name, stat.S_IFDIR | mode, nlink=2)

    def data(self, name, data, mode=0o644):
        if self._new(name):
            self._entry(name, stat.S_IFREG | mode, data)

    def file(self, name, path, mode=None):
        with open(path, 'rb') as f:
            self.data(name, f.read(), os.stat(path).st_mode & 0o777 if mode is None else mode)

    def symlink(self, name, target):
        if self._new(name):
            self._entry(name, stat.S_IFLNK | 0o777, target.encode())

    def device(self, name, major, minor, mode=0o600):
        if self._new(name):
            self._entry(name, stat.S_IFCHR | mode, rdev=(major, minor))

    def bytes(self):
        self._entry('TRAILER!!!', 0)
        data = b''.join(self._parts)
        return data + b'\0' * (-len(data) % 512)
