"""An audit drawn: the page to decide by, lines for the terminal, JUnit's XML for a CI, and the folder they lie in."""
