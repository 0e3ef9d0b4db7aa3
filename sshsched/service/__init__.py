"""HTTP and server-sent events on a Unix socket, and the client for it.

Rule: the engine is seen only through `facade.py`.
"""
