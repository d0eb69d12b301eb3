"""Detectors: scores by which real images could be told from others, a file each. `protocol` says what one is,
`catalogue` lists them."""
