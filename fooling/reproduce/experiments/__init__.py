"""The experiments: a function of a laboratory each, which returns a `Result`."""
