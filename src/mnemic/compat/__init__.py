"""Drop-ins for what agents are built with: one module each, imported only when asked for.

A drop-in translates words and errors, and nothing else. Whose memory it is, the developer says where it is made; no
model is ever asked.
"""
