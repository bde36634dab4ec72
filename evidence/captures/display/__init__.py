"""The safe view of a page: an inert document of the reader's making, shown from a host of its own, where nobody is signed in.

    left_out    what the view leaves out, in words
"""
