"""The report on a result: what it says, its pictures, as PDF, HTML and text."""
