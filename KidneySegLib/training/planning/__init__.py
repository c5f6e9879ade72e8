"""A recipe planned from data: fingerprint, grid, patch and network after the published rules of nnU-Net."""
