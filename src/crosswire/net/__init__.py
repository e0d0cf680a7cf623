"""All sockets: WebSocket and HTTP clients, the clock, and hosting a simulator.

Nothing outside this folder awaits the network. A `Link` joins one session to its sockets.
"""
