"""How dense tissues are on CT, in Hounsfield units (HU): one table for reading, finding, measuring and training.

Water has 0 HU and air -1000 HU by definition. The ranges of tissues are those of Hounsfield's scale in textbooks
(Buzug, Computed Tomography, Springer 2008, chapter 8): lung -950 to -500, fat -150 to -50, unenhanced parenchyma 30 to
45.

A limit between two tissues depends on what was done to the image before: means over cells have no noise and a blurred
border, a display window cuts the ends off. Where two limits for one tissue stand below, the comment says what each is
for; they were tried on exams, and moving one moves label maps.
"""

# --- what no tissue has ---------------------------------------------------------------------------------------------
# The lowest value kept, and that of everything outside an image. Scanners pad their round field of view with -2000,
# -3024 and the like.
OUTSIDE = -1024
# The largest value of the usual 12-bit scale.
LARGEST_12_BIT = 3071
# No stone is as dense as metal: the densest stones have 2000 HU.
METAL = 2500.0
# No threshold for stones in the literature is lower (130 to 225 HU).
LEAST_STONE = 130.0

# --- air, lung, gas -------------------------------------------------------------------------------------------------
# Air ends and the body begins: half-way between lung and fat, in single voxels.
BODY = -300
# The same where gas is blurred with the wall around it, or in means over cells of some millimetres.
BLURRED_BODY = -250
# Half-way between air and water: where half of a voxel is tissue.
HALF_TISSUE = -500
LUNG = (-950.0, -450.0)
# In means over cells of 4 mm on both sides of the spine: without airways and without the blurred border.
LUNG_MEAN = (-940.0, -550.0)

# --- fat ------------------------------------------------------------------------------------------------------------
FAT = -100.0
# Mean of the fat around the kidneys, which a transplanted kidney of a training patch leaves behind.
PERIRENAL_FAT = -98.0
# Below all fat; a value between is fat.
BELOW_FAT = -150.0
# Fat in means over 3 x 3 pixels, without what is blurred with muscle.
FAT_MEAN = (BELOW_FAT, -30.0)
# Fat in cells of 1.5 mm of the renal sinus, with noise and with what small vessels blur.
FAT_IN_SINUS = (-200.0, -20.0)
# If even the lowest value of an image is above, its fat cannot be seen.
FAT_SEEN = -130.0

# --- fluid ----------------------------------------------------------------------------------------------------------
# Simple fluid has at most this much without contrast medium, and a benign cyst up to the second value in the portal
# phase (Bosniak classification, version 2019: Silverman et al., Radiology 2019;292:475-488).
SIMPLE_FLUID = 20.0
SIMPLE_FLUID_ENHANCED = 30.0
# Calibration of scanners differs by some HU. Cysts of enhanced training exams have 16 to 24 HU (median), what networks
# falsely took for cysts there 48 and 56.
DENSEST_FLUID = SIMPLE_FLUID_ENHANCED + 10.0
# A homogeneous lesion of -9 to 20 HU is a cyst in every phase (ibid.). Median, and range of all but outliers, of means
# over cells of 5 mm; calibration of scanners differs by some HU.
FLUID_MEDIAN = (-15.0, SIMPLE_FLUID)
FLUID_RANGE = (-30.0, 32.0)

# --- soft tissue ----------------------------------------------------------------------------------------------------
# Fat ends and soft tissue begins, noise included.
SOFT_TISSUE = -20
# Soft tissue without and with contrast medium, without fat and bone: for its noise, unenhanced ...
UNENHANCED_SOFT_TISSUE = (SOFT_TISSUE, 150)
# ... and for that of enhanced exams.
ENHANCED_SOFT_TISSUE = (SOFT_TISSUE, 220)
# What a coarse network may spill into beside an organ.
ORGANS_AND_MUSCLE = (-40.0, 260.0)
# Parenchyma with its noise, without metal and gas.
PARENCHYMA = (-30, 600)
# Liver without and with contrast medium; fluid in stomach, cysts and ascites lies below.
LIVER = (30.0, 160.0)

# --- kidney and contrast medium -------------------------------------------------------------------------------------
# Unenhanced parenchyma has 30 to 45 HU.
UNENHANCED_KIDNEY = 35.0
# The same without the blurred border, as the zero of enhancement of cortex and medulla.
UNENHANCED_CORTEX = 32.0
# Cortex is unenhanced below the first value and enhanced above the second; between them it is not certain.
UNENHANCED_BELOW, ENHANCED_ABOVE = 55.0, 68.0
# Unenhanced parenchyma of any patient has no more, noise and blur of the border included.
MOST_UNENHANCED = 60.0
# Cortex is no denser in any phase; excreted contrast medium, stones and metal are.
DENSEST_CORTEX = 300.0
# Excreted contrast medium is denser than the cortex by this much.
EXCRETED_ABOVE_CORTEX = 80.0

# --- bone -----------------------------------------------------------------------------------------------------------
# Spongy bone begins: enhanced organs may be as dense and are left out by their outline.
SPONGY_BONE = 150
# The same for the midline, in images that end at a display window of 180 HU at the least.
BONE = 160
# Vertebrae with their cortex average above this in cells of 4 mm; muscle and unenhanced organs stay below 80 HU.
BONE_MEAN = 180.0
# The median of a vertebra's own label with its marrow, which no cyst reaches.
VERTEBRA_MEDIAN = 120
# The vault of a skull.
COMPACT_BONE = 300.0
# Cortical bone exceeds this in every adult: an image that does not reach it ends at a display window, or is a crop.
CORTICAL_BONE = 400

# --- display --------------------------------------------------------------------------------------------------------
# The usual window for the abdomen: level 40, width 400.
ABDOMEN_LEVEL, ABDOMEN_WIDTH = 40.0, 400.0
ABDOMEN_WINDOW = (ABDOMEN_LEVEL - ABDOMEN_WIDTH / 2, ABDOMEN_LEVEL + ABDOMEN_WIDTH / 2)
