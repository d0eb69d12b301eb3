"""What a run looks like to people: the gallery, contact sheets, tables, PNGs and other exports.

Everything here reads a `fooling.store.snapshot.Snapshot` and computes no image itself: no torch, no search.
"""
