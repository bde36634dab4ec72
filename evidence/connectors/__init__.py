"""The one place that talks to the world outside: the court's own chain nodes (DESIGN §5, spec consortium-chains §10.3).

    nodes       which nodes there are: the court's configuration, never anything a party handed in
    addresses   which addresses may be connected to; the name is resolved once
    wire        one connection: address pinned, TLS against the node's pinned certificate, every byte and second counted
    http1, h2grpc          one request and one answer over such a connection
    fisco, chainmaker      which questions prove one transaction, and what an answer to them looks like
    fetching    `fetch(node, tx_id)`: all of the above behind one door
    inquiries   the queue of questions: rows, leases, back-off, circuit breaker; what an answer leads to
    handover    how answers become sources of a run, beside the exhibit's files and never among them

Only a worker calls `fetch`: not the web process of a production site, never the jail. What a node says is archived as it came and
then verified by the engine like any other bytes; this room believes nothing and decides nothing.
"""
