# SPDX-License-Identifier: GPL-2.0-only
"""Finds changes of a source file that a test should notice.

A mutation replaces some text of one function. Its name has the file, the function, the kind and the
changed text, but no line numbers, so that it stays when other code moves.
"""
import re
from dataclasses import dataclass

COMPARISONS = {"<": "<=", "<=": "<", ">": ">=", ">=": ">", "==": "!=", "!=": "=="}

# The loss of these statements changes only the time that something takes, the log, or checks. A
# test of behaviour cannot notice it.
NO_EFFECT = re.compile(
    r"(lockdep_|assert_|might_|cond_resched|runs_cond_resched|BUILD_BUG_ON|WARN_ON|trace_|"
    r"selftest_(look|note)|pr_|mutex_destroy|mutex_init|cpu_relax|prefetch)")

LOCKS = {
    "mutex_lock": "mutex_unlock", "spin_lock": "spin_unlock", "down_read": "up_read",
    "down_write": "up_write", "xa_lock": "xa_unlock", "rcu_read_lock": "rcu_read_unlock",
    "rcu_read_lock_sched": "rcu_read_unlock_sched", "pages_lock": "pages_unlock",
    "ioas_enter": "ioas_leave", "mmap_read_lock": "mmap_read_unlock",
}
LOCK_CALLS = set(LOCKS) | set(LOCKS.values())

KEYWORDS = {"if", "while", "for", "switch", "return"}

SYMMETRIC = {"min", "max", "swap", "min_t", "max_t", "sizeof", "offsetof", "container_of"}


@dataclass(frozen=True)
class Mutation:
    file: str
    line: int  # of its first change, for messages
    function: str
    kind: str
    changes: tuple  # of (first offset, offset behind, new text), ascending
    old: str

    @property
    def name(self):
        new = " ".join(text.strip() for _, _, text in self.changes) or "nothing"
        change = f"{' '.join(self.old.split())} -> {' '.join(new.split())}"
        return f"{self.file}: {self.function}: {self.kind}: {change}"

    def apply(self, text):
        for first, end, new in reversed(self.changes):
            text = text[:first] + new + text[end:]
        return text


def blank(text):
    """Returns the text with comments and strings replaced by blanks of the same length."""
    pattern = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)
    return pattern.sub(lambda m: re.sub(r"[^\n]", " ", m.group()), text)


def functions(code):
    """Yields (name, first offset, offset behind) of each function body."""
    for match in re.finditer(r"^([a-zA-Z_][^;{}#=]*?)\n\{\n(.*?)^\}", code, re.S | re.M):
        head = match.group(1)
        name = re.search(r"(\w+)\s*\(", head)
        if name and not head.lstrip().startswith(("struct", "enum", "union")):
            yield name.group(1), match.start(2), match.end(2)


def statements(code, begin, end):
    """Yields (first offset, offset behind, function) of each statement that is only a call."""
    for match in re.compile(r"^\t+(\w+)\(", re.M).finditer(code, begin, end):
        last = closing(code, match.end() - 1)
        if last < end and code[last + 1:last + 2] == ";":
            yield match.start(), last + 2, match.group(1)


def closing(code, at):
    """Returns the offset of the bracket that closes the one at @at."""
    depth = 0
    for i in range(at, len(code)):
        if code[i] == "(":
            depth += 1
        elif code[i] == ")":
            depth -= 1
            if not depth:
                return i
    return len(code)


def arguments(code, at, end):
    """Returns (first offset, offset behind) of each argument in the brackets at @at and @end."""
    parts, depth, first = [], 0, at + 1
    for i in range(at + 1, end + 1):
        char = code[i]
        if i == end or (char == "," and not depth):
            parts.append((first, i))
            first = i + 1
        elif char in "([{":
            depth += 1
        elif char in ")]}":
            depth -= 1
    return parts


class Finder:
    def __init__(self, file, text):
        self.file, self.text, self.code = file, text, blank(text)
        self.found = []

    def add(self, function, kind, *changes, old=None):
        first = changes[0][0]
        start = self.text.rfind("\n", 0, first) + 1
        behind = self.text.find("\n", first)
        self.found.append(Mutation(
            self.file, self.text.count("\n", 0, first) + 1, function, kind,
            tuple(sorted(changes)), old if old is not None else self.text[start:behind]))

    def operators(self, function, begin, end):
        for match in re.compile(r" (<=|>=|==|!=|<|>) (?!>)").finditer(self.code, begin, end):
            self.add(function, "comparison",
                     (match.start(1), match.end(1), COMPARISONS[match.group(1)]))
        for match in re.compile(r" [+-] 1\b(?!U?L?\s*<<)").finditer(self.code, begin, end):
            self.add(function, "off by one", (match.start(), match.end(), ""))
        for match in re.compile(r" (&&|\|\|) ").finditer(self.code, begin, end):
            other = "||" if match.group(1) == "&&" else "&&"
            self.add(function, "logic", (match.start(1), match.end(1), other))
        for match in re.compile(r"(?<=[( ])!(?=[\w(*])").finditer(self.code, begin, end):
            self.add(function, "negation", (match.start(), match.end(), ""))

    def branches(self, function, begin, end):
        for match in re.compile(r"\bif (\()").finditer(self.code, begin, end):
            last = closing(self.code, match.start(1))
            if last >= end:
                continue
            condition = self.text[match.start(1):last + 1]
            if NO_EFFECT.match(condition.lstrip("(!")):
                continue
            # The condition is still evaluated, for its side effects.
            self.add(function, "branch never taken",
                     (match.start(1), last + 1, f"(({condition}) && 0)"))
            self.add(function, "branch always taken",
                     (match.start(1), last + 1, f"(({condition}) || 1)"))

    def calls(self, function, begin, end):
        label = None
        for match in re.compile(r"^(\w+):$", re.M).finditer(self.code, begin, end):
            label = match.start()
            break
        for first, behind, name in statements(self.code, begin, end):
            if name in LOCK_CALLS or name in KEYWORDS or NO_EFFECT.match(name):
                continue
            kind = "dropped undo" if label and first > label else "dropped call"
            self.add(function, kind, (first, behind, "\t;"), old=self.text[first:behind])

    @staticmethod
    def weaker(calls):
        return calls.replace("down_write", "down_read").replace("up_write", "up_read")

    def locks(self, function, begin, end):
        held = []
        for first, behind, name in statements(self.code, begin, end):
            if name in LOCK_CALLS:
                held.append((first, behind, name, self.code[first:behind].split("(", 1)[1]))
        for lock, unlock in LOCKS.items():
            for what in sorted({rest for _, _, name, rest in held if name == lock}):
                pair = [entry for entry in held if entry[2] in (lock, unlock) and entry[3] == what]
                if {entry[2] for entry in pair} == {lock, unlock}:
                    self.add(function, "dropped lock", *((a, b, "\t;") for a, b, _, _ in pair))
                    if lock == "down_write":
                        self.add(function, "weaker lock", *(
                            (a, b, self.weaker(self.text[a:b])) for a, b, _, _ in pair))
        for (a, b, one, _), (c, d, two, _) in zip(held, held[1:]):
            if one in LOCKS and two in LOCKS and not self.code[b:c].strip():
                self.add(function, "swapped locks", (a, b, self.text[c:d]), (c, d, self.text[a:b]))

    def swapped(self, function, begin, end):
        for match in re.compile(r"\b([a-z_]\w+)(\()").finditer(self.code, begin, end):
            name = match.group(1)
            if name in SYMMETRIC or name in KEYWORDS or NO_EFFECT.match(name):
                continue
            last = closing(self.code, match.start(2))
            if last >= end:
                continue
            parts = arguments(self.code, match.start(2), last)
            for (a, b), (c, d) in zip(parts, parts[1:]):
                one, two = self.text[a:b].strip(), self.text[c:d].strip()
                # Arguments of different types do not compile when swapped, so they need no check.
                if one != two and one and two and "\n" not in one + two:
                    lead = self.text[c:d][:len(self.text[c:d]) - len(self.text[c:d].lstrip())]
                    self.add(function, "swapped arguments", (a, b, two), (c, d, lead + one))

    def all(self):
        for name, begin, end in functions(self.code):
            for find in (self.operators, self.branches, self.calls, self.locks, self.swapped):
                find(name, begin, end)
        return self.found


def mutations(file, text):
    """Returns all mutations of a file, in the order of their places."""
    return sorted(Finder(file, text).all(), key=lambda m: (m.changes, m.kind))
