"""Why does it fool? What of an elite makes the classifier sure of its class."""
