"""Runs: started and resumed (`launch`), computed (`engine`), kept (`directory`, `checkpoint`), read (`view`)."""
