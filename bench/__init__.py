"""The benchmarks: what crosswire costs, beside a floor in C and two peers, in one run."""
