"""Other libraries' interfaces on a memory: each module needs the library whose interface it has, and its extra."""
