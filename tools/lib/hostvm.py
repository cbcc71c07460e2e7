# SPDX-License-Identifier: Apache-2.0
"""Boots and keeps the emulated Arm host of tools/armhost."""

import ctypes
import fcntl
import hashlib
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time

import cpio
import debs
import roots
from common import (BUILD, Fatal, ROOT, TOOLS, cross_prefix, locked, native_arm64, need_packages,
                    read_text, run, warn, write_file)

STATE = os.path.join(BUILD, 'armhost')
HOSTS = os.path.join(STATE, 'hosts')
QEMU = 'qemu-system-aarch64'
BOOT_LIMIT = 180
MODULES = ['9p', '9pnet_virtio', 'virtio_net', 'tun']
MODULES_OPTIONAL = ['virtio_mmio', 'veth', 'bridge', 'loop', 'ext4']
LOADED = ['virtio_mmio'] + MODULES
# Pointer authentication by QEMU's own hash is much cheaper than by the architected QARMA; SVE
# state would be saved at every switch.
CPU_OPTIONS = {'max': 'max,pauth-impdef=on,sve=off'}


def applets(path):
    """The applet names of a busybox binary, from the table in it."""
    with open(path, 'rb') as f:
        data = f.read()
    start = data.find(b'\0[\0[[\0')
    if start < 0:
        raise Fatal('%s: no applet table' % path)
    names = []
    for raw in data[start + 1:start + 8192].split(b'\0'):
        if not raw or not all(32 < c < 127 for c in raw):
            break
        names.append(raw.decode())
    if 'sh' not in names or 'mount' not in names:
        raise Fatal('%s: the applet table is not understood' % path)
    return names


def busybox():
    """The path of the static arm64 busybox."""
    dest = os.path.join(debs.PKGS, 'busybox-arm64')
    p = debs.fetch(['busybox'])[0]
    if read_text(os.path.join(dest, '.stamp')) != str(p):
        with locked(dest + '.lock'):
            if read_text(os.path.join(dest, '.stamp')) != str(p):
                run(['dpkg-deb', '-x', p.path(), dest])
                write_file(os.path.join(dest, '.stamp'), str(p))
    for c in ('bin/busybox', 'usr/bin/busybox'):
        if os.path.exists(os.path.join(dest, c)):
            return os.path.join(dest, c)
    raise Fatal('%s has no busybox' % p.path())


def agent():
    """Compile the agent if it is not there; returns its path."""
    src = os.path.join(TOOLS, 'agent', 'agent.c')
    with open(src, 'rb') as f:
        key = hashlib.sha256(f.read()).hexdigest()[:12]
    path = os.path.join(STATE, 'agent-' + key)
    if not os.path.exists(path):
        cc = cross_prefix() + 'gcc'
        if not shutil.which(cc):
            need_packages('cross')
        os.makedirs(STATE, exist_ok=True)
        tmp = '%s.%d' % (path, os.getpid())
        run([cc, '-std=gnu11', '-O2', '-static', '-Wall', '-Wextra', '-Wshadow', '-o', tmp, src],
            timeout=120)
        run([cross_prefix() + 'strip', tmp])
        os.rename(tmp, path)
    return path


class Config:
    """What distinguishes one host from another."""

    def __init__(self, kernel='6.12', cpu='max', cores=2, mem='3G', gic='3', shares=(), qemu=False,
                 append='', idle=30):
        self.kernel, self.cpu, self.cores, self.mem = kernel, cpu, cores, mem
        self.gic, self.shares, self.qemu, self.append = gic, list(shares), qemu, append
        self.idle = idle

    def as_json(self):
        return json.dumps({k: getattr(self, k) for k in (
            'kernel', 'cpu', 'cores', 'mem', 'gic', 'shares', 'qemu', 'append', 'idle')})

    @classmethod
    def from_json(cls, text):
        return cls(**json.loads(text))

    def prepare(self):
        """Fetch, unpack and build whatever is missing."""
        if not shutil.which(QEMU):
            need_packages('armhost')
        self.k = roots.kernel(self.kernel)
        self.agent = agent()
        self.busybox = busybox()
        self.sysroot = roots.sysroot()
        self.qemu_root = roots.qemu_root() if self.qemu else None
        return self

    def id(self):
        key = json.dumps([self.k.id, self.agent, self.cpu, self.cores, self.mem, self.gic,
                          self.shares, self.append, self.qemu, read_text(
                              os.path.join(self.sysroot, '.stamp')), ROOT])
        name = '%s-%s-%d-%s' % (os.path.basename(self.kernel), self.cpu.split(',')[0], self.cores,
                                self.mem)
        return name + '-' + hashlib.sha256(key.encode()).hexdigest()[:8]


def base_archive(cfg):
    """The part of the initramfs that does not change from boot to boot."""
    with open(__file__, 'rb') as f:
        key = hashlib.sha256(f.read())
    key.update('\n'.join([cfg.k.id, cfg.agent, cfg.busybox, str(cfg.qemu)]).encode())
    path = os.path.join(STATE, 'base-%s.cpio' % key.hexdigest()[:16])
    if os.path.exists(path):
        return path
    a = cpio.Archive()
    for d in ('dev', 'proc', 'sys', 'root', 'run', 'usr/bin', 'usr/sbin', 'usr/lib', 'etc', 'var'):
        a.directory(d)
    a.directory('tmp', 0o1777)
    for d in ('bin', 'sbin', 'lib'):
        a.symlink(d, 'usr/' + d)
    a.symlink('var/tmp', '/tmp')
    a.symlink('usr/lib/aarch64-linux-gnu', '/.sysroot/usr/lib/aarch64-linux-gnu')
    a.symlink('usr/lib/ld-linux-aarch64.so.1', 'aarch64-linux-gnu/ld-linux-aarch64.so.1')
    a.device('dev/console', 5, 1)
    a.device('dev/null', 1, 3, 0o666)
    a.file('init', cfg.agent, 0o755)
    a.file('usr/bin/busybox', cfg.busybox, 0o755)
    if cfg.qemu:
        # Debian's QEMU finds its libraries in its own root, everything else keeps the sysroot.
        a.data('usr/bin/' + QEMU, '#!/bin/sh\nexec /.qemu/usr/lib/aarch64-linux-gnu/'
               'ld-linux-aarch64.so.1 --argv0 "$0" --library-path '
               '/.qemu/usr/lib/aarch64-linux-gnu /.qemu/usr/bin/%s "$@"\n'.replace('%s', QEMU)
               .encode(), 0o755)
        a.symlink('usr/share/qemu', '/.qemu/usr/share/qemu')
    for name in applets(cfg.busybox):
        a.symlink('usr/bin/' + name, 'busybox')
    files = cfg.k.order(MODULES, MODULES_OPTIONAL)
    loaded = cfg.k.order(MODULES, ['virtio_mmio'])
    for f in files:
        a.file('modules/' + os.path.basename(f), f)
    a.data('modules/order', ''.join('/modules/%s\n' % os.path.basename(f)
                                    for f in loaded).encode())
    a.data('etc/passwd', b'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534::/:/bin/false\n')
    a.data('etc/group', b'root:x:0:\ntty:x:5:\nkvm:x:104:\nnogroup:x:65534:\n')
    a.data('etc/hosts', b'127.0.0.1 localhost armhost\n')
    write_file(path, a.bytes())
    return path


def die_with_parent():
    """For a child between fork and exec: be killed when the parent ends, however it does."""
    ctypes.CDLL(None, use_errno=True).prctl(1, signal.SIGKILL, 0, 0, 0)


class Host:
    """One QEMU; it dies with this process."""

    def __init__(self, cfg, directory):
        self.cfg, self.dir, self.proc, self.port = cfg, directory, None, None

    def path(self, name):
        return os.path.join(self.dir, name)

    def _initrd(self):
        lines = ['share lib cache=loose /.sysroot']
        if self.cfg.qemu:
            lines.append('share qemu cache=loose /.qemu')
        for i, path in enumerate([ROOT] + self.cfg.shares):
            lines.append('share s%d cache=mmap %s' % (i, path))
        lines.append('state ' + self.dir)
        a = cpio.Archive()
        a.data('etc/armhost', ''.join(s + '\n' for s in lines).encode())
        with open(base_archive(self.cfg), 'rb') as f:
            write_file(self.path('initrd'), f.read() + a.bytes())

    def _command(self):
        c = self.cfg
        q = lambda p: p.replace(',', ',,')    # noqa: E731
        argv = [QEMU, '-nodefaults', '-no-user-config', '-no-reboot', '-display', 'none',
                '-name', 'armhost', '-M', 'virt,virtualization=on,gic-version=' + c.gic,
                '-accel', 'tcg,thread=multi', '-cpu', CPU_OPTIONS.get(c.cpu, c.cpu),
                '-smp', str(c.cores), '-m', c.mem, '-global', 'virtio-mmio.force-legacy=false',
                '-kernel', c.k.image, '-initrd', self.path('initrd'),
                '-append', ('console=ttyAMA0 quiet nokaslr panic=-1 mitigations=off '
                            'cryptomgr.notests ' + c.append).strip(),
                '-serial', 'file:' + q(self.path('console.log')), '-monitor', 'none',
                '-netdev', 'user,id=net,restrict=on,hostfwd=tcp:127.0.0.1:%d-10.0.2.15:5600' %
                self.port, '-device', 'virtio-net-device,netdev=net']
        shares = [('lib', c.sysroot, ',readonly=on')]
        if c.qemu:
            shares.append(('qemu', c.qemu_root, ',readonly=on'))
        shares += [('s%d' % i, p, '') for i, p in enumerate([ROOT] + c.shares)]
        for tag, path, more in shares:
            argv += ['-fsdev', 'local,id=%s,path=%s,security_model=none,multidevs=remap%s' %
                     (tag, q(path), more), '-device', 'virtio-9p-device,fsdev=%s,mount_tag=%s' %
                     (tag, tag)]
        return argv

    def start(self, limit=BOOT_LIMIT, console=False):
        os.makedirs(self.dir, exist_ok=True)
        os.chmod(self.dir, 0o700)
        self.token = secrets.token_hex(32)
        write_file(self.path('token'), self.token, 0o600)
        self._initrd()
        with open(os.path.join(STATE, 'log'), 'a') as log:
            log.write('%s %s kernel %s cpu %s busybox %s sysroot %s\n' % (
                time.strftime('%Y-%m-%d %H:%M:%S'), os.path.basename(self.dir),
                self.cfg.k.id.split()[1], self.cfg.cpu, read_text(os.path.join(
                    debs.PKGS, 'busybox-arm64', '.stamp'), ''),
                read_text(os.path.join(self.cfg.sysroot, '.stamp'), '').strip()))
        end = time.monotonic() + limit
        for attempt in range(5):
            with socket.socket() as s:
                s.bind(('127.0.0.1', 0))
                self.port = s.getsockname()[1]
            for name in ('ready', 'console.log'):
                if os.path.exists(self.path(name)):
                    os.unlink(self.path(name))
            with open(self.path('qemu.log'), 'wb') as log:
                self.proc = subprocess.Popen(self._command(), stdin=subprocess.DEVNULL,
                                             stdout=log, stderr=log, start_new_session=True,
                                             preexec_fn=die_with_parent, cwd='/')
            if console:
                threading.Thread(target=self._show_console, daemon=True).start()
            if self._wait_ready(end):
                return self
        raise Fatal('no free port for the Arm host')

    def _wait_ready(self, end):
        """True when the agent listens; False if the port was taken by somebody else."""
        while not os.path.exists(self.path('ready')):
            if self.proc.poll() is not None:
                if 'host forwarding' in read_text(self.path('qemu.log'), ''):
                    return False
                raise Fatal('the Arm host ended while booting\n' + self.tails(), 125)
            if time.monotonic() > end:
                self.stop()
                raise Fatal('the Arm host did not boot in time\n' + self.tails(), 125)
            time.sleep(0.01)
        return True

    def _show_console(self):
        at = 0
        while self.proc.poll() is None:
            try:
                with open(self.path('console.log'), 'rb') as f:
                    f.seek(at)
                    data = f.read()
                at += len(data)
                if data:
                    os.write(2, data)
            except OSError:
                pass
            time.sleep(0.05)

    def tails(self):
        out = []
        for name, count in (('qemu.log', 10), ('console.log', 40)):
            try:
                with open(self.path(name), errors='replace') as f:
                    lines = f.read().splitlines()[-count:]
            except OSError:
                continue
            if lines:
                out.append('--- end of %s\n%s' % (self.path(name), '\n'.join(lines)))
        return '\n'.join(out)

    def stop(self):
        if self.proc and self.proc.poll() is None:
            self.proc.kill()
            self.proc.wait()


# ---- kept hosts ------------------------------------------------------------------------------

def try_lock(path, kind):
    """An open descriptor that holds the lock, or None if somebody else does."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(fd, kind | fcntl.LOCK_NB)
        return fd
    except OSError:
        os.close(fd)
        return None


def alive(directory):
    """The state of a kept host if its manager lives, else None."""
    if not os.path.exists(os.path.join(directory, 'alive.lock')):
        return None
    fd = try_lock(os.path.join(directory, 'alive.lock'), fcntl.LOCK_SH)
    if fd is not None:
        os.close(fd)
        return None
    text = read_text(os.path.join(directory, 'state.json'))
    return json.loads(text) if text else None


def manage(directory, cfg_text):
    """The manager's whole life; the first line on stdout tells how the boot went."""
    cfg = Config.from_json(cfg_text).prepare()
    hold = try_lock(os.path.join(directory, 'alive.lock'), fcntl.LOCK_EX)
    if hold is None:
        print('error another manager lives', flush=True)
        return 1
    host = Host(cfg, directory)
    ended = []
    for s in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(s, lambda n, _: ended.append(n))
    try:
        host.start()
        write_file(os.path.join(directory, 'state.json'), json.dumps({
            'port': host.port, 'pid': os.getpid(), 'qemu': host.proc.pid, 'since': time.time(),
            'kernel': cfg.k.release, 'cpu': cfg.cpu, 'cores': cfg.cores, 'mem': cfg.mem,
            'idle': cfg.idle, 'more': ''.join(
                [' gic ' + cfg.gic] * (cfg.gic != '3') + [' qemu'] * cfg.qemu +
                [' share ' + p for p in cfg.shares] +
                [' append "%s"' % cfg.append] * bool(cfg.append))}), 0o600)
        print('ok', flush=True)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        _watch(host, cfg, directory, ended)
    except Fatal as e:
        print('error %s' % e, flush=True)
        return 1
    finally:
        for name in ('state.json', 'token', 'ready', 'initrd'):
            try:
                os.unlink(os.path.join(directory, name))
            except OSError:
                pass
        host.stop()
    return 0


def _watch(host, cfg, directory, ended):
    """Returns when the host has to end: idle too long, told so, dead, or its directory is gone."""
    last = time.monotonic()
    use = os.path.join(directory, 'use.lock')
    while not ended and host.proc.poll() is None and os.path.exists(host.path('token')):
        try:
            host.proc.wait(1)
        except subprocess.TimeoutExpired:
            pass
        if not os.path.isdir(directory):
            return
        fd = try_lock(use, fcntl.LOCK_EX)
        if fd is None:
            last = time.monotonic()
        elif time.monotonic() - last > cfg.idle * 60:
            # Held until the end: whoever comes now waits and then finds no host.
            os.unlink(os.path.join(directory, 'state.json'))
            return
        else:
            os.close(fd)


def kept(cfg, start):
    """(state, descriptor of the use lock) of a kept host; boots one if start; else None."""
    directory = os.path.join(HOSTS, cfg.id())
    for _ in range(3):
        state = alive(directory)
        if not state:
            if not start:
                return None
            with locked(os.path.join(directory, 'start.lock')):
                state = alive(directory)
                if not state:
                    _start_manager(cfg, directory)
                    state = alive(directory)
        if not state:
            continue
        fd = os.open(os.path.join(directory, 'use.lock'), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC,
                     0o600)
        fcntl.flock(fd, fcntl.LOCK_SH)
        again = alive(directory)
        if again and again['port'] == state['port']:
            state['token'] = read_text(os.path.join(directory, 'token'), '')
            state['dir'] = directory
            return state, fd
        os.close(fd)
    raise Fatal('the kept Arm host ends as soon as it starts; see %s' % directory, 125)


def _start_manager(cfg, directory):
    end = time.monotonic() + 15     # an ending manager may still hold its lock
    while True:
        fd = try_lock(os.path.join(directory, 'alive.lock'), fcntl.LOCK_EX)
        if fd is not None:
            os.close(fd)
            break
        if time.monotonic() > end:
            raise Fatal('the manager of %s neither serves nor ends' % directory, 125)
        time.sleep(0.05)
    with open(os.path.join(directory, 'manager.log'), 'ab') as log:
        p = subprocess.Popen([sys.executable, os.path.join(TOOLS, 'armhost'), '--manager',
                              directory, cfg.as_json()], stdin=subprocess.DEVNULL,
                             stdout=subprocess.PIPE, stderr=log, start_new_session=True, cwd='/')
    try:
        text = p.stdout.readline().decode()
        if text != 'ok\n':
            text += p.stdout.read().decode()
            raise Fatal((text[6:] if text.startswith('error ') else '') or
                        'the manager of the Arm host failed; see %s/manager.log' % directory, 125)
    except KeyboardInterrupt:
        p.terminate()
        raise
    finally:
        p.stdout.close()


def all_kept():
    out = []
    for name in sorted(os.listdir(HOSTS)) if os.path.isdir(HOSTS) else []:
        state = alive(os.path.join(HOSTS, name))
        if state:
            out.append((name, os.path.join(HOSTS, name), state))
    return out


def stop_kept(directory, state):
    try:
        os.kill(state['pid'], signal.SIGTERM)
    except ProcessLookupError:
        pass
    end = time.monotonic() + 10
    while time.monotonic() < end:
        fd = try_lock(os.path.join(directory, 'alive.lock'), fcntl.LOCK_EX)
        if fd is not None:
            os.close(fd)
            return
        time.sleep(0.02)
    if alive(directory):
        warn('%s does not end; killing it' % os.path.basename(directory))
        os.kill(state['pid'], signal.SIGKILL)


def can_use_kvm():
    return native_arm64() and os.access('/dev/kvm', os.R_OK | os.W_OK)
