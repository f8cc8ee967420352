"""Embedders, one file per wire. None knows a store, and none is imported before it is asked for."""
