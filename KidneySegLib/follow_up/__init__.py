"""What changed between two exams of one patient."""
