"""B8: an orchestrated saga of three steps, beside a workflow of DBOS that does the same."""
