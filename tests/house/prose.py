#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""usage: tests/house/prose.py

Does scripts/prose find the faults of texts, and nothing else? Prints TAP.
"""
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(TOP / "tests/tools"))
import tap  # noqa: E402

LONG = "This goes " + "on and " * 17 + "ends."
FINE = "A short sentence. Another one asks nothing of whoever reads it."


def prose(files, subject="Say what changes"):
    """Returns the output of scripts/prose in a tree with these files, in one commit."""
    with tempfile.TemporaryDirectory() as top:
        for name, text in files.items():
            path = Path(top, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        Path(top, "scripts").mkdir(exist_ok=True)
        shutil.copy(TOP / "scripts/prose", Path(top, "scripts/prose"))
        author = ["-c", "user.name=nobody", "-c", "user.email=nobody@example.org"]
        for command in (["init", "-q"], ["add", "-A"], [*author, "commit", "-q", "-m", subject]):
            subprocess.run(["git", *command], cwd=top, check=True)
        done = subprocess.run(["scripts/prose"], cwd=top, text=True, capture_output=True,
                              check=False)
        assert done.returncode == (1 if done.stdout else 0), done
        assert not done.stderr, done.stderr
        return done.stdout


def expect(said, *words):
    assert said.count("\n") == 1, f"not one finding: {said!r}"
    for word in words:
        assert word in said, f"no {word!r} in {said!r}"


def plain_texts_are_silent():
    said = prose({"a.md": f"# Who\n\n{FINE}\n\n* {FINE}\n", "b.c": f'/* {FINE} */\nf("{FINE}");\n',
                  "c": f"#!/bin/sh\n# {FINE}\n", "d.8": f".Pp\n{FINE}\n"})
    assert not said, said


def long_sentence_of_a_document_is_found():
    item = LONG[:58].rstrip() + "\n  " + LONG[58:].lstrip()
    expect(prose({"a.md": f"{FINE}\n\n* a\n* {item}\n"}), "a.md:4:", "a sentence of 37 words")


def long_sentence_over_several_lines_is_found():
    expect(prose({"docs/a.md": LONG.replace(" and", "\nand")}), "docs/a.md:1:", "37 words")


def long_sentence_of_a_cell_is_found():
    expect(prose({"a.md": f"| a | b |\n|---|---|\n| c | {LONG} |\n"}), "a.md:3:", "37 words")


def long_sentence_of_a_comment_is_found():
    expect(prose({"a.h": f"int a;\n/*\n * a: {FINE}\n *\n * {LONG}\n */\n"}), "a.h:5:", "37 words")


def long_sentence_of_a_message_is_found():
    expect(prose({"a.c": f'\nf("{LONG[:50]}"\n  "{LONG[50:]}\\n");\n'}), "a.c:2:", "37 words")


def long_sentence_of_a_script_is_found():
    expect(prose({"a": f"#!/bin/bash\n# {LONG}\n"}), "a:2:", "37 words")


def long_sentence_of_a_manual_is_found():
    expect(prose({"a.8": f".Sh NAME\n{LONG}\n"}), "a.8:2:", "37 words")


def listings_are_not_read():
    assert not prose({"a.md": f"```\n{LONG}\n```\n"})


def relative_clause_that_begins_a_sentence_is_found():
    expect(prose({"a.md": "Who comes late has to wait.\n\nWho comes late?\n"}), "a.md:1:",
           "not a question")


def long_line_of_a_document_is_found():
    line = ". ".join(["A few words"] * 9)
    expect(prose({"a.md": f"{line}.\n\n| {line} |\n"}), "a.md:1:", "a line of")


def long_subject_of_a_commit_is_found():
    expect(prose({}, "S" * 73), "a subject of 73 characters")


def subject_of_72_characters_is_fine():
    assert not prose({}, "S" * 72)


def file_that_is_not_text_is_named():
    done = subprocess.run([TOP / "scripts/prose", "/nonexistent.md"], text=True,
                          capture_output=True, check=False)
    assert done.returncode == 1 and "/nonexistent.md" in done.stderr, done


sys.exit(tap.run([value for name, value in list(globals().items())
                  if callable(value) and value.__module__ == __name__
                  and not name.startswith("_") and name not in ("prose", "expect")]))
