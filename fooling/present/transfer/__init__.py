"""Transfer drawn: the matrix in the terminal, as a figure, as a folder of pages."""
