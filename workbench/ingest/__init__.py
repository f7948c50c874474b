"""The one way in: files are found, read by readers, and committed with their cursors."""
