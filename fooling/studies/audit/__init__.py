"""How easily is a classifier fooled, and would anything that is deployed notice?

`request` says what is asked, `subject` what every part of an audit gets, `budget` how much is done; `study` opens the
subject and asks the parts, each a module with `measure(subject)`; `result` is what they found, `checks` what it means.
"""
