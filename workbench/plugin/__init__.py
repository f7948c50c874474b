"""What authors of panels and readers use, and how their work is found and kept in its box."""
