"""``python -m shoal.cli``."""

from shoal.cli.program import main

if __name__ == "__main__":
    main()
