# SPDX-License-Identifier: Apache-2.0
"""The two files of Debian's source packages that the tables are made from, below build/pkgs/."""

import glob
import os

from common import Fatal, run, write_file
import debs

SUITE = 'trixie'
WHERE = os.path.join(debs.PKGS, 'src')
# source package: file in its tarball
FILES = {
    'llvm-toolchain-19': 'llvm/lib/Target/AArch64/AArch64SystemOperands.td',
    'arm-trusted-firmware': 'include/arch/aarch64/arch.h',
}


def _served_version(apt, package):
    c = apt.candidate(package)
    if not c:
        raise Fatal('%s has no source package %s' % (SUITE, package))
    return c['Version']


def _fetch(apt, package, version, wanted, to):
    """apt checks the tarball against the signed package lists."""
    print('fetching the source of %s %s' % (package, version), flush=True)
    apt.run('apt-get', '-q', 'source', '--download-only', '--tar-only', '--only-source',
            '%s=%s' % (package, version), cwd=WHERE, timeout=1500)
    tars = glob.glob(os.path.join(WHERE, '%s_*.orig.tar.*' % package))
    tars = [t for t in tars if not t.endswith('.asc')]
    if len(tars) != 1:
        raise Fatal('want one tarball of %s, have: %s' % (package, ' '.join(tars)))
    p = run(['tar', 'xOf', tars[0], '--wildcards', '--occurrence=1', '*/' + wanted], timeout=900)
    write_file(to, p.stdout)
    os.unlink(tars[0])


def get():
    """{package: (version, text of its file)}; fetched unless this very version is there."""
    os.makedirs(WHERE, exist_ok=True)
    apt = debs.SourceApt(SUITE)
    apt.update()
    out = {}
    for package, wanted in FILES.items():
        version = _served_version(apt, package)
        path = os.path.join(WHERE, '%s_%s_%s' % (
            package, version.replace(':', '%3a'), os.path.basename(wanted)))
        if not os.path.exists(path):
            _fetch(apt, package, version, wanted, path)
        with open(path) as f:
            out[package] = (version, f.read())
    return out
