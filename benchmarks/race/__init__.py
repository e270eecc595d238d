"""The race: this library beside its peers, on the same problems, before the same judge."""
