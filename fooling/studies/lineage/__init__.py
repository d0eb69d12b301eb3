"""Where did an elite come from? Its ancestors back to the first generation, with their images.

`walk` reads who they were, `replay` makes those that were not kept once more from their keys, `document` says
it; `fooling.present.lineage` shows it.
"""
