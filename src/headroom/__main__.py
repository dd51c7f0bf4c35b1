"""`python -m headroom` is the command line."""

from headroom.cli import main

if __name__ == "__main__":
    main()
