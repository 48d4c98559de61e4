"""The service: when cycles run, who is told what of them, and how people speak with it while it runs."""
