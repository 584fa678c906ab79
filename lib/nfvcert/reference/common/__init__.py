"""What the reference components share: SOL013 server rules, store, notifications, extension points, start-up."""
