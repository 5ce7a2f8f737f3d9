"""The statistics of what is drawn; defects planted in the field show that they can fail."""
