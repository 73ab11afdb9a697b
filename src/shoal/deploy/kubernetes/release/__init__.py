"""How a new version takes over: replica by replica, or by a growing part of the requests that is judged."""
