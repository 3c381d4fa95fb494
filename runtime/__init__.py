"""How a call travels and how state is kept."""
