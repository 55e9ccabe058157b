# SPDX-License-Identifier: GPL-2.0-only
"""
usage: blocks.py TAG DIRECTORY

Writes each block with this tag to a file in DIRECTORY, in the order of the documents. Its name
says which block it is.
"""
import os
import sys

from markdown import documents

tag, directory = sys.argv[1:]
tagged = (block for doc in documents() for block in doc.blocks if block.tag == tag)
for number, block in enumerate(tagged):
    # Neither a path, nor what tests/vm/run takes for two.
    name = f"{number:03}." + block.where().replace('/', '%').replace(':', '@')
    with open(os.path.join(directory, name), 'w', encoding='utf-8') as file:
        file.write('\n'.join(block.lines) + '\n')
