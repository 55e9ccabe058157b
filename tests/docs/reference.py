# SPDX-License-Identifier: GPL-2.0-only
"""
usage: reference.py

Compares docs/uapi.md with the headers and the table of native ioctls, docs/kapi.md with the exports
of the module, and docs/type1.md with the numbers of the cases of "vfio-ioas compare". Prints TAP.
"""
import re
import subprocess
import sys

from markdown import TOP, Document, Tap, files, read

UAPI, KAPI, TYPE1 = (Document(f'docs/{name}.md') for name in ('uapi', 'kapi', 'type1'))
TABLE = 'module/native/ioctl.c'
HEADER = 'uapi/iommufd.h'


def assertion(where, expression, value):
    return f'_Static_assert(({expression}) == {value}ULL, "{where}: {expression} is not {value}");'


def struct_rows(number):
    """Yields line, offset, size and field of the rows of the table that follows a line."""
    for at, line in UAPI.prose:
        if at <= number:
            continue
        if line and not line.startswith('|'):
            return
        match = re.match(r'\| (\d+) \| (\d+) \| (?:`(\w+)`|-) \|', line)
        if match:
            yield at, int(match[1]), int(match[2]), match[3]


def struct_assertions(number, line):
    """Yields assertions: a struct's size, and its fields at their offsets, without a hole."""
    match = re.match(r'`(struct \w+)`, (\d+) bytes', line)
    if not match:
        return
    kind, nbytes, end, last_offset = match[1], int(match[2]), 0, -1
    where = f'{UAPI.path}:{number}'
    yield assertion(where, f'sizeof({kind})', nbytes)
    for at, offset, size, field in struct_rows(number):
        where = f'{UAPI.path}:{at}'
        # Each member of a union has a row.
        if offset != last_offset:
            yield assertion(where, end, offset)
        end, last_offset = max(end, offset + size), offset
        if field:
            yield assertion(where, f'__builtin_offsetof({kind}, {field})', offset)
        if field and size:
            yield assertion(where, f'sizeof((({kind} *)0)->{field})', size)
    yield assertion(where, end, nbytes)


def assertions():
    for number, line in UAPI.prose:
        where = f'{UAPI.path}:{number}'
        match = re.match(r'### `(\w+)` \((0x\w+)\)$', line) or \
            re.match(r'\| `([A-Z][A-Za-z0-9_]+)` \| (\d+) \|', line)
        if match:
            yield assertion(where, match[1], match[2])
        yield from struct_assertions(number, line)


def compile_assertions():
    """Yields the errors of a compiler about the numbers of the document."""
    lines = list(assertions())
    if len(lines) < 200:
        yield f'only {len(lines)} numbers were found in {UAPI.path}; 200 are expected'
    source = '#include <linux/vfio.h>\n#include "iommufd.h"\n' + '\n'.join(lines) + '\n'
    command = ['gcc', '-fsyntax-only', '-Wall', '-Werror', f'-I{TOP}/uapi', '-xc', '-']
    result = subprocess.run(command, input=source, text=True, capture_output=True, check=False)
    yield from re.findall(r'error: (.*)', result.stderr)


def minimum_assertions():
    """Returns assertions about the least size of each command, from document and table."""
    minimum, command = {}, None
    for _, line in UAPI.prose:
        heading = re.match(r'### `(IOMMU_\w+)`', line)
        command = heading[1] if heading else command
        size = re.match(r'`struct (\w+)`, \d+ bytes, at least (\d+)', line)
        if size and command:
            minimum[command] = (size[1], size[2])
            command = None
    lines = []
    table = re.findall(r'COMMAND\((IOMMU_\w+), \w+,\s+struct (\w+),\s+(\w+)\)', read(TABLE))
    for name, kind, last in table:
        if name == 'IOMMU_TEST_CMD':
            continue
        said = minimum.pop(name, ('nothing', '0'))
        lines.append(assertion(name, f'__builtin_offsetof(struct {kind}, {last}) + '
                                     f'sizeof(((struct {kind} *)0)->{last})', said[1]))
    return lines, list(minimum)


def compare_minimum():
    lines, rest = minimum_assertions()
    if len(lines) < 11:
        yield f'only {len(lines)} commands were found in {TABLE}; 11 are expected'
    yield from (f'{name} is not in {TABLE}' for name in rest)
    result = subprocess.run(['gcc', '-fsyntax-only', f'-I{TOP}/uapi', '-xc', '-'],
                            input='#include "iommufd.h"\n' + '\n'.join(lines) + '\n',
                            text=True, capture_output=True, check=False)
    yield from re.findall(r'error: (.*)', result.stderr)


def missing_from_uapi():
    """Yields the names in the header of the native ioctls that the document lacks."""
    words = set(re.findall(r'\w+', read(UAPI.path)))
    header = re.sub(r'/\*.*?\*/', '', read(HEADER), flags=re.S)
    names = set(re.findall(r'\b(IOMMU_\w+)\b', header))
    names |= set(re.findall(r'^struct (\w+) \{', header, re.M))
    names |= set(re.findall(r'^\t+__\w+ (\w+)', header, re.M))
    return (f'{UAPI.path} does not mention {name}' for name in sorted(names - words))


def compare_refused():
    said = {tuple(row) for _, line in UAPI.prose
            for row in re.findall(r'\| 0x3b(\w\w) \| (\w+) \| (\d+) \| (\d+) \|', line)}
    done = {(number, name, size, least) for number, size, least, name in re.findall(
        r'UNSUPPORTED\(0x(\w\w), (\d+), (\d+)\),\s+/\* (\w+) \*/', read(TABLE))}
    return (f'only one of {TABLE} and {UAPI.path} has {row}' for row in sorted(said ^ done))


def exported():
    return {name for path in files('.c') if path.startswith('module/')
            for name in re.findall(r'EXPORT_SYMBOL(?:_GPL)?\((\w+)\)', read(path))}


def compare_exports():
    said = {name for _, line in KAPI.prose for name in re.findall(r'^### `(\w+)\(\)`', line)}
    return (f'{name}() is exported or documented, but not both'
            for name in sorted(said ^ exported()))


def kernel_doc_errnos(name):
    """Returns the errnos in the comment of an exported function."""
    for path in files(('.c', '.h')):
        if path.startswith('module/'):
            match = re.search(r'/\*\*\n \* ' + name + r'\(\) - (.*?)\*/', read(path), re.S)
            if match:
                return set(re.findall(r'-(E[A-Z0-9]+)\b', match[1]))
    return None


def compare_errnos():
    """Yields errnos of a comment that the document's section about the function lacks."""
    sections, name = {}, None
    for _, line in KAPI.prose:
        heading = re.match(r'### `(\w+)\(\)`', line)
        name = heading[1] if heading else None if line.startswith('#') else name
        sections[name] = sections.get(name, '') + line + '\n'
    for name in sorted(exported()):
        errnos = kernel_doc_errnos(name)
        if errnos is None:
            yield f'{name}() has no kernel-doc comment'
            continue
        missing = errnos - set(re.findall(r'\bE[A-Z0-9]+\b', sections.get(name, '')))
        if missing:
            yield f'{KAPI.path}: {name}() can also return {" ".join(sorted(missing))}'


def expand(numbers):
    """Yields the numbers of a case: "39-44 51" is 39 to 44, and 51."""
    for first, last in re.findall(r'(\d+)(?:-(\d+))?', numbers):
        yield from range(int(first), int(last or first) + 1)


def numbers_of_compare():
    """Yields source, name and numbers of each case that has numbers."""
    for path in files('.c'):
        if path.startswith('tools/compare/'):
            for name, numbers in re.findall(r'\bCASE\((\w+),\s*"([^"]+)"', read(path)):
                yield path, name, list(expand(numbers))


def documented_cases():
    """Yields the first column of the tables of cases. Other tables have numbers of checks."""
    in_cases = False
    for _, line in TYPE1.prose:
        in_cases = line.startswith('| case |') or in_cases and line.startswith('|')
        row = re.match(r'\| (\d+) \|', line)
        if in_cases and row:
            yield int(row[1])


def missing_cases():
    """Yields the numbers of cases that the document lacks, or has twice."""
    documented, cases = list(documented_cases()), list(numbers_of_compare())
    if len(cases) < 100:
        yield f'only {len(cases)} cases with numbers were found in tools/compare'
    for path, name, numbers in cases:
        for number in sorted(set(numbers) - set(documented)):
            yield f'{path}: {name} tests case {number}, which {TYPE1.path} does not have'
    for number in sorted(set(documented)):
        if documented.count(number) > 1:
            yield f'{TYPE1.path}: more than one row has case {number}'


def main():
    tap = Tap()
    tap.test('numbers_in_the_uapi_reference_are_those_of_the_headers', compile_assertions())
    tap.test('the_uapi_reference_has_all_that_the_header_has', missing_from_uapi())
    tap.test('least_sizes_in_the_uapi_reference_are_those_of_the_table', compare_minimum())
    tap.test('refused_commands_in_the_uapi_reference_are_those_of_the_table', compare_refused())
    tap.test('every_exported_function_is_documented_and_no_other', compare_exports())
    tap.test('every_errno_of_an_exported_function_is_documented', compare_errnos())
    tap.test('every_number_that_compare_lists_is_a_case_of_type1_md', missing_cases())
    return tap.end()


sys.exit(main())
