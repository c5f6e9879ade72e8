"""What a report says, in its language and in no layout yet."""
