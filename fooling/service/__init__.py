"""The service: an API and pages beside a folder of runs, which launches, watches and serves them."""
