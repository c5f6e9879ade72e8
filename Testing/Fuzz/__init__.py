"""A battery of bad series: every fault ends in the right volume or in one clear sentence."""
