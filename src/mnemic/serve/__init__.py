"""Servers in front of a memory: each translates words and errors, and nothing else."""
