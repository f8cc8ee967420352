"""The MCP server: a memory as tools, resources and prompts for whoever speaks the Model Context Protocol."""
