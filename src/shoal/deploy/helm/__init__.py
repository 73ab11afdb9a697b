"""The same objects as a chart of Helm, for who installs by values and not by overlays. Pure."""
