"""De-identification: copies of images and results that name nobody, with pseudonyms that stay the same across runs."""
