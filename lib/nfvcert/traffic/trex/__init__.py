"""The TRex RPC protocol from both sides: a server in front of the native engine, and one client for every generator."""
