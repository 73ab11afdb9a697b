"""What the shop's events say about its business."""
