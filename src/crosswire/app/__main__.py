"""`python -m crosswire.app`: the command line."""

from crosswire.app.cli import main

main()
