"""``python -m nfvcert``: the command line."""

from nfvcert.cli import main

if __name__ == "__main__":
    main()
