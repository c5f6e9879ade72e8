"""Trained models of others, brought into bundles: nnU-Net v2 results and MONAI bundles, without their packages."""
