"""The HTTP side of the VIM: one module per OpenStack service."""
