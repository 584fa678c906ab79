"""Views: what a history says about calls, operations, inventory, flows and shares. Pure derivations, no judgement."""
