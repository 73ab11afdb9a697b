"""The door of this machine to objects in folders: what a signed URL lends, it hands over or takes in."""
