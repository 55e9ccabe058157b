# SPDX-License-Identifier: GPL-2.0-only
"""
usage: blocks.py TAG DIRECTORY

Writes each block with this tag to a file in DIRECTORY, in the order of the documents. The name of
the file tells document and line of the block.
"""
import os
import sys

from markdown import documents

tag, directory = sys.argv[1:]
tagged = (block for doc in documents() for block in doc.blocks if block.tag == tag)
for number, block in enumerate(tagged):
    # The name must not be a path, nor have a colon, which separates the names of --file.
    name = f"{number:03}." + block.where().replace('/', '%').replace(':', '@')
    with open(os.path.join(directory, name), 'w', encoding='utf-8') as file:
        file.write('\n'.join(block.lines) + '\n')
