"""The field's data sets of brackets, in the folders that users download."""
