"""Training that anyone can repeat: data, synthesis, augmentation, trainer, recipes."""
