"""Pictures of every page, of a real server and real runs: `python -m docs.screenshots` writes docs/images/pages/."""
