"""The programs that are compared: each answers every tick by moving its order to the best bid."""
