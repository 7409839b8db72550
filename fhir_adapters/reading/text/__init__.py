"""What a note's bytes say: charset, markup and damage → plain text that keeps its layout.

``charset`` and ``decoding`` turn bytes into text, ``html`` and ``rtf`` write a page's lines
through ``page`` (tables, lists, checkboxes), ``sniff`` finds what a text really is, and
``repair`` mends what was wrongly decoded on the way. ``reading`` puts them together.
"""
