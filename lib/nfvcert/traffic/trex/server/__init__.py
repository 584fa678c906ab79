"""Server of the TRex stateless RPC protocol (API 5.1): JSON-RPC 2.0 over ZeroMQ, in front of the native engine."""
