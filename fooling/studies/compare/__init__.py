"""Runs beside each other: how sure, at what cost, and of what kind of images.

`study` answers a request with a `result`, from run directories alone; `comparison` has the arrays behind the numbers.
`fooling.present.compare` draws them.
"""
