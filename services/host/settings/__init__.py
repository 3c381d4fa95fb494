"""What a process of the platform is told, and what it may not be told."""
