"""The worst slices of a model's predictions, by error and by latency, with their size and confidence."""
