# SPDX-License-Identifier: Apache-2.0
"""Directories unpacked from packages: the arm64 sysroot, QEMU's libraries, kernels."""

import glob
import os
import re
import shutil
import tempfile

import debs
from common import BUILD, Fatal, ROOT, locked, read_text, run, write_file

SYSROOT = os.path.join(BUILD, 'sysroot-arm64')
QEMU_ROOT = os.path.join(BUILD, 'armroot-qemu')
USER_ROOT = os.path.join(BUILD, 'user-root')
CROSS = os.path.join(BUILD, 'cross-arm64.ini')
CROSS_RUN = os.path.join(BUILD, 'cross-arm64-run.ini')
LAYOUT = 5          # raise when the way of unpacking changes


def relative_links(root):
    """Make absolute symbolic links below root relative, so that they stay inside it."""
    for base, dirs, files in os.walk(root):
        for name in dirs + files:
            path = os.path.join(base, name)
            if os.path.islink(path) and os.readlink(path).startswith('/'):
                target = os.path.relpath(root + os.readlink(path), base)
                os.unlink(path)
                os.symlink(target, path)


def merge_usr(root):
    """Move /lib, /bin and /sbin of old style packages below /usr and link to them."""
    for name in ('lib', 'bin', 'sbin'):
        old, new = os.path.join(root, name), os.path.join(root, 'usr', name)
        if os.path.isdir(old) and not os.path.islink(old):
            for base, dirs, files in os.walk(old):
                dest = os.path.join(new, os.path.relpath(base, old))
                os.makedirs(dest, exist_ok=True)
                for f in files + [d for d in dirs if os.path.islink(os.path.join(base, d))]:
                    os.rename(os.path.join(base, f), os.path.join(dest, f))
            shutil.rmtree(old)
        os.makedirs(new, exist_ok=True)
        if not os.path.islink(old):
            os.symlink('usr/' + name, old)


def unpack_set(name, dest, extra='', finish=None):
    """Unpack a package set to dest unless exactly that is there; returns True if it did."""
    packages = debs.fetch([name], lambda text: None)
    stamp = os.path.join(dest, '.stamp')
    want = '%d %s %s\n' % (LAYOUT, debs.fingerprint(packages), extra)
    if read_text(stamp) == want:
        return False
    with locked(dest + '.lock'):
        if read_text(stamp) == want:
            return False
        tmp = tempfile.mkdtemp(prefix=os.path.basename(dest) + '.new.', dir=os.path.dirname(dest))
        try:
            for p in packages:
                run(['dpkg-deb', '-x', p.path(), tmp], timeout=120)
            merge_usr(tmp)
            relative_links(tmp)
            if finish:
                finish(tmp)
            os.chmod(tmp, 0o755)
            write_file(os.path.join(tmp, '.stamp'), want)
            if os.path.lexists(dest):
                os.rename(dest, tmp + '.old')
            os.rename(tmp, dest)
        finally:
            shutil.rmtree(tmp, ignore_errors=True)
            shutil.rmtree(tmp + '.old', ignore_errors=True)
    return True


def _slim(root):
    """What neither compiling nor running needs."""
    for d in ('usr/share/doc', 'usr/share/man', 'usr/share/locale', 'usr/share/lintian',
              'usr/share/gcc', 'usr/share/gdb', 'usr/share/bug', 'usr/share/iso-codes'):
        shutil.rmtree(os.path.join(root, d), ignore_errors=True)


def sysroot():
    """build/sysroot-arm64 and the cross file; returns the path."""
    unpack_set('sysroot', SYSROOT, finish=_slim)
    for path, text in ((CROSS, cross_file()), (CROSS_RUN, RUN_FILE % ROOT)):
        if read_text(path) != text:
            write_file(path, text)
    return SYSROOT


def qemu_root():
    """build/armroot-qemu: Debian's arm64 QEMU with all its libraries."""
    unpack_set('qemu', QEMU_ROOT, finish=_slim)
    return QEMU_ROOT


def user_root():
    """build/user-root: a small Debian system with gcc, openssl and python3, to be put on a disk."""
    unpack_set('user', USER_ROOT, extra='2', finish=_make_system)
    return USER_ROOT


def _make_system(root):
    """What the installation of Debian's packages would have left behind, as far as it matters."""
    _slim(root)
    for d in ('proc', 'sys', 'dev', 'tmp', 'run', 'root', 'mnt', 'obverse'):
        os.makedirs(os.path.join(root, d), exist_ok=True)
    for name in ('sh', 'cat', 'cmp', 'cp', 'env', 'grep', 'ip', 'ls', 'mkdir', 'mount', 'rm',
                 'sleep', 'tail', 'true', 'uname'):
        path = os.path.join(root, 'usr/bin', name)
        if not os.path.lexists(path):
            os.symlink('busybox', path)
    for name, text in (('passwd', 'root:x:0:0:root:/root:/bin/sh\n'), ('group', 'root:x:0:\n'),
                       ('hosts', '127.0.0.1 localhost\n'), ('hostname', 'obverse\n')):
        write_file(os.path.join(root, 'etc', name), text)


RUN_FILE = """# SPDX-License-Identifier: Apache-2.0
# Written by tools/sysroot: give it after cross-arm64.ini and meson test runs on the Arm host.
[binaries]
exe_wrapper = ['%s/tools/armhost', '--keep']
"""


def cross_file():
    q = lambda items: '[' + ', '.join("'%s'" % i for i in items) + ']'   # noqa: E731
    flags = ['--sysroot=' + SYSROOT]
    return '\n'.join([
        '# SPDX-License-Identifier: Apache-2.0',
        '# Written by tools/sysroot: meson cross file for arm64 Linux, Debian bookworm.',
        '[binaries]',
        "c = 'aarch64-linux-gnu-gcc'",
        "ar = 'aarch64-linux-gnu-gcc-ar'",
        "strip = 'aarch64-linux-gnu-strip'",
        "objcopy = 'aarch64-linux-gnu-objcopy'",
        "pkgconfig = 'pkg-config'",
        '',
        '[properties]',
        'needs_exe_wrapper = true',
        "sys_root = '%s'" % SYSROOT,
        'pkg_config_libdir = ' + q([SYSROOT + '/usr/lib/aarch64-linux-gnu/pkgconfig',
                                    SYSROOT + '/usr/share/pkgconfig']),
        '',
        '[built-in options]',
        'c_args = ' + q(flags),
        'c_link_args = ' + q(flags + ['-Wl,-rpath-link=%s/usr/lib/aarch64-linux-gnu' % SYSROOT]),
        '',
        '[host_machine]',
        "system = 'linux'",
        "cpu_family = 'aarch64'",
        "cpu = 'armv8-a'",
        "endian = 'little'",
        ''])


# ---- kernels ---------------------------------------------------------------------------------

class Kernel:
    """An unpacked linux-image package: dir/Image and dir/modules/*.ko with their dependencies."""

    def __init__(self, directory):
        self.dir = directory
        self.image = os.path.join(directory, 'Image')
        self.release = read_text(os.path.join(directory, 'release'), '').strip()
        self.id = read_text(os.path.join(directory, '.stamp'), '').strip()
        self.builtin = set(read_text(os.path.join(directory, 'builtin'), '').split())
        self.index = {}
        for line in read_text(os.path.join(directory, 'index'), '').splitlines():
            name, depends = line.split(':')
            self.index[name] = depends.split()

    def order(self, names, optional=()):
        """Files of the modules with their dependencies, in the order of loading."""
        done, out = set(), []

        def visit(name, needed):
            if name in done or name in self.builtin:
                return
            if name not in self.index and name + '_generic' in self.index:
                name += '_generic'      # a cryptographic algorithm, asked for by its name
            if name in done:
                return
            if name not in self.index:
                if needed:
                    raise Fatal('kernel %s has no module %s' % (self.release, name))
                return
            done.add(name)
            for d in self.index[name]:
                visit(d.lstrip('?'), d[0] != '?')
            out.append(os.path.join(self.dir, 'modules', name + '.ko'))
        for n in names:
            visit(n.replace('-', '_'), True)
        for n in optional:
            visit(n.replace('-', '_'), False)
        return out


# Only what lies in these directories is kept: the whole of it has 400 MB.
# A dependency with "?" in front (a "softdep") may be missing.
MODULE_DIRS = ('drivers/virtio', 'drivers/block/virtio_blk', 'drivers/net/virtio_net',
               'drivers/net/net_failover', 'net/core/failover', 'net/9p', 'fs/9p', 'fs/netfs',
               'fs/fscache', 'drivers/net/tun', 'drivers/net/tap', 'drivers/char/virtio_console',
               'drivers/char/hw_random', 'fs/ext4', 'fs/jbd2', 'fs/mbcache', 'lib/',
               'crypto/', 'arch/arm64/crypto', 'arch/arm64/lib', 'drivers/input/', 'drivers/gpio/gpio-pl061',
               'drivers/rtc', 'net/vmw_vsock', 'drivers/firmware/qemu_fw_cfg', 'fs/fat',
               'fs/nls', 'drivers/firmware/arm_ffa', 'fs/overlayfs', 'drivers/block/loop', 'fs/fuse', 'drivers/mmc',
               'drivers/ata', 'drivers/scsi', 'drivers/tee', 'drivers/vhost', 'net/packet',
               'drivers/net/veth', 'net/bridge', 'net/8021q', 'net/802', 'net/llc', 'fs/squashfs')
INPUT = ('evdev', 'gpio_keys', 'virtio_input')


def _raw_image(path):
    """The uncompressed arm64 Image of a vmlinuz, which may be gzip'ed or an EFI zboot file."""
    import gzip
    import lzma
    with open(path, 'rb') as f:
        data = f.read()
    if data[:2] == b'\x1f\x8b':
        data = gzip.decompress(data)
    elif data[:2] == b'MZ' and data[4:8] == b'zimg':
        start, size = (int.from_bytes(data[o:o + 4], 'little') for o in (8, 12))
        kind, body = data[0x18:0x38].split(b'\0')[0], data[start:start + size]
        if kind == b'gzip':
            data = gzip.decompress(body)
        elif kind in (b'xz', b'xzkern'):
            data = lzma.decompress(body)
        else:
            raise Fatal('%s: EFI zboot compression %s is not handled' % (path, kind.decode()))
    if data[56:60] != b'ARM\x64':
        raise Fatal('%s is not an arm64 kernel image' % path)
    return data


def _module_bytes(path):
    import lzma
    with open(path, 'rb') as f:
        data = f.read()
    if path.endswith('.xz'):
        return lzma.decompress(data)
    if path.endswith('.zst'):
        return run(['zstd', '-dc', path], text=False, timeout=60).stdout
    return data


def _unpack_kernel(deb, others, dest):
    work = tempfile.mkdtemp(prefix='kernel.new.', dir=os.path.dirname(dest))
    try:
        for d in [deb] + others:
            run(['dpkg-deb', '-x', d, work + '/x'], timeout=300)
        images = glob.glob(work + '/x/boot/vmlinuz-*') or \
            glob.glob(work + '/x/usr/lib/modules/*/vmlinuz')
        if len(images) != 1:
            raise Fatal('%s has no kernel' % deb)
        release = os.path.basename(images[0])[8:] or os.path.basename(os.path.dirname(images[0]))
        os.makedirs(work + '/out/modules')
        write_file(work + '/out/Image', _raw_image(images[0]))
        write_file(work + '/out/release', release + '\n')
        tree, = (t for t in glob.glob(work + '/x/**/modules/%s' % glob.escape(release), recursive=True)
                 if os.path.isdir(t + '/kernel'))
        name_of = lambda p: re.sub(r'\.ko(\.\w+)?$', '',       # noqa: E731
                                   os.path.basename(p)).replace('-', '_')
        builtin = read_text(tree + '/modules.builtin', '')
        write_file(work + '/out/builtin', '\n'.join(name_of(b) for b in builtin.split()) + '\n')
        lines = []
        for path in sorted(glob.glob(tree + '/kernel/**/*.ko*', recursive=True)):
            rel = os.path.relpath(path, tree + '/kernel')
            if not rel.startswith(MODULE_DIRS) or \
                    (rel.startswith('drivers/input/') and name_of(path) not in INPUT):
                continue
            data = _module_bytes(path)
            depends = [d for m in re.findall(rb'(?<![a-z])depends=([A-Za-z0-9_,-]*)\0', data)
                       for d in m.decode().split(',') if d]
            for m in re.findall(rb'(?<![a-z])softdep=pre: ([^\0]*)\0', data):
                depends += ['?' + re.sub('^crypto[-_]', '', d)
                            for d in m.decode().split(' post:')[0].split()]
            write_file(work + '/out/modules/%s.ko' % name_of(path), data)
            lines.append('%s: %s\n' % (name_of(path),
                                       ' '.join(d.replace('-', '_') for d in depends)))
        write_file(work + '/out/index', ''.join(lines))
        write_file(work + '/out/.stamp', kernel_stamp(deb))
        shutil.rmtree(dest, ignore_errors=True)
        os.chmod(work + '/out', 0o755)
        os.rename(work + '/out', dest)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def kernel_stamp(deb):
    s = os.stat(deb)
    return '%d %s %d %d\n' % (LAYOUT, os.path.basename(deb), s.st_size, s.st_mtime)


def _other_parts(suite, name):
    """What else makes up a kernel whose linux-image package is empty, as Debian's are from 7 on."""
    release = name.replace('linux-image-', '')
    parts = [debs.fetch_other(suite, 'linux-%s-%s' % (p, release))
             for p in ('base', 'binary', 'modules')]
    return [p for p in parts if p]


def kernel(spec):
    """The Kernel for 6.1, 6.12, 6.12-16k, newest, a release such as 6.1.0-50-arm64, or a .deb file."""
    others = []
    if spec == 'newest':
        spec = debs.newest_kernel()
    if 'kernel-' + spec in debs.SETS:
        deb = debs.fetch(['kernel-' + spec])[0].path()
    elif spec.endswith('.deb'):
        deb = os.path.abspath(spec)
        if not os.path.isfile(deb):
            raise Fatal('no such file: %s' % spec)
    elif re.fullmatch(r'[a-z0-9.+~-]+', spec):
        name = spec if spec.startswith('linux-image-') else 'linux-image-' + spec
        deb = None
        for suite in debs.SUITES:
            if not deb:
                deb = debs.fetch_other(suite, name)
                others = _other_parts(suite, name) if deb else []
        if not deb:
            raise Fatal('no suite of Debian has %s' % name)
    else:
        raise Fatal('--kernel %s: want 6.1, 6.12, 6.12-16k, newest, a release such as 6.1.0-50-arm64, '
                    'or a linux-image .deb file' % spec)
    base = os.path.basename(deb)[:-4].replace('linux-image-', '').split('_')
    dest = os.path.join(debs.PKGS, 'kernels', '_'.join(base[:2]))
    if read_text(dest + '/.stamp') != kernel_stamp(deb):
        with locked(dest + '.lock'):
            if read_text(dest + '/.stamp') != kernel_stamp(deb):
                _unpack_kernel(deb, others, dest)
    return Kernel(dest)
