"""Reports: streamed, read in a child process, proven, put in place. Free of imports: the child starts quickly."""
