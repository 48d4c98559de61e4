"""Steps from each schema of the journal to the next; run by `state.migrate` only."""
