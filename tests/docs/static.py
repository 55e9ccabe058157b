# SPDX-License-Identifier: GPL-2.0-only
"""
usage: static.py

Checks the documents without running their commands: links lead somewhere, each document is near the
README, files and functions in the text exist, and each block says which test runs it. Also checks
that all mutations of tests/mutants/equivalent exist. Prints TAP.
"""
import glob
import os
import re
import subprocess
import sys

from markdown import TOP, Tap, documents, files, read

TREES = 'compat docs m4 module packaging scripts tests tools uapi'.split()
NAME = re.compile(r'[\w-]+\.(?:c|h|py|sh|config|in|md)$')


def exists(path):
    return os.path.exists(os.path.join(TOP, path))


def broken_links(docs):
    anchors = {doc.path: set(doc.anchors()) for doc in docs}
    for doc in docs:
        for number, path, anchor in doc.links():
            if not exists(path):
                yield f'{doc.path}:{number}: there is no {path}'
            elif anchor and anchor not in anchors.get(path, ()):
                yield f'{doc.path}:{number}: {path} has no heading #{anchor}'


def far_away(docs):
    """Yields the documents that are not within two clicks of the README."""
    links = {doc.path: {path for _, path, _ in doc.links()} for doc in docs}
    near = {'README.md'}
    for _ in range(2):
        near |= {path for known in near for path in links.get(known, ())}
    return (f'{path} is not; link it from a nearer one' for path in sorted(set(links) - near))


def missing_files(docs):
    names = {os.path.basename(path) for path in files(('.c', '.h', '.py', '.sh', '.config', '.md'))}
    for doc in docs:
        for number, text in doc.code():
            known = True
            if re.match(f"({'|'.join(TREES)})/[\\w./*-]*$", text):
                known = glob.glob(os.path.join(TOP, text))
            elif NAME.match(text):
                known = text in names
            if not known:
                yield f'{doc.path}:{number}: there is no {text}'


def missing_names(docs):
    """Yields functions and structs that no source or script has."""
    sources = '\n'.join(read(path) for path in files(('.c', '.h', '.sh', '.py')))
    words = set(re.findall(r'\w+', sources))
    for doc in docs:
        for number, text in doc.code():
            match = re.match(r'(?:struct )(\w+)$|(\w+)\(\)$', text)
            if match and (match[1] or match[2]) not in words:
                yield f'{doc.path}:{number}: no source has {text}'


def unknown_log_lines(docs):
    """Yields log lines of the table that no source has, apart from names and numbers."""
    sources = ' '.join(read(path) for path in files('.c'))
    sources = re.sub(r'"\s+"', '', sources)
    for doc in docs:
        heading = ''
        for number, line in doc.prose:
            heading = line if line.startswith('#') else heading
            match = re.match(r'\| `([^`]+)`', line)
            if heading != '### By what the log says' or not match or match[1] == 'WARNING:':
                continue
            for part in re.split(r'\b(?:[NE]|NAME|PID|60)\b', match[1]):
                if part.strip('[]: ') not in sources:
                    yield f'{doc.path}:{number}: no source logs "{part}"'


def is_make_command(command, targets, variables, explained):
    """Is it a make of existing targets, with variables that "make help" explains?"""
    words = command.split()
    if command == './bootstrap':
        return True
    if words[0] != 'make':
        return False
    for word in words[1:]:
        name, equals, _ = word.partition('=')
        if equals and name not in variables:
            return False
        if not equals and (word not in targets or word not in explained):
            return False
    return True


def is_our_script(command):
    """Is it an existing script, with options and variables that the script knows?"""
    words = command.split()
    variables = []
    while re.match(r'[A-Z_]+=', words[0]):
        variables.append(words.pop(0).split('=')[0])
    if words[0] == 'scripts/on-kernel':
        words = words[2:]
    if not re.match(f"({'|'.join(TREES)})/", words[0]) or not exists(words[0]):
        return False
    directory = os.path.dirname(words[0])
    known = ' '.join(read(path) for path in (words[0], 'tests/vm/run'))
    around = ' '.join(read(path) for path in files(('run', '.sh')) if path.startswith(directory))
    return all(word in known for word in words if word.startswith('--')) and \
        all(name in around for name in variables)


def not_suites(block):
    makefile, explained = read('Makefile.am'), read('scripts/help')
    targets = {'install', 'uninstall', 'dist', 'distcheck'}
    targets |= set(re.findall(r'^([\w-]+):', makefile, re.M))
    variables = set(re.findall(r'\b([A-Z_0-9]+)=', explained))
    words = set(re.findall(r'[\w-]+', explained))
    for line in block.commands():
        for command in re.split(r' && ', line):
            if not is_make_command(command, targets, variables, words) and \
                    not is_our_script(command):
                yield f'{block.where()}: no target of "make help" and no script of ours: {command}'


def is_alike(command, test):
    """Does a line of a test have the same program, subcommand and long options?"""
    words = command.split()
    return ' '.join(words[:2]) in test and all(
        word in test.split() for word in words if word.startswith('--'))


def not_covered(block):
    """Yields the commands of a block that the test in its tag does not have."""
    path = block.tag.split('=', 1)[1]
    if not exists(path):
        yield f'{block.where()}: there is no {path}'
        return
    tests = [' '.join(line.split()) for line in read(path).replace('\\\n', ' ').split('\n')]
    for command in block.commands():
        if not any(command in test or is_alike(command, test) for test in tests):
            yield f'{block.where()}: {path} does not have: {command}'


def bad_blocks(docs):
    for doc in docs:
        for block in doc.blocks:
            if block.tag in ('text', 'c', 'sh host', 'sh vm', 'sh nobody'):
                continue
            if block.tag == 'sh suite':
                yield from not_suites(block)
            elif block.tag and re.match(r'sh by=\S+$', block.tag):
                yield from not_covered(block)
            else:
                yield f'{block.where()}: nothing runs this block; tests/docs/run lists the tags'


def unknown_mutations():
    """Yields mutations of tests/mutants/equivalent that no source has any more."""
    listing = subprocess.run([os.path.join(TOP, 'tests/mutants/run'), '--list', '--sample', '0'],
                             capture_output=True, text=True, check=False)
    if listing.returncode:
        yield listing.stderr.strip()


def main():
    docs, tap = documents(), Tap()
    tap.test('every_link_leads_somewhere', broken_links(docs))
    tap.test('every_document_is_within_two_clicks_of_the_readme', far_away(docs))
    tap.test('every_file_that_is_named_exists', missing_files(docs))
    tap.test('every_function_and_struct_that_is_named_exists', missing_names(docs))
    tap.test('every_line_of_the_log_that_is_explained_exists', unknown_log_lines(docs))
    tap.test('every_block_says_which_test_runs_it', bad_blocks(docs))
    tap.test('every_mutation_that_is_said_to_change_nothing_exists', unknown_mutations())
    for doc in docs:
        for block in doc.blocks:
            if block.tag == 'sh nobody':
                tap.skip(f'the commands of {block.where()} work', 'cannot be tried here')
    return tap.end()


sys.exit(main())
