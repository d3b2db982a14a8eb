"""The service in figures: pure functions over what happened; whoever calls reads the store."""
