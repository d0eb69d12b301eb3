"""A comparison of runs drawn: in the terminal, as figures, as a folder."""
