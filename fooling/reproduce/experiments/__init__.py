"""The experiments. Each is a function of a workspace, which returns a `Result`."""
