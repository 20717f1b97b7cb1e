"""The catalog: an index over all runs and folders of PDFs, made from them and never needed to keep anything."""
