"""What all venues' simulators share: matching, order flow, recordings, ledgers, checks."""
