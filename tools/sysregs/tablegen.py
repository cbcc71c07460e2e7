# SPDX-License-Identifier: Apache-2.0
"""Reads the part of TableGen's language that LLVM's AArch64SystemOperands.td is written in.

read(text) gives a Def for every anonymous `def :` and `defm :`, with `let ... in`, `foreach` and
`defvar` worked out. Classes and named definitions are passed over: what they mean is known to the
caller.
"""

import re

from common import Fatal

TOKEN = re.compile(r'''\s*(?:
    (?P<code>\[\{.*?\}\]) | (?P<string>"[^"]*") | (?P<bits>0b[01]+) |
    (?P<int>0x[0-9a-fA-F]+|-?\d+) | (?P<name>!?[A-Za-z_]\w*) | (?P<mark>\S))''', re.X | re.S)


class Bits(int):
    """A number that knows its width."""

    def __new__(cls, value, width):
        self = super().__new__(cls, value)
        self.width = width
        return self


class Def:
    def __init__(self, cls, args, requires):
        self.cls, self.args, self.requires = cls, args, list(requires)
        self.patches = []    # (hi, lo, value) for the Encoding

    def encode(self, encoding):
        for hi, lo, value in self.patches:
            mask = ((1 << (hi - lo + 1)) - 1) << lo
            encoding = encoding & ~mask | value << lo & mask
        return encoding


class Reader:
    def __init__(self, text):
        text = re.sub(r'//[^\n]*', '', text)
        self.tokens = [(m.lastgroup, m.group(m.lastgroup)) for m in TOKEN.finditer(text)]
        self.at = 0
        self.out = []

    # ---- tokens ----

    def peek(self, ahead=0):
        at = self.at + ahead
        return self.tokens[at][1] if at < len(self.tokens) else None

    def take(self, want=None):
        if self.at >= len(self.tokens):
            raise Fatal('the .td file ends within a statement')
        kind, text = self.tokens[self.at]
        if want is not None and text != want:
            raise Fatal('.td: %s where %s is expected, after: %s' % (
                text, want, ' '.join(t for _, t in self.tokens[max(0, self.at - 12):self.at])))
        self.at += 1
        return kind, text

    def skip_statement(self):
        """To behind `;` or the closing brace of the first block."""
        depth = 0
        while True:
            _, t = self.take()
            if t in '{(':
                depth += 1
            elif t in '})':
                depth -= 1
                if depth == 0 and t == '}' and self.peek() != ';':
                    return
            elif t == ';' and depth == 0:
                return

    # ---- expressions ----

    def primary(self, env):
        kind, t = self.take()
        if kind == 'string':
            return t[1:-1]
        if kind == 'bits':
            return Bits(int(t, 2), len(t) - 2)
        if kind == 'int':
            return int(t, 0)
        if t == '{':
            parts = self.expressions(env, '}')
            value = width = 0
            for p in parts:
                value, width = value << p.width | p, width + p.width
            return Bits(value, width)
        if t == '[':
            return self.expressions(env, ']')
        if kind == 'code':
            return re.findall(r'AArch64::(\w+)', t)
        if t == '!strconcat':
            self.take('(')
            return ''.join(str(p) for p in self.expressions(env, ')'))
        if t == '!add':
            self.take('(')
            return sum(self.expressions(env, ')'))
        if t == '!cast':
            for want in ('<', 'bits', '<'):
                self.take(want)
            width = int(self.take()[1])
            for want in ('>', '>', '('):
                self.take(want)
            return Bits(self.expressions(env, ')')[0], width)
        if t not in env:
            raise Fatal('.td: unknown %s' % t)
        value = env[t]
        if self.peek() == '{':
            hi, lo = self.bit_range()
            value = Bits(value >> lo & ((1 << (hi - lo + 1)) - 1), hi - lo + 1)
        return value

    def bit_range(self):
        self.take('{')
        hi = lo = int(self.take()[1])
        if self.peek() != '}':
            if self.peek() == '-':
                self.take()
            lo = abs(int(self.take()[1]))
        self.take('}')
        return hi, lo

    def expression(self, env):
        value = self.primary(env)
        while self.peek() == '#':
            self.take()
            value = str(value) + str(self.primary(env))
        return value

    def expressions(self, env, end):
        out = []
        while self.peek() != end:
            out.append(self.expression(env))
            if self.peek() == ',':
                self.take()
        self.take(end)
        return out

    # ---- statements ----

    def body(self, d, env):
        self.take('{')
        while self.peek() != '}':
            self.take('let')
            name = self.take()[1]
            hi, lo = self.bit_range() if self.peek() == '{' else (None, None)
            self.take('=')
            value = self.expression(env)
            self.take(';')
            if name == 'Encoding':
                d.patches.append((hi, lo, value))
            elif name == 'Requires':
                d.requires = value
        self.take('}')

    def block(self, env, requires):
        if self.peek() != '{':
            self.statement(env, requires)
            return
        self.take('{')
        while self.peek() != '}':
            self.statement(env, requires)
        self.take('}')

    def statement(self, env, requires):
        word = self.peek()
        if word in ('def', 'defm') and self.peek(1) == ':':
            self.take()
            self.take()
            cls = self.take()[1]
            self.take('<')
            d = Def(cls, self.expressions(env, '>'), requires)
            if self.peek() == '{':
                self.body(d, env)
            else:
                self.take(';')
            self.out.append(d)
        elif word == 'let':
            self.take()
            name = self.take()[1]
            self.take('=')
            value = self.expression(env)
            self.take('in')
            self.block(env, requires + value if name == 'Requires' else requires)
        elif word == 'foreach':
            self.take()
            name = self.take()[1]
            self.take('=')
            first = int(self.take()[1])
            last = abs(int(self.take()[1]))    # "0-15" is the tokens 0 and -15
            self.take('in')
            start = self.at
            for n in range(first, last + 1):
                self.at = start
                self.block(dict(env, **{name: n}), requires)
        elif word == 'defvar':
            self.take()
            name = self.take()[1]
            self.take('=')
            env[name] = self.expression(env)
            self.take(';')
        elif word == 'include':
            self.at += 2
        else:
            self.skip_statement()


def read(text):
    r = Reader(text)
    while r.at < len(r.tokens):
        r.statement({}, [])
    return r.out
