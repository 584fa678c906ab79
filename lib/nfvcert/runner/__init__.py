"""The runner: plans, starts the test back-ends, reconciles what they report with the plan, and judges."""
