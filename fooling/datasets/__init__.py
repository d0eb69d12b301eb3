"""Labelled images and labels as people have them: image files, class folders, tables, IDX, npz, lists of labels."""
