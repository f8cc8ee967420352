"""Measures Mnemic against simple baselines, on public sets and on a real chat log.

A package of its own: it uses the public names of `mnemic` only, is not shipped in the wheel, and reads its data from a
folder that the repository does not contain. Run it from a checkout as `python -m bench`.
"""
