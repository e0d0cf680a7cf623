"""`python -m crosswire`: the command line."""

from crosswire.app.cli import main

main()
