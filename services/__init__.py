"""Who keeps the promises: one folder per service, none importing another."""
