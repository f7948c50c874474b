"""What production data says about a model: exports, windows, drift, latency, errors, performance, business."""
