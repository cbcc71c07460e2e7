# SPDX-License-Identifier: Apache-2.0
"""A Debian system with systemd, unpacked here and configured by dpkg where it boots first."""

import os
import re
import shutil
import tempfile

import debs
from common import BUILD, TOOLS, locked, read_text, run, write_file

ROOT_DIR = os.path.join(BUILD, 'system-root')
SRC = os.path.join(TOOLS, 'guest', 'debian')
LAYOUT = 1          # raise when the way of unpacking changes


def _contents(root, deb):
    """Unpack the files of a package; returns their names as dpkg lists them."""
    with tempfile.NamedTemporaryFile(dir=os.path.dirname(root)) as tar:
        run(['dpkg-deb', '--fsys-tarfile', deb], stdout=tar, text=False)
        # /bin and the like are links of base-files' and stay so.
        run(['tar', '-C', root, '-xpf', tar.name, '--keep-directory-symlink'])
        names = run(['tar', '-tf', tar.name]).stdout.splitlines()
    return [n[1:].rstrip('/') or '/.' for n in names]


def _conffiles(control, root):
    """What dpkg knows of a package's configuration files before it has configured it."""
    lines = (read_text(os.path.join(control, 'conffiles')) or '').split('\n')
    names = [n.strip() for n in lines if n.strip() and not n.startswith('remove-on-upgrade')]
    for n in names:
        os.rename(root + n, root + n + '.dpkg-new')
    return 'Conffiles:\n' + ''.join(' %s newconffile\n' % n for n in names) if names else ''


def _unpack(root, deb):
    """Leave a package as `dpkg --unpack` does; returns its stanza for dpkg's status file."""
    fields = run(['dpkg-deb', '-f', deb]).stdout.rstrip('\n')
    name = re.search(r'^Package: (\S+)', fields, re.M).group(1)
    if re.search(r'^Multi-Arch: same', fields, re.M):
        name += ':arm64'
    info = os.path.join(root, 'var/lib/dpkg/info', name)
    write_file(info + '.list', '\n'.join(_contents(root, deb)) + '\n')
    with tempfile.TemporaryDirectory(dir=os.path.dirname(root)) as control:
        run(['dpkg-deb', '-e', deb, control])
        for member in os.listdir(control):
            if member != 'control':
                shutil.copy2(os.path.join(control, member), info + '.' + member)
        conffiles = _conffiles(control, root)
    return re.sub(r'^(Package: .*)$', r'\1\nStatus: install ok unpacked', fields, count=1,
                  flags=re.M) + '\n' + conffiles


def _build(root, packages):
    for d in ('var/lib/dpkg/info', 'var/lib/dpkg/updates', 'usr/bin', 'usr/sbin', 'usr/lib'):
        os.makedirs(os.path.join(root, d))
    for d in ('bin', 'sbin', 'lib'):
        os.symlink('usr/' + d, os.path.join(root, d))
    status = [_unpack(root, p.path()) for p in packages]
    write_file(os.path.join(root, 'var/lib/dpkg/status'), '\n'.join(status))
    for d in ('doc', 'man', 'locale'):
        shutil.rmtree(os.path.join(root, 'usr/share', d), ignore_errors=True)
    shutil.copytree(SRC, root + '/obverse')
    units = root + '/etc/systemd/system'
    os.makedirs(units + '/multi-user.target.wants', exist_ok=True)
    shutil.copy(SRC + '/report.service', units)
    os.symlink('../report.service', units + '/multi-user.target.wants/report.service')
    write_file(root + '/etc/hostname', 'obverse\n')
    write_file(root + '/etc/machine-id', '0b5e45e0' * 4 + '\n')
    os.chmod(root, 0o755)


def root():
    """build/system-root; returns the path."""
    packages = debs.fetch(['system'])
    key = '%d %s\n' % (LAYOUT, debs.fingerprint(packages))
    for name in sorted(os.listdir(SRC)):
        key += read_text(os.path.join(SRC, name))
    with locked(ROOT_DIR + '.lock'):
        if read_text(ROOT_DIR + '.stamp') != key:
            shutil.rmtree(ROOT_DIR, ignore_errors=True)
            os.makedirs(ROOT_DIR)
            _build(ROOT_DIR, packages)
            write_file(ROOT_DIR + '.stamp', key)
    return ROOT_DIR
