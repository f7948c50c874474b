"""What runs tell: their diagnosis, and which parameters matter."""
