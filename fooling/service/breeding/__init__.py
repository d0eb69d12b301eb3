"""Lines of CPPN images that people breed in their browser (docs/breed.md).

`origin` is what a line begins with, as an address tells it; `lines` breeds and draws, and keeps what is asked for again.
Nothing of a line is on the disk before it is saved as a run.
"""
