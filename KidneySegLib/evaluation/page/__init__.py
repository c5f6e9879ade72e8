"""The evaluation as one HTML page, and as the tables and figures that the papers have."""
