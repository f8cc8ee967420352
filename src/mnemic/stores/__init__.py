"""Where records are kept. `sqlite.py` is one file; queries and schema lie in `sql/`."""
