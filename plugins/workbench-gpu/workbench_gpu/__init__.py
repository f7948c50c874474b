"""NVIDIA GPUs in Workbench: how busy, how full, how hot, and which run is on them."""
