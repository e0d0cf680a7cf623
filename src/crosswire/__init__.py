"""Crosswire: one program that executes orders on several venues and knows what became of them."""

__version__ = "0.1.0"
