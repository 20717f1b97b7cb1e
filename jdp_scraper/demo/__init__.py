"""The demo portal: a stand-in that looks and behaves like the real portal, with faults on request."""
