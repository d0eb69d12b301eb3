"""What it takes to fool the bare classifier."""
