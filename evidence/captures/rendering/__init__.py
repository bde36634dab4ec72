"""The court's own render of a captured page (tier 2): the court's Chromium, without network and without scripts, draws what a party
handed in, to be seen beside the party's own screenshot. For display only; nothing here reaches a verdict.

    program    which Chromium, and which version it says it is
    cage       the process it runs in: own user, mount, process, network … namespaces, nothing of the machine but libraries and fonts
    camera     inside the cage: drives the browser over a pipe and takes the picture
    drawing    from the worker's side: bytes -> checked PNG, through the cage and then through the jail
    queue, working   the rows that wait, and one worker's turn
    section, views   what a page shows of it, and the button
"""
