# SPDX-License-Identifier: GPL-2.0-only
"""Reads the documents: their headings, links, blocks and code. Prints TAP."""
import os
import re
import sys

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
NOT_OURS = {'.git', 'build', 'build-aux', 'autom4te.cache'}


def files(suffixes):
    """Yields the paths of all source files with one of these endings, from the top."""
    for directory, names, members in os.walk(TOP):
        names[:] = sorted(set(names) - NOT_OURS)
        for member in sorted(members):
            if member.endswith(suffixes):
                yield os.path.relpath(os.path.join(directory, member), TOP)


def read(path):
    with open(os.path.join(TOP, path), encoding='utf-8') as source:
        return source.read()


class Block:
    """Lines between fences, or indented lines, which have no tag."""

    def __init__(self, document, number, tag):
        self.document, self.number, self.tag = document, number, tag
        self.lines = []

    def where(self):
        return f'{self.document.path}:{self.number}'

    def commands(self):
        """Returns the commands, one a line, without comments."""
        text = '\n'.join(self.lines).replace('\\\n', ' ')
        lines = (re.sub(r'(^|\s)#\s.*', '', line).strip() for line in text.split('\n'))
        return [' '.join(line.split()) for line in lines if line]


class Document:
    def __init__(self, path):
        self.path = path
        self.blocks, self.prose = [], []
        block, blank = None, True
        for number, line in enumerate(read(path).split('\n'), 1):
            if block and block.tag is not None:
                if line == '```':
                    block = None
                else:
                    block.lines.append(line)
            elif line.startswith('```'):
                block = self.add_block(number, line[3:].strip())
            elif line.startswith('    ') and (blank or block):
                block = block or self.add_block(number, None)
                block.lines.append(line[4:])
            else:
                block = None
                self.prose.append((number, line))
            blank = not line

    def add_block(self, number, tag):
        self.blocks.append(Block(self, number, tag))
        return self.blocks[-1]

    def anchors(self):
        """Yields the anchors of headings, as a browser gives them."""
        seen = {}
        for _, line in self.prose:
            if re.match('#+ ', line):
                name = re.sub(r'[^\w\- ]', '', line.lstrip('#').strip().lower())
                name = name.replace(' ', '-')
                seen[name] = seen.get(name, -1) + 1
                yield name if not seen[name] else f'{name}-{seen[name]}'

    def links(self):
        """Yields line number, path from the top and anchor of each link into the tree."""
        for number, line in self.prose:
            for target in re.findall(r'\]\(([^)\s]+)\)', line):
                path, _, anchor = target.partition('#')
                if ':' in path:
                    continue
                base = os.path.dirname(self.path)
                yield (number, os.path.normpath(os.path.join(base, path)) if path
                       else self.path, anchor)

    def code(self):
        """Yields line number and text of each piece of code in running text."""
        for number, line in self.prose:
            for text in re.findall(r'`([^`]+)`', line):
                yield number, text


def documents():
    return [Document(path) for path in files('.md')]


class Tap:
    def __init__(self):
        self.count = self.failed = 0

    def test(self, name, faults):
        """A test, which passes if there are no faults. Prints them."""
        faults = list(faults)
        self.count += 1
        self.failed += bool(faults)
        print(f"{'not ok' if faults else 'ok'} {self.count} - {name}")
        for fault in faults:
            print(f'# {fault}')
        sys.stdout.flush()

    def skip(self, name, reason):
        self.count += 1
        print(f'ok {self.count} - {name} # SKIP {reason}')

    def end(self):
        print(f'1..{self.count}')
        return 1 if self.failed else 0
