# SPDX-License-Identifier: Apache-2.0
"""The near end of a command on the Arm host; the wire format stands in tools/agent/agent.c."""

import errno
import fcntl
import os
import select
import signal
import socket
import stat
import struct
import sys
import termios
import time
import tty

from common import Fatal

WINDOW = 256 * 1024
CHUNK = 64 * 1024
FORWARDED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
KILL_AFTER = 5          # seconds between SIGTERM and the end of the connection
PASSED = ('TERM', 'LANG', 'LANGUAGE', 'TZ', 'ASAN_OPTIONS', 'UBSAN_OPTIONS', 'TSAN_OPTIONS',
          'LSAN_OPTIONS', 'G_DEBUG', 'G_SLICE', 'MALLOC_CHECK_', 'MALLOC_PERTURB_',
          'CMOCKA_MESSAGE_OUTPUT', 'CMOCKA_XML_FILE', 'CMOCKA_TEST_ABORT')
PASSED_PREFIXES = ('LC_', 'OBVERSE_', 'MESON_')
PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'


class Lost(Fatal):
    """The host went away while the command ran."""


def command_env(extra):
    env = {k: v for k, v in os.environ.items()
           if k in PASSED or k.startswith(PASSED_PREFIXES)}
    env.update({'PATH': PATH, 'HOME': '/root', 'USER': 'root', 'SHELL': '/bin/sh'})
    env.setdefault('TERM', 'dumb')
    env.update(extra)
    return env


def window_size(fd):
    try:
        rows, cols = struct.unpack('HHHH', fcntl.ioctl(fd, termios.TIOCGWINSZ, b'\0' * 8))[:2]
        return rows, cols
    except OSError:
        return 24, 80


class Client:
    def __init__(self, port, token):
        self.sock, self.token, self.port = None, token, port
        self.outq = bytearray()
        self.credit = WINDOW
        self.status = None
        self.inbuf = bytearray()
        self.signals = []

    def frame(self, kind, data=b''):
        self.outq += kind + struct.pack('<I', len(data)) + data

    def open(self, settings, env, argv, limit):
        """Start the command; returns when the agent has taken it, or raises OSError."""
        end = time.monotonic() + limit
        self.sock = socket.create_connection(('127.0.0.1', self.port), timeout=limit)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        parts = ['%s=%s' % kv for kv in settings.items()] + ['']
        parts += ['%s=%s' % kv for kv in env.items()] + [''] + list(argv)
        start = b''.join(os.fsencode(p) + b'\0' for p in parts)
        self.sock.sendall(self.token.encode() + b'S' + struct.pack('<I', len(start)) + start)
        while len(self.inbuf) < 5:
            self.sock.settimeout(max(0.1, end - time.monotonic()))
            data = self.sock.recv(65536)
            if not data:
                raise ConnectionResetError('the agent refused the connection')
            self.inbuf += data
        if self.inbuf[:5] != b'r\0\0\0\0':
            raise ConnectionResetError('the agent answered nonsense')
        del self.inbuf[:5]
        self.sock.setblocking(False)

    # -- the loop --

    def run(self, pty=False, timeout=None):
        """Pass data and signals until the command ends; returns the exit status."""
        self.pty = pty
        self.deadline = time.monotonic() + timeout if timeout else None
        self.timed_out = False
        saved = None
        wake_r, wake_w = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        old_wake = signal.set_wakeup_fd(wake_w, warn_on_full_buffer=False)
        old = {s: signal.signal(s, lambda n, _: self.signals.append(n))
               for s in FORWARDED + ((signal.SIGWINCH,) if pty else ())
               if signal.getsignal(s) != signal.SIG_IGN}
        try:
            if pty:
                saved = termios.tcgetattr(0)
                tty.setraw(0)
            self._loop(wake_r)
        finally:
            if saved:
                termios.tcsetattr(0, termios.TCSADRAIN, saved)
            for s, h in old.items():
                signal.signal(s, h)
            signal.set_wakeup_fd(old_wake)
            os.close(wake_r)
            os.close(wake_w)
            self.sock.close()
        if self.timed_out:
            return 124
        if os.WIFSIGNALED(self.status):
            return 128 + os.WTERMSIG(self.status)
        return os.WEXITSTATUS(self.status)

    def _signals(self):
        while self.signals:
            n = self.signals.pop(0)
            if n == signal.SIGWINCH:
                self.frame(b'w', struct.pack('<HH', *window_size(0)))
                continue
            self.seen_signals = getattr(self, 'seen_signals', 0) + 1
            self.frame(b's', bytes([n]))
            if self.seen_signals >= 4:
                raise Fatal('interrupted again and again: leaving the command', 128 + n)

    def _wait_ms(self):
        if not self.deadline:
            return None
        left = self.deadline - time.monotonic()
        if left <= 0:
            if self.timed_out:
                raise Fatal('the command ran out of time and did not end by SIGTERM', 124)
            self.timed_out = True
            self.frame(b's', bytes([signal.SIGTERM]))
            self.deadline = time.monotonic() + KILL_AFTER
            left = KILL_AFTER
        return int(left * 1000) + 1

    def _loop(self, wake_r):
        try:
            os.fstat(0)
            stdin = 0
        except OSError:
            stdin = None
            self.frame(b'e')
        sock = self.sock.fileno()
        while self.status is None:
            wait = self._wait_ms()
            self._signals()
            p = select.poll()
            p.register(sock, select.POLLIN | (select.POLLOUT if self.outq else 0))
            p.register(wake_r, select.POLLIN)
            if stdin is not None and self.credit > 0 and len(self.outq) < WINDOW:
                p.register(stdin, select.POLLIN)
            events = dict(p.poll(wait))
            if wake_r in events:
                os.read(wake_r, 512)
                self._signals()
            if stdin is not None and stdin in events:
                if not self._stdin(stdin):
                    stdin = None
            if self.outq:
                self._send()
            if events.get(sock, 0) & ~select.POLLOUT:
                self._receive()

    def _stdin(self, fd):
        try:
            data = os.read(fd, min(self.credit, CHUNK))
        except OSError as e:
            if e.errno in (errno.EAGAIN, errno.EINTR):
                return True
            data = b''
        if not data:
            self.frame(b'e')
            return False
        self.credit -= len(data)
        self.frame(b'i', data)
        return True

    def _send(self):
        try:
            n = self.sock.send(self.outq)
            del self.outq[:n]
        except BlockingIOError:
            pass
        except OSError:
            self.outq.clear()

    def _receive(self):
        try:
            data = self.sock.recv(1 << 20)
        except BlockingIOError:
            return
        except OSError:
            data = b''
        if not data:
            raise Lost('the Arm host ended while the command was running', 125)
        self.inbuf += data
        at = 0
        view = bytes(self.inbuf)
        while len(view) - at >= 5 and self.status is None:
            size = struct.unpack_from('<I', view, at + 1)[0]
            if len(view) - at < 5 + size:
                break
            self._frame(view[at:at + 1], view[at + 5:at + 5 + size])
            at += 5 + size
        del self.inbuf[:at]

    def _frame(self, kind, data):
        if kind == b'o':
            self._write(1, data)
        elif kind == b'2':
            self._write(2, data)
        elif kind == b'a':
            self.credit += struct.unpack('<I', data)[0]
        elif kind == b'x':
            self.status = struct.unpack('<I', data)[0]

    def _write(self, fd, data):
        """Write to a descriptor that others share, so without making it non-blocking."""
        try:
            whole = stat.S_ISREG(os.fstat(fd).st_mode)
            while data:
                if not whole:
                    p = select.poll()
                    p.register(fd, select.POLLOUT)
                    if not p.poll(200):
                        self._wait_ms()
                        self._signals()
                        self._send()
                        continue
                data = data[os.write(fd, data if whole else data[:select.PIPE_BUF]):]
        except BrokenPipeError:
            # As for a local command, whose next write would raise the signal.
            self.frame(b's', bytes([signal.SIGPIPE]))
        except OSError as e:
            if e.errno in (errno.EBADF, errno.EIO):
                return
            raise Fatal('cannot write the output of the command: %s' % e.strerror)


def execute(port, token, argv, cwd, env, timeout=None, start_limit=60):
    """Run a command on the host at port; returns its exit status."""
    pty = os.isatty(0) and os.isatty(1)
    rows, cols = window_size(0) if pty else (24, 80)
    mask = os.umask(0)
    os.umask(mask)
    settings = {'cwd': cwd, 'tty': (3 | (4 if os.isatty(2) else 0)) if pty else 0, 'rows': rows,
                'cols': cols, 'umask': mask, 'time': int(time.time())}
    c = Client(port, token)
    c.open(settings, env, argv, start_limit)
    sys.stdout.flush()
    return c.run(pty, timeout)
