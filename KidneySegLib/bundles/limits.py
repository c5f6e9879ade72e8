"""What a plan may ask for: whoever wrote a bundle may be wrong or hostile, and a run must not hang or fill the memory.

The limits lie well beyond the largest networks of the field (nnU-Net's residual encoders: 320 channels, patches of
192 voxels, about 100 million parameters).
"""

LARGEST_MANIFEST, LARGEST_WEIGHTS = 1 << 22, 1 << 31  # bytes
LARGEST_WEIGHT = 1e4
MOST_STAGES, FEWEST_LEVELS, MOST_LEVELS, MOST_CHANNELS, MOST_SCALES, MOST_MEMBERS = 16, 2, 8, 4096, 8, 16
# of a residual encoder with its decoder (ResNet-152: 58 million), and of networks in parallel
LARGEST_ENCODER, MOST_BRANCHES = 1 << 26, 8
MOST_BLOCKS, WIDEST_KERNEL, LONGEST_STRIDE = 16, 7, 4
GREATEST_OVERLAP = 0.9
GREATEST_RULE = 1e5
GREATEST_HU = 1e5
MOST_PARAMETERS, MOST_VALUES = 1 << 28, 1 << 29
SPACING_MM, SMALLEST_VOXEL_MM3 = (0.3, 50.0), 0.1
