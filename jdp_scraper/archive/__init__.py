"""The archive: every vehicle of every run as a page that a browser opens from the disk or from a web server."""
