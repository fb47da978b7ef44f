"""Any type -> Target: its JSON Schema, its validator, its name; and passes over a JSON Schema."""
