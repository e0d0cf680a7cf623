"""The program around the engine: configuration, the live runner, the Python API, the commands."""
