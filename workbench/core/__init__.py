"""Records, blocks and rules of thumb: pure, and importing nothing else of workbench."""
