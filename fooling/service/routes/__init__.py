"""The routes of the API, a file for each subject. They hold no rules of their own: who may ask is the guard's matter, what
may be asked is `permitted`'s, and what happens is the jobs'."""
