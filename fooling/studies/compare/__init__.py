"""Runs beside each other: how sure, at what cost, and of what kind of images.

Reads run directories only. `comparison.compare` collects the numbers, `fooling.present.compare` shows them.
"""
