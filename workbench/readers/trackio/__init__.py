"""trackio databases and inboxes."""
