"""From single images to one grid."""
