"""`python -m renkei`."""

from renkei.cli import main

if __name__ == "__main__":
    main()
