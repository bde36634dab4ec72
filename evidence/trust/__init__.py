"""The court's trust store: drafts, two-person approval, publication as a signed anchor pack.

    models        what is kept: drafts, their revisions, published packs; the database refuses to change any of it
    packs         which pack is in force, where it lies on this machine, and that it is the one that was approved
    drafts        the verbs: start, change, propose, take back, reject, approve
    contents      the members of a pack: from a folder, a zip file or the vault; the manifest over them
    edits         the changes the forms offer, as functions over members
    difference    what differs between two packs, in words
    signing       the court's key for packs
"""
