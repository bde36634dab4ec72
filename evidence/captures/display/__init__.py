"""The safe view of a page: an inert document of the reader's making, shown from a host of its own, where nobody is signed in.

    origin      where that host is, and whether it is apart from the portal's
    models      one row for each address that was issued; addresses  issuing one, and taking it back when it is used
    host        what that host answers, before anything of the portal sees the request
    pages       the portal's page with the frame
    left_out    what the view leaves out, in words
"""
