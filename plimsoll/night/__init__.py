"""What `ci/nightly` has left in a folder, as one page."""
