"""How the services of a device reach all others, wherever they are now."""
