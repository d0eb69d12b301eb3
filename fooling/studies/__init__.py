"""Questions asked of finished runs, or of a classifier: transfer, comparison, lineage, retraining."""
