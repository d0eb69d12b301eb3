"""`python -m fooling`."""

from fooling.cli import main

if __name__ == "__main__":
    main()
