# SPDX-License-Identifier: Apache-2.0
"""Paths, messages, locks and small helpers shared by the tools."""

import contextlib
import fcntl
import os
import platform
import subprocess
import sys

TOOLS = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
ROOT = os.path.dirname(TOOLS)
BUILD = os.path.join(ROOT, 'build')
PROG = os.path.basename(sys.argv[0])


class Fatal(Exception):
    """A failure to be shown to the user as one message; status is the exit status."""

    def __init__(self, text, status=1):
        super().__init__(text)
        self.status = status


def warn(text):
    sys.stderr.write('%s: %s\n' % (PROG, text))
    sys.stderr.flush()


def main_wrapper(main):
    """Run main(argv) and turn Fatal into a message and an exit status."""
    try:
        status = main(sys.argv[1:])
    except Fatal as e:
        warn('error: %s' % e)
        status = e.status
    except KeyboardInterrupt:
        status = 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        status = 141
    sys.exit(status)


def native_arm64():
    return platform.machine() in ('aarch64', 'arm64')


def cross_prefix():
    return '' if native_arm64() else 'aarch64-linux-gnu-'


@contextlib.contextmanager
def locked(path, shared=False):
    """Hold an advisory lock on path; it goes with the process, whatever ends it."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(fd, fcntl.LOCK_SH if shared else fcntl.LOCK_EX)
        yield fd
    finally:
        os.close(fd)


def run(argv, timeout=600, **kw):
    """subprocess.run() with captured text; a failure becomes Fatal with the tail of stderr."""
    kw.setdefault('stdout', subprocess.PIPE)
    kw.setdefault('stderr', subprocess.PIPE)
    kw.setdefault('stdin', subprocess.DEVNULL)
    kw.setdefault('text', True)
    check = kw.pop('check', True)
    try:
        p = subprocess.run(argv, timeout=timeout, **kw)
    except FileNotFoundError:
        raise Fatal('%s is not installed (see tools/packages)' % argv[0])
    except subprocess.TimeoutExpired:
        raise Fatal('%s did not end within %d s' % (' '.join(argv[:3]), timeout))
    if check and p.returncode:
        tail = (p.stderr or p.stdout or '').strip()
        raise Fatal('%s failed (status %d)\n%s' % (' '.join(argv[:4]), p.returncode, tail[-3000:]))
    return p


def need_packages(*groups):
    """Let tools/packages install what the groups need; its messages go to stderr."""
    p = subprocess.run([sys.executable, os.path.join(TOOLS, 'packages')] + list(groups),
                       stdin=subprocess.DEVNULL, stdout=2)
    if p.returncode:
        raise Fatal('packages of the build machine are missing (see above)', p.returncode)


def write_file(path, data, mode=0o644):
    """Write a file so that readers see either the old or the new content."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    if isinstance(data, str):
        data = data.encode()
    tmp = '%s.%d.tmp' % (path, os.getpid())
    fd = os.open(tmp, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(fd, 'wb') as f:
        f.write(data)
    os.rename(tmp, path)


def read_text(path, default=None):
    try:
        with open(path) as f:
            return f.read()
    except FileNotFoundError:
        return default
