# SPDX-License-Identifier: Apache-2.0
"""Debian packages for arm64 from a private apt configuration, pinned by tools/packages.lock.

The configuration takes mirror and keys from the machine's own sources and keeps everything of
its own under build/pkgs/apt, so that apt's state on the machine stays as it is.
"""

import glob
import hashlib
import json
import os
import re
import shutil
import tempfile

from common import BUILD, Fatal, TOOLS, locked, read_text, run, warn, write_file

PKGS = os.path.join(BUILD, 'pkgs')
LOCK = os.path.join(TOOLS, 'packages.lock')
SUITES = ('bookworm', 'trixie', 'sid')
KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg'

# name: suite, roots; 'meta': the image that a metapackage depends on; 'closure': with
# dependencies (no recommended packages) but without the packages in 'drop', which belong to the
# installation of a system and not to running a program; 'sources': the upstream tarballs of these
# source packages; 'patches': the tarballs with Debian's part of them.
SYSTEM = ['debconf', 'cdebconf', 'adduser', 'passwd', 'libpam*', 'iso-codes', 'perl*', 'login',
          'libsemanage*', 'libsepol*', 'dpkg', 'tar', 'libacl1', 'libmd0']
SETS = {
    'kernel-6.1': {'suite': 'bookworm', 'meta': 'linux-image-arm64'},
    'kernel-6.12': {'suite': 'trixie', 'meta': 'linux-image-arm64'},
    'kernel-6.12-16k': {'suite': 'trixie', 'meta': 'linux-image-arm64-16k'},
    'kernel-6.12-rt': {'suite': 'trixie', 'meta': 'linux-image-rt-arm64'},
    'kernel-6.12-cloud': {'suite': 'trixie', 'meta': 'linux-image-cloud-arm64'},
    'kernel-6.1-rt': {'suite': 'bookworm', 'meta': 'linux-image-rt-arm64'},
    'kernel-6.1-cloud': {'suite': 'bookworm', 'meta': 'linux-image-cloud-arm64'},
    'busybox': {'suite': 'bookworm', 'roots': ['busybox-static']},
    'sysroot': {'suite': 'bookworm', 'closure': True, 'roots': [
        'libc6-dev', 'linux-libc-dev', 'libfdt-dev', 'libelf-dev', 'libslirp-dev',
        'libglib2.0-dev', 'libjansson-dev', 'libcmocka-dev', 'libasan8', 'libubsan1', 'libtsan2',
        'libgcc-s1', 'libstdc++6', 'libgcc-12-dev', 'zlib1g'],
        # libc6-dev and libglib2.0-dev ask for tools of a build machine, which are not run here.
        'drop': SYSTEM + ['python3*', 'libpython3*', 'libglib2.0-dev-bin', 'libglib2.0-bin',
                          'libglib2.0-data', 'pkgconf*', 'pkg-config', 'libpkgconf*', 'uuid-dev',
                          'libkrb5*', 'libk5*', 'libgssapi*', 'libtirpc*', 'libnsl*', 'libssl3',
                          'libkeyutils1', 'libcom-err2', 'rpcsvc-proto', 'libc-dev-bin',
                          'media-types', 'shared-mime-info', 'libxml2', 'libicu*', 'readline*',
                          'libreadline*', 'libsqlite3*', 'libncurses*', 'libdb5*', 'libexpat1',
                          'mailcap', 'mime-support', 'libtinfo6', 'tzdata', 'ca-certificates',
                          'openssl', 'libbz2*', 'liblzma*', 'libblkid-dev',
                          'libmount-dev', 'libselinux1-dev', 'libsepol-dev',
                          'libpcre2-16*', 'libpcre2-32*', 'libpcre2-posix*']},
    'qemu': {'suite': 'bookworm', 'closure': True, 'roots': ['qemu-system-arm'], 'drop': SYSTEM},
    # What tests/user runs in a guest.
    'user': {'suite': 'bookworm', 'closure': True, 'roots': [
        'gcc', 'libc6-dev', 'openssl', 'python3', 'libpython3.11-testsuite', 'busybox-static'],
        'drop': SYSTEM + ['base-files', 'bash', 'debianutils', 'mawk', 'net-tools', 'grep', 'sed',
                          'coreutils', 'readline-common', 'libasan8', 'liblsan0', 'libtsan2',
                          'libhwasan0', 'libgprofng0']},
    # What tools/firmware makes firmware from.
    'firmware': {'suite': 'trixie', 'roots': ['optee-os', 'u-boot-qemu', 'qemu-efi-aarch64'],
                 'sources': ['arm-trusted-firmware']},
    'firmware-edk2': {'suite': 'trixie', 'roots': [], 'sources': ['edk2'], 'patches': ['edk2']},
    # What tools/disks puts on disks: what firmware starts, and a system to log in to.
    'loaders': {'suite': 'trixie', 'roots': ['shim-signed', 'grub-efi-arm64-signed',
                                             'systemd-boot-efi', 'xen-hypervisor-4.20-arm64']},
    'system': {'suite': 'trixie', 'closure': True, 'drop': [], 'roots': [
        'base-files', 'base-passwd', 'bash', 'coreutils', 'dash', 'dbus', 'debianutils',
        'diffutils', 'dpkg', 'e2fsprogs', 'findutils', 'grep', 'gzip', 'hostname',
        'init-system-helpers', 'iproute2', 'kmod', 'libc-bin', 'libpam-runtime', 'libpam-systemd',
        'login', 'mawk', 'mount', 'ncurses-base', 'ncurses-bin', 'passwd', 'perl-base', 'procps',
        'sed', 'systemd-sysv', 'sysvinit-utils', 'tar', 'udev', 'util-linux']},
    'installer': {'suite': 'trixie', 'roots': ['debian-installer-13-netboot-arm64']},
}
# In place of the architecture, for a source package: its two tarballs.
SOURCE, PATCHES = 'source', 'patches'
TARBALL = {SOURCE: 'orig.tar', PATCHES: 'debian.tar'}


class Package:
    """One line of the manifest."""

    def __init__(self, suite, name, version, arch, sha256, sets):
        self.suite, self.name, self.version = suite, name, version
        self.arch, self.sha256, self.sets = arch, sha256, tuple(sets)

    def key(self):
        return ' '.join((self.suite, self.name, self.version, self.arch))

    def path(self):
        return os.path.join(PKGS, self.suite, '%s_%s_%s.%s' % (
            self.name, self.version.replace(':', '%3a'), self.arch,
            'tar' if self.arch in TARBALL else 'deb'))

    def cached(self):
        """True if the file is there and was found to have this very hash when it came."""
        return os.path.exists(self.path()) and read_text(self.path() + '.sha256') == self.sha256

    def __str__(self):
        return '%s %s %s %s sha256:%s' % (self.suite, self.name, self.version, self.arch,
                                          self.sha256)


# ---- the machine's sources -------------------------------------------------------------------

def _one_line(text):
    for line in text.splitlines():
        m = re.match(r'\s*deb\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)\s+(.*)', line.split('#')[0])
        if m:
            opts = dict(o.split('=', 1) for o in (m.group(1) or '').split() if '=' in o)
            opts = {k.rstrip('+-').lower(): v for k, v in opts.items()}
            yield {'uris': [m.group(2)], 'suites': [m.group(3)],
                   'components': m.group(4).split(), 'options': opts}


def _deb822(text):
    for stanza in re.split(r'\n\s*\n', '\n'.join(
            s for s in text.splitlines() if not s.startswith('#'))):
        fields, last = {}, None
        for line in stanza.splitlines():
            if line[:1] in (' ', '\t') and last:
                fields[last] += '\n' + line
            elif ':' in line:
                last, value = line.split(':', 1)
                last = last.strip().lower()
                fields[last] = value.strip()
        if 'deb' in fields.get('types', '').split() and \
                fields.get('enabled', 'yes').lower() not in ('no', 'false', '0', 'off'):
            yield {'uris': fields.get('uris', '').split(),
                   'suites': fields.get('suites', '').split(),
                   'components': fields.get('components', '').split(), 'options': fields}


def machine_sources():
    """Debian's main and security archives as this machine reaches them: (uri, options) each.

    Security is None where the machine has none."""
    p = run(['apt-config', 'shell', 'L', 'Dir::Etc::sourcelist/f', 'P',
             'Dir::Etc::sourceparts/d'], timeout=30)
    conf = dict(re.findall(r"^(\w)='(.*)'$", p.stdout, re.M))
    parts = conf.get('P', '/etc/apt/sources.list.d/').rstrip('/')
    entries = []
    for path in [conf.get('L', '/etc/apt/sources.list')] + sorted(glob.glob(parts + '/*')):
        try:
            text = read_text(path, '')
        except (OSError, UnicodeDecodeError):
            continue
        if path.endswith('.sources'):
            entries += _deb822(text)
        elif path.endswith('.list'):
            entries += _one_line(text)
    names = ('bullseye', 'bookworm', 'trixie', 'forky', 'sid', 'oldoldstable', 'oldstable',
             'stable', 'testing', 'unstable')
    main = security = None
    for e in entries:
        if 'main' not in e['components']:
            continue
        for uri in e['uris']:
            if uri.startswith('cdrom:'):
                continue
            for s in e['suites']:
                if s in names and not main:
                    main = (uri.rstrip('/'), e['options'])
                elif s.split('-')[0].split('/')[0] in names and not security and \
                        (s.endswith('-security') or s.endswith('/updates')):
                    security = (uri.rstrip('/'), e['options'])
    if main and 'ubuntu' in main[0]:
        main = None
    if not main:
        raise Fatal("apt's sources on this machine name no Debian archive with the component main; "
                    'add one under /etc/apt/sources.list.d')
    return main, security


# ---- private apt -----------------------------------------------------------------------------

class Apt:
    """apt for arm64 packages of one suite, with an empty machine as its state."""

    TYPE = 'deb'
    PLACE = '%s'    # of its directory, by suite
    LISTS = 'Packages'

    def __init__(self, suite):
        if not shutil.which('apt-get'):
            raise Fatal('apt-get is needed to fetch Debian packages')
        self.suite = suite
        self.dir = os.path.join(PKGS, 'apt', self.PLACE % suite)
        self.updated = False
        for d in ('etc/sources.d', 'etc/empty', 'state/lists/partial', 'cache/archives/partial',
                  'log'):
            os.makedirs(os.path.join(self.dir, d), exist_ok=True)
        open(os.path.join(self.dir, 'status'), 'a').close()
        main, security = machine_sources()
        stanzas = [self._stanza(main, [suite])]
        if suite != 'sid':
            stanzas = [self._stanza(main, [suite, suite + '-updates'])]
            if security:
                stanzas.append(self._stanza(security, [suite + '-security']))
        text = '\n'.join(stanzas)
        path = os.path.join(self.dir, 'etc/sources.d/obverse.sources')
        if read_text(path) != text:
            write_file(path, text)
            self._forget()
        self.conf = os.path.join(self.dir, 'apt.conf')
        d = self.dir
        write_file(self.conf, ''.join(line + ';\n' for line in [
            '#clear APT::Architectures', '#clear APT::Update', '#clear APT::NeverAutoRemove',
            '#clear DPkg::Pre-Invoke', '#clear DPkg::Post-Invoke', '#clear Acquire::Languages',
            'APT::Architecture "arm64"', 'APT::Architectures { "arm64"; }',
            'APT::Install-Recommends "0"', 'APT::Sandbox::User "root"', 'APT::Default-Release ""',
            'Acquire::Languages { "none"; }', 'Acquire::Retries "3"',
            'Acquire::http::Timeout "60"',
            'Dir::Etc::sourcelist "/dev/null"', 'Dir::Etc::sourceparts "%s/etc/sources.d"' % d,
            'Dir::Etc::preferences "/dev/null"', 'Dir::Etc::preferencesparts "%s/etc/empty"' % d,
            'Dir::State "%s/state"' % d, 'Dir::State::status "%s/status"' % d,
            'Dir::Cache "%s/cache"' % d, 'Dir::Cache::pkgcache "pkgcache.bin"',
            'Dir::Cache::srcpkgcache "srcpkgcache.bin"', 'Dir::Log "%s/log"' % d]))

    def _forget(self):
        shutil.rmtree(os.path.join(self.dir, 'state/lists'), ignore_errors=True)
        os.makedirs(os.path.join(self.dir, 'state/lists/partial'), exist_ok=True)

    def _stanza(self, source, suites):
        uri, opts = source
        lines = ['Types: ' + self.TYPE, 'URIs: ' + uri, 'Suites: ' + ' '.join(suites),
                 'Components: main', 'Architectures: arm64']
        key = opts.get('signed-by') or (KEYRING if os.path.exists(KEYRING) else None)
        if key and not key.startswith('\n') and ' ' not in key and key.startswith('/') and \
                'debian-archive' in key and os.path.exists(KEYRING):
            key = KEYRING    # a suite's own key file would not do for the other suites
        if key:
            lines.append('Signed-By: ' + key)
        for o in ('trusted', 'check-valid-until'):
            if o in opts:
                lines.append('%s: %s' % (o, opts[o]))
        return '\n'.join(lines) + '\n'

    def run(self, tool, *args, **kw):
        return run([tool, '-c', self.conf] + list(args), env=dict(os.environ, LC_ALL='C'), **kw)

    def update(self):
        if self.updated:
            return
        p = self.run('apt-get', '-q', 'update', timeout=300, check=False)
        bad = [s for s in (p.stdout + p.stderr).splitlines() if s[:2] in ('E:', 'W:', 'Er')]
        if p.returncode or any(s.startswith('Er') or 'Failed to fetch' in s for s in bad):
            raise Fatal("cannot read the package lists of %s from Debian's mirror:\n%s" %
                        (self.suite, '\n'.join(bad) or p.stderr))
        self.updated = True

    def have_lists(self):
        return bool(glob.glob(os.path.join(self.dir, 'state/lists/*_%s*' % self.LISTS)))

    def show(self, *specs):
        """Stanzas of 'name' or 'name=version' as dictionaries."""
        if not specs:
            return []
        p = self.run('apt-cache', 'show', *specs, check=False, timeout=120)
        out = []
        for stanza in p.stdout.split('\n\n'):
            fields = dict(re.findall(r'^([A-Za-z0-9-]+): (.*)$', stanza, re.M))
            if 'Package' in fields:
                out.append(fields)
        return out

    def candidate(self, name, _arch=None):
        """The stanza of the version apt would install, or None."""
        p = self.run('apt-cache', 'policy', name, check=False, timeout=60)
        m = re.search(r'Candidate: (\S+)', p.stdout)
        if not m or m.group(1) == '(none)':
            return None
        stanzas = self.show('%s=%s' % (name, m.group(1)))
        return stanzas[0] if stanzas else None

    def image_of(self, meta):
        """The name of the kernel image that a metapackage asks for at present."""
        c = self.candidate(meta)
        m = c and re.search(r'(linux-image-\d\S*)', c.get('Depends', ''))
        if not m:
            raise Fatal('%s has no kernel image in %s' % (meta, self.suite))
        return m.group(1)

    def closure(self, roots):
        """[(name, version)] of the roots and all they depend on, by apt's own resolver."""
        p = self.run('apt-get', '-s', '-q', 'install', *roots, timeout=120)
        return re.findall(r'^Inst (\S+) \((\S+) ', p.stdout, re.M)

    def download(self, packages, folder):
        """Bring packages to an empty folder; returns the files in the same order."""
        self.run('apt-get', '-q', 'download', *['%s=%s' % (p.name, p.version) for p in packages],
                 cwd=folder, timeout=1500)
        return [_only(folder, '%s_*.deb' % glob.escape(p.name), p) for p in packages]


class SourceApt(Apt):
    """The same for source packages, each being one of its tarballs."""

    TYPE = 'deb-src'
    PLACE = '%s-src'
    LISTS = 'Sources'

    def show(self, *specs):
        p = self.run('apt-cache', 'showsrc', '--only-source',
                     *sorted({s.split('=')[0] for s in specs}), check=False, timeout=120)
        out = []
        for stanza in p.stdout.split('\n\n'):
            fields = dict(re.findall(r'^([A-Za-z0-9-]+): (.*)$', stanza, re.M))
            for arch, kind in TARBALL.items():
                tars = re.findall(r'^ ([0-9a-f]{64}) \d+ \S+\.%s\.\w+$' % kind, stanza, re.M)
                if 'Package' in fields and len(tars) == 1:
                    out.append({'Package': fields['Package'], 'Version': fields['Version'],
                                'Architecture': arch, 'SHA256': tars[0]})
        wanted = [s.split('=', 1) for s in specs]
        return [f for f in out if [f['Package']] in wanted or
                [f['Package'], f['Version']] in wanted]

    def candidate(self, name, arch=SOURCE):
        newest = None
        for fields in [f for f in self.show(name) if f['Architecture'] == arch]:
            if not newest or run(['dpkg', '--compare-versions', fields['Version'], 'gt',
                                  newest['Version']], check=False).returncode == 0:
                newest = fields
        return newest

    def download(self, packages, folder):
        for p in packages:
            self.run('apt-get', '-q', 'source', '--download-only', '--only-source',
                     '--tar-only' if p.arch == SOURCE else '--diff-only',
                     '%s=%s' % (p.name, p.version), cwd=folder, timeout=1500)
        return [_only(folder, '%s_*.%s.*[!c]' % (glob.escape(p.name), TARBALL[p.arch]), p)
                for p in packages]


def _only(folder, pattern, package):
    """The one file that a download brought for a package."""
    got = glob.glob(os.path.join(glob.escape(folder), pattern))
    if len(got) != 1:
        raise Fatal('apt-get did not bring %s %s' % (package.name, package.version))
    return got[0]


# ---- the manifest ----------------------------------------------------------------------------

def read_lock():
    out = []
    for i, line in enumerate((read_text(LOCK) or '').splitlines(), 1):
        words = line.split('#')[0].split()
        if not words:
            continue
        if len(words) != 6:
            raise Fatal('%s:%d: want: suite name version arch sha256 sets' % (LOCK, i))
        out.append(Package(*words[:5], sets=words[5].split(',')))
    return out


def _dropped(name, patterns):
    return any(re.fullmatch(re.escape(p).replace(r'\*', '.*'), name) for p in patterns)


def resolve(name):
    """The packages of a set as the mirror has them now."""
    spec = SETS[name]
    apt = _apt(spec['suite'])
    apt.update()
    out = []
    for n, arch in [(n, SOURCE) for n in spec.get('sources', [])] + \
            [(n, PATCHES) for n in spec.get('patches', [])]:
        source = _apt(spec['suite'], source=True)
        source.update()
        c = source.candidate(n, arch)
        if not c:
            raise Fatal('%s has no source package %s' % (spec['suite'], n))
        out.append(Package(spec['suite'], n, c['Version'], arch, c['SHA256'], [name]))
    if 'meta' in spec:
        wanted = [(apt.image_of(spec['meta']), None)]
    elif spec.get('closure'):
        wanted = [(n, v) for n, v in apt.closure(spec['roots'])
                  if n in spec['roots'] or not _dropped(n, spec['drop'])]
    else:
        wanted = [(n, None) for n in spec['roots']]
    shown = {(s['Package'], s['Version']): s
             for s in apt.show(*['%s=%s' % w for w in wanted if w[1]])}
    for n, v in wanted:
        s = shown.get((n, v)) if v else apt.candidate(n)
        if not s:
            raise Fatal('%s is not in %s' % (n, spec['suite']))
        out.append(Package(spec['suite'], n, s['Version'], s['Architecture'], s['SHA256'],
                           [name]))
    return out


def write_lock():
    """Rewrite the manifest from what the mirror serves; returns the packages that changed."""
    with locked(os.path.join(PKGS, 'lock')):
        merged = {}
        for name in SETS:
            for p in resolve(name):
                if p.key() in merged:
                    p.sets = merged[p.key()].sets + p.sets
                merged[p.key()] = p
        lines = ['# SPDX-License-Identifier: Apache-2.0\n',
                 '# Written by tools/fetch --update: suite name version arch sha256 sets\n']
        lines += ['%s %s %s %s %s %s\n' % (p.suite, p.name, p.version, p.arch, p.sha256,
                                           ','.join(p.sets))
                  for _, p in sorted(merged.items())]
        old = {p.key() for p in read_lock()}
        write_file(LOCK, ''.join(lines))
        return [merged[k] for k in sorted(merged) if k not in old]


# ---- fetching --------------------------------------------------------------------------------

_apts = {}


def _apt(suite, source=False):
    kind = SourceApt if source else Apt
    if (suite, kind) not in _apts:
        _apts[suite, kind] = kind(suite)
    return _apts[suite, kind]


def _sha256(path):
    h = hashlib.sha256()
    with open(path, 'rb') as f:
        for block in iter(lambda: f.read(1 << 20), b''):
            h.update(block)
    return h.hexdigest()


def _served(apt, packages):
    """Those of the packages that the mirror has with the pinned contents."""
    have = {s.get('SHA256') for s in apt.show(*['%s=%s' % (p.name, p.version)
                                                for p in packages])}
    return [p for p in packages if p.sha256 in have]


def _replacement(apt, p):
    """What the mirror serves instead of p."""
    for s in p.sets:
        if 'meta' in SETS.get(s, {}):
            name = apt.image_of(SETS[s]['meta'])
            break
    else:
        name = p.name
    c = apt.candidate(name, p.arch)
    if not c:
        raise Fatal('%s serves neither %s %s nor another version' % (p.suite, p.name, p.version))
    if c['Version'] == p.version and name == p.name:
        raise Fatal('%s %s of %s does not have the pinned contents: want sha256 %s, served %s' %
                    (p.name, p.version, p.suite, p.sha256, c['SHA256']))
    return Package(p.suite, name, c['Version'], c['Architecture'], c['SHA256'], p.sets)


def _download(apt, packages, say):
    """Bring packages into the cache; their hashes are checked here, whatever apt did."""
    tmp = tempfile.mkdtemp(prefix='new.', dir=PKGS)
    try:
        for p, got in zip(packages, apt.download(packages, tmp)):
            if _sha256(got) != p.sha256:
                raise Fatal('%s %s: sha256 differs from %s' % (p.name, p.version, p.sha256))
            os.makedirs(os.path.dirname(p.path()), exist_ok=True)
            os.rename(got, p.path())
            write_file(p.path() + '.sha256', p.sha256)
            say('fetched %s' % p)
    finally:
        shutil.rmtree(tmp, ignore_errors=True)


def fetch(sets, say=None):
    """Make sure that the packages of the sets are in the cache; returns them as a list.

    A pinned version that the mirror lost is replaced by the one it serves, with a warning on
    every run that uses it.
    """
    say = say or (lambda text: None)
    for s in sets:
        if s not in SETS:
            raise Fatal('no package set %s; there are: %s' % (s, ' '.join(SETS)))
    pinned = [p for p in read_lock() if set(p.sets) & set(sets)]
    lacking = set(sets) - {s for p in pinned for s in p.sets}
    if lacking:
        raise Fatal('%s has nothing for: %s' % (LOCK, ' '.join(sorted(lacking))))
    record = os.path.join(PKGS, 'replaced.json')

    def current():
        known = json.loads(read_text(record, '{}'))
        return [Package(*known[p.key()], sets=p.sets) if p.key() in known and
                not p.cached() else p for p in pinned]

    if not all(p.cached() for p in current()):
        with locked(os.path.join(PKGS, 'lock')):
            _fetch_missing(pinned, current(), record, say)
    used = current()
    for p, u in zip(pinned, used):
        if p is not u:
            warn('warning: Debian no longer serves the pinned %s %s; using %s %s instead' %
                 (p.name, p.version, u.name, u.version))
    return used


def _fetch_missing(pinned, used, record, say):
    jobs = {}
    for p, u in zip(pinned, used):
        if not u.cached():
            jobs.setdefault((p.suite, p.arch in TARBALL), []).append((p, u))
    for where, pairs in jobs.items():
        apt = _apt(*where)
        if not apt.have_lists():
            apt.update()
        todo = []
        served = _served(apt, [p for p, _ in pairs])
        if len(served) < len(pairs):
            apt.update()
            served = _served(apt, [p for p, _ in pairs])
        for p, _ in pairs:
            if p not in served:
                u = _replacement(apt, p)
                known = json.loads(read_text(record, '{}'))
                known[p.key()] = [u.suite, u.name, u.version, u.arch, u.sha256]
                write_file(record, json.dumps(known, indent=1))
                p = u
            if not p.cached() and p.path() not in [q.path() for q in todo]:
                todo.append(p)
        if todo:
            _download(apt, todo, say)


def newest_kernel():
    """The name of the kernel image that Debian's development has now."""
    with locked(os.path.join(PKGS, 'lock')):
        apt = _apt(SUITES[-1])
        apt.update()
        return apt.image_of('linux-image-arm64')


def fetch_other(suite, name, say=None):
    """A package by name that the manifest does not pin, checked by apt's signed lists only."""
    with locked(os.path.join(PKGS, 'lock')):
        cached = sorted(glob.glob(os.path.join(PKGS, suite, glob.escape(name) + '_*.deb')))
        if cached:
            return cached[-1]
        apt = _apt(suite)
        apt.update()
        c = apt.candidate(name)
        if not c:
            return None
        p = Package(suite, name, c['Version'], c['Architecture'], c['SHA256'], [])
        warn('warning: %s %s is not pinned' % (p.name, p.version))
        _download(apt, [p], say or (lambda text: None))
        return p.path()


def fingerprint(packages):
    """A short hash of exactly these packages, for stamps and names."""
    text = '\n'.join(sorted(str(p) for p in packages))
    return hashlib.sha256(text.encode()).hexdigest()[:16]
