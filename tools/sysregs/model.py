# SPDX-License-Identifier: Apache-2.0
"""The registers and operations of LLVM's table, with what the tables here add to them."""

import fnmatch
import os
import re

from common import Fatal, ROOT, read_text

HERE = os.path.dirname(os.path.realpath(__file__))
LOWEST_EL = {0: 1, 1: 1, 2: 1, 3: 0, 4: 2, 5: 2, 6: 3, 7: 1}    # by op1: D24.1
FLAGS = ('model', 'highest', 'w-highest', 'secure', 'fp')
VALUES = ('feature', 'r', 'w', 'fields', 'fields_e2h', 'of', 'e2h', 'reset', 'also')


def lines(name):
    path = os.path.join(HERE, name)
    for number, line in enumerate(read_text(path).splitlines(), 1):
        words = line.split('#')[0].split()
        if words:
            yield '%s:%d' % (name, number), words


def features():
    """The names in src/arm/feature.def, and the ID fields they refer to."""
    text = read_text(os.path.join(ROOT, 'src/arm/feature.def'))
    rows = re.findall(r'^ARM_FEATURE\w*\((\w+), (\w+), (\w+), \d+\)', text, re.M)
    return {r[0] for r in rows}, rows


# ---- fields.table ----------------------------------------------------------------------------

class Field:
    def __init__(self, hi, lo, name, feature=None, kind='rw'):
        self.hi, self.lo, self.name, self.feature, self.kind = hi, lo, name, feature, kind


class Layout:
    def __init__(self, place, name, raw):
        self.place, self.name, self.raw, self.fields = place, name, raw, []

    def add(self, place, field):
        for f in self.fields:
            if f.lo <= field.hi and field.lo <= f.hi:
                raise Fatal('%s: %s.%s overlaps %s' % (place, self.name, field.name, f.name))
            if f.name == field.name != 'RES1':
                raise Fatal('%s: %s.%s is there twice' % (place, self.name, f.name))
        if not 63 >= field.hi >= field.lo >= 0:
            raise Fatal('%s: no such bits: %d:%d' % (place, field.hi, field.lo))
        self.fields.append(field)


def _field(place, words, known):
    m = re.fullmatch(r'(\d+)(?::(\d+))?', words[0])
    if not m or len(words) < 2:
        raise Fatal('%s: want HI[:LO] FIELD' % place)
    f = Field(int(m[1]), int(m[2] or m[1]), words[1])
    for w in words[2:]:
        if w in ('ro', 'wo', 'res1'):
            f.kind = w
        elif w in known and not f.feature:
            f.feature = w
        else:
            raise Fatal('%s: no feature or attribute %s' % (place, w))
    if (f.name == 'RES1') != (f.kind == 'res1' and not f.feature):
        raise Fatal('%s: RES1 without a feature is called RES1' % place)
    return f


def read_layouts():
    known, _ = features()
    out, now = {}, None
    for place, words in lines('fields.table'):
        if words[0] == 'layout':
            raw = int(words[2].split('raw=')[1], 0) if len(words) > 2 else 0
            if words[1] in out:
                raise Fatal('%s: %s is there twice' % (place, words[1]))
            now = out[words[1]] = Layout(place, words[1], raw)
            at = 0
        elif words[0] == 'nibbles':
            for name in words[1:]:
                if name != '-':
                    now.add(place, Field(at + 3, at, name))
                at += 4
        else:
            now.add(place, _field(place, words, known))
    return out


# ---- registers.table -------------------------------------------------------------------------

class Rules:
    def __init__(self):
        self.llvm, self.registers, self.ops, self.op_features = {}, [], [], []
        for place, words in lines('registers.table'):
            if words[0] == 'llvm':
                self.llvm[words[1]] = words[2]
            elif words[0] == 'op':
                self.ops.append((place, words[1:]))
            elif words[0] == 'op-feature':
                self.op_features.append((place, *words[1:]))
            else:
                self.registers.append((place, *_rule(place, words)))

    def attributes(self, name):
        out = {}
        for _, patterns, attributes, used in self.registers:
            for p in patterns:
                if fnmatch.fnmatchcase(name, p):
                    used.add(p)
                    out.update(attributes)
        return out

    def feature(self, place, requires):
        """LLVM's list of features as one of ours, None, or 'drop'."""
        out = None
        for r in requires:
            r = re.sub(r'^(AArch64::)?(Feature|Has)', '', r)
            if r not in self.llvm:
                raise Fatal('%s: registers.table does not say what LLVM means by %s' % (place, r))
            if self.llvm[r] == 'drop':
                return 'drop'
            if self.llvm[r] != '-':
                out = self.llvm[r]
        return out

    def check_used(self):
        for place, patterns, _, used in self.registers:
            for p in patterns:
                if p not in used:
                    raise Fatal('registers.table: %s: no register is called %s' % (place, p))


def _rule(place, words):
    patterns, attributes = [], {}
    for w in words:
        key, eq, value = w.partition('=')
        if eq and key in VALUES:
            attributes[key] = value
        elif w in FLAGS + ('view', 'drop'):
            attributes[w] = True
        elif eq or attributes:
            raise Fatal('%s: no attribute %s' % (place, w))
        else:
            patterns.append(w)
    if not patterns or not attributes:
        raise Fatal('%s: want PATTERN... ATTRIBUTE...' % place)
    return patterns, attributes, set()


# ---- registers -------------------------------------------------------------------------------

def _els(place, text):
    """`1+`, `13`, `-` as a mask."""
    if text == '-':
        return 0
    if not re.fullmatch(r'[0-3]\+|[0-3]+', text):
        raise Fatal('%s: no exception levels: %s' % (place, text))
    els = range(int(text[0]), 4) if text.endswith('+') else [int(c) for c in text]
    return sum(1 << e for e in set(els))


class Register:
    def __init__(self, name, code, readable, writable, feature, a):
        self.name, self.code, self.a = name, code, a
        self.op = (code >> 14 & 3, code >> 11 & 7, code >> 7 & 15, code >> 3 & 15, code & 7)
        lowest = _els(name, '%d+' % LOWEST_EL[self.op[1]])
        self.read = _els(name, a['r']) if 'r' in a else lowest if readable else 0
        self.write = _els(name, a['w']) if 'w' in a else lowest if writable else 0
        feature = a.get('feature', feature)
        self.feature = None if feature == '-' else feature
        self.reset = int(a.get('reset', '0'), 0)
        self.flags = [f for f in FLAGS if f in a]
        self.view = 'view' in a
        self.storage = a.get('of')    # name of another register
        self.e2h = self.target = None
        self.also = a.get('also')


def _virtual_host(registers):
    """_EL12 and _EL02 forms, and where the plain names lead at EL2 while HCR_EL2.E2H is 1."""
    for r in list(registers.values()):
        m = re.fullmatch(r'(\w+)_EL([01])2', r.name)
        if not m:
            continue
        base = registers.get('%s_EL%s' % (m[1], m[2]))
        if not base or r.op[1] != 5:
            raise Fatal('%s: no register that it stands for' % r.name)
        r.target = r.storage = base.name
        r.feature = r.feature or base.feature or 'VHE'
        r.flags.append('e2h')
        r.view, r.reset = base.view, base.reset
        r.a = dict(base.a, **r.a)
        r.flags += [f for f in base.flags if f not in r.flags]
        other = base.a.get('e2h', '%s_EL2' % m[1])
        if other != '-':
            if other not in registers:
                raise Fatal('%s: at EL2 it would be %s, which is unknown' % (base.name, other))
            base.e2h = other


def _resolve_layouts(registers, layouts):
    for r in registers.values():
        r.fields = r.a.get('fields', r.target or r.name)
        r.fields_e2h = r.a.get('fields_e2h', r.fields)
        for f in ('fields', 'fields_e2h'):
            name = getattr(r, f)
            if name not in layouts:
                if f in r.a:
                    raise Fatal('%s: there is no layout %s' % (r.name, name))
                setattr(r, f, None)


def read_registers(defs, rules, layouts):
    known, _ = features()
    out, codes = {}, {}
    for d in defs:
        if d.cls not in ('RWSysReg', 'ROSysReg', 'WOSysReg'):
            continue
        name, op0, op1, crn, crm, op2 = d.args
        feature = rules.feature(name, d.requires)
        a = rules.attributes(name)
        if feature == 'drop' or 'drop' in a:
            continue
        code = d.encode(op0 << 14 | op1 << 11 | crn << 7 | crm << 3 | op2)
        r = Register(name, code, d.cls[0] == 'R', d.cls[:2] != 'RO', feature, a)
        if r.feature and r.feature not in known:
            raise Fatal('%s: src/arm/feature.def has no FEAT_%s' % (name, r.feature))
        if name in out or code in codes:
            raise Fatal('%s: name or encoding is that of %s' % (name, codes.get(code, name)))
        out[name], codes[code] = r, name
    rules.check_used()
    _virtual_host(out)
    _resolve_layouts(out, layouts)
    for r in out.values():
        if r.storage and (r.storage not in out or out[r.storage].storage):
            raise Fatal('%s: storage of %s' % (r.name, r.storage))
    return sorted(out.values(), key=lambda r: r.code)


# ---- operations ------------------------------------------------------------------------------

class Op:
    def __init__(self, group, name, code, has_rt, feature):
        self.group, self.name, self.code, self.has_rt = group, name, code, has_rt
        self.feature = feature
        self.op = (code >> 14, code >> 11 & 7, code >> 7 & 15, code >> 3 & 15, code & 7)
        self.els = _els(name, '%d+' % LOWEST_EL[self.op[1]])
        self.flags = []
        if group == 'TLBI':
            base = name[:-3] if name.endswith('nXS') else name
            self.flags = [f for f, yes in (
                ('IS', base.endswith('IS')), ('OS', base.endswith('OS')),
                ('NXS', base != name), ('RANGE', base[0] == 'R' and 'PA' != base[1:3]),
                ('LAST_LEVEL', re.match(r'R?(VA|VAA|IPAS2)L', base))) if yes]
        if has_rt:
            self.flags.append('RT')


def _ops_of(d, feature):
    """[(group, name, code, takes a register, feature)] of a definition of LLVM's."""
    a = d.args
    if d.cls in ('AT', 'DC', 'IC'):
        code = 1 << 14 | a[1] << 11 | a[2] << 7 | a[3] << 3 | a[4]
        return [(d.cls, a[0], code, d.cls != 'IC' or bool(a[5]), feature)]
    if d.cls == 'TLBI':
        code = 1 << 14 | a[1] << 11 | a[2] << 7 | a[3] << 3 | a[4]
        has_rt = bool(a[5]) if len(a) > 5 else True
        return [('TLBI', a[0], code, has_rt, feature),
                ('TLBI', a[0] + 'nXS', code | 1 << 7, has_rt, 'XS')]
    if d.cls == 'PStateImm0_15':
        return [('PSTATE', a[0], a[1] << 11 | 4 << 7 | a[2], False, feature)]
    if d.cls == 'PStateImm0_1':    # CRm<3:1> belongs to the encoding
        return [('PSTATE', a[0], a[1] << 11 | 4 << 7 | a[3] << 4 | a[2], False, feature)]
    if d.cls == 'SVCR':
        return [('PSTATE', a[0], 3 << 11 | 4 << 7 | a[1] << 4 | 3, False, feature)]
    return []


def read_ops(defs, rules):
    known, _ = features()
    rows, used = [], set()
    for d in defs:
        rows += _ops_of(d, rules.feature(d.args[0], d.requires) if _ops_of(d, None) else None)
    for place, (group, name, op1, crn, crm, op2, *feature) in rules.ops:
        rows.append((group, name, 1 << 14 | int(op1) << 11 | int(crn) << 7 | int(crm) << 3 |
                     int(op2), True, feature[0] if feature else None))
    ops = {}
    for group, name, code, has_rt, feature in rows:
        for place, g, pattern, f in rules.op_features:
            base = name[:-3] if name.endswith('nXS') else name
            if g == group and fnmatch.fnmatchcase(base, pattern):
                used.add(place)
                feature = 'XS' if base != name else f
        if feature and feature not in known:
            raise Fatal('%s: src/arm/feature.def has no FEAT_%s' % (name, feature))
        if code in ops:
            raise Fatal('%s %s: encoding of %s' % (group, name, ops[code].name))
        ops[code] = Op(group, name, code, has_rt, feature)
    for place, *_ in rules.op_features:
        if place not in used:
            raise Fatal('registers.table: %s matches nothing' % place)
    return [ops[c] for c in sorted(ops)]


# ---- TF-A's arch.h ---------------------------------------------------------------------------

def _single_bits(text):
    """{macro: bit} of #define X (1 << n), n a number or a macro."""
    numbers = dict(re.findall(r'^#define (\w+)\s+U\((\d+)\)\s*$', text, re.M))
    out = {}
    shifted = r'^#define (\w+)\s+\(U?L?L?\(1\) << (\w+)\)\s*$'
    for name, shift in re.findall(shifted, text, re.M):
        if shift in numbers or shift.isdigit():
            out[name] = int(numbers.get(shift, shift))
    return out


def _tfa_register(macro):
    for prefix, register in (('SCR_', 'SCR_EL3'), ('MDCR_', 'MDCR_EL3'), ('SCTLR_', 'SCTLR_EL3')):
        if macro.startswith(prefix) and not re.match(prefix + r'EL[12]_', macro):
            return register, macro[len(prefix):]
    if macro in ('TCPAC_BIT', 'TAM_BIT', 'TTA_BIT', 'ESM_BIT', 'TFP_BIT', 'CPTR_EZ_BIT'):
        return 'CPTR_EL3', macro.replace('CPTR_', '')
    return None, None


def add_tfa(text, layouts):
    """Compare the EL3 registers' bits, and take those that fields.table lacks.

    SCTLR_ is for all levels: only compared.
    """
    count = 0
    for macro, at in _single_bits(text).items():
        register, name = _tfa_register(macro)
        if not register or macro.endswith(('_SHIFT', '_MASK', '_VAL')):
            continue
        name = re.sub('_BIT$', '', name)
        layout = layouts[register]
        mine = [f for f in layout.fields if f.name.lower() == name.lower()]
        if mine and (mine[0].hi, mine[0].lo) != (at, at):
            raise Fatal("%s.%s is bit %d:%d in fields.table, but TF-A's %s is bit %d" % (
                register, name, mine[0].hi, mine[0].lo, macro, at))
        if not mine and register != 'SCTLR_EL3':
            layout.add("TF-A's arch.h", Field(at, at, name))
            print("%s.%s: from TF-A's arch.h only" % (register, name))
        count += 1
    if count < 60:
        raise Fatal("TF-A's arch.h: only %d bits recognised" % count)
