"""CloudFormation templates, for those who keep a part of a system that way. Pure."""
