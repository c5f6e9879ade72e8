"""Model bundles: plan, weights and card in one folder."""
