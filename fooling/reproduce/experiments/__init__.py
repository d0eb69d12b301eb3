"""The experiments: a function of a workspace each, which returns a `Result`."""
