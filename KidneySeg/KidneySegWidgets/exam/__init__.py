"""The exam: a volume node as the engine takes it, and the sample."""
