"""One file per format: bytes to columns and facts, through the same contract as a plugin's reader."""
