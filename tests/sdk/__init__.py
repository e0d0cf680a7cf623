"""The venues' own SDKs, unchanged, against our simulators on real sockets."""
