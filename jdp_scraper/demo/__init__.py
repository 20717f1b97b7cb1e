"""The demo portal: a stand-in that looks and behaves like the real portal, with faults on request."""

from .command import add_arguments, options_from
from .options import DemoOptions
from .process import DemoPortal, PortalStartError
from .server import serve

__all__ = ["DemoOptions", "DemoPortal", "PortalStartError", "add_arguments", "options_from", "serve"]
