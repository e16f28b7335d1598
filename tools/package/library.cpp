// libpurser is the layers and nothing more; a shared library needs one source of its own.
