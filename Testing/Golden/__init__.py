"""What the engine says about many exams, recorded before and after a change of its inside, and compared."""
