"""What a load run leaves behind: JSON, CSV, JUnit XML, one HTML page, and lines for a terminal."""
