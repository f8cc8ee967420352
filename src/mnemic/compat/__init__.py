"""Other libraries' interfaces on a memory: one module each, imported only when asked for, with its library's extra.

A drop-in translates words and errors, and nothing else. Whose memory it is, the developer says where it is made; no
model is ever asked.
"""
