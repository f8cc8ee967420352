"""Other libraries' interfaces on a memory: each module needs the library whose interface it has, and its extra.

It translates words and errors, and nothing else. Whose memory it is, the developer says where it is made; no model is
ever asked.
"""
