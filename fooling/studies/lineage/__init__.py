"""Where did an elite come from? Its ancestors back to the first generation, with their images.

`study` answers a request with a `result`; `walk` reads the family from the run's lineage; `replay` breeds its images
once more. `fooling.present.lineage` draws the result.
"""
