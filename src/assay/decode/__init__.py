"""Text -> JSON value: found, read leniently, every repair recorded; and partial values of streams."""
