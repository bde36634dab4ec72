"""What a capture shows: facts, text with places and re-encoded pictures, read from hostile files in the jail.

Nothing here decides anything: the verdict comes from the engine alone, and every page that shows a reading says so.
"""
