"""Labelled data of others: found, mapped by name, checked before anything trains, and written as the house has them."""
