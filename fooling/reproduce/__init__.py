"""The paper's experiments, each with one command: the paper's value beside ours, a test, a verdict.

`catalogue` lists them, `experiments` holds one small file each, `workspace` gives them runs and keeps what was
measured, `session` performs them in turn, `page` makes a readable page of the results.
"""
