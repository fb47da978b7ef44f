"""JSON Schema as data: finding one's way in a schema, passes over it, the forms that servers take, and how a model reads it."""
