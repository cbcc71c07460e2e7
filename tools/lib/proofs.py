# SPDX-License-Identifier: Apache-2.0
"""docs/proofs.md: results of the long comparisons, each section written by the tool that made it."""

import os
import time

PATH = os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__)))),
                    'docs', 'proofs.md')


def record(section, lines):
    """Replace what is between the two comments that name the section."""
    begin, end = '<!-- %s -->\n' % section, '<!-- end of %s -->\n' % section
    with open(PATH, encoding='utf-8') as f:
        text = f.read()
    if begin not in text or end not in text:
        raise ValueError('%s has no section %s' % (PATH, section))
    head, rest = text.split(begin, 1)
    tail = rest.split(end, 1)[1]
    dated = ['Run on %s.' % time.strftime('%Y-%m-%d', time.gmtime()), ''] + list(lines)
    with open(PATH + '.new', 'w', encoding='utf-8') as f:
        f.write(head + begin + '\n'.join(dated) + '\n' + end + tail)
    os.replace(PATH + '.new', PATH)


def table(head, rows):
    """Markdown; numbers with their thousands apart."""
    out = ['| ' + ' | '.join(head) + ' |', '|---' * len(head) + '|']
    for row in rows:
        out.append('| ' + ' | '.join('{:,}'.format(c) if isinstance(c, int) else str(c)
                                     for c in row) + ' |')
    return out
