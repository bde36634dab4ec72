"""All chain proofs of one exhibit, taken together: what one of them speaks of decides what another can contradict.

The families recompute their chains one by one (`Context.proofs`). Whether a proof of another file refutes a file, and which
proof a certificate is to be compared with, can only be said once all of them, of every family and from packages too, are known.
"""

from ..registry import Context
from ..verdict import Examination
from . import agreement, ladder


def climb(context: Context) -> Examination:
    """`context.proofs` and `context.claims` -> the ladder of every proof, and every certificate against the proofs."""
    unspoken = tuple(s for s in context.content if s not in context.spoken_of)
    examined = [
        ladder.examine(
            proof,
            at=context.at,
            unspoken=unspoken,
            stated_otherwise=agreement.stated_otherwise(proof, context.claims),
        )
        for proof in context.proofs
    ]
    findings = [f for e in examined for f in e.findings]
    findings += agreement.findings(context.claims, context.proofs, context.content)
    return Examination(
        # What concerns a whole block stands beside each of its transactions, and is said once.
        findings=tuple(dict.fromkeys(findings)),
        walks=tuple(w for e in examined for w in e.walks),
        not_proven=tuple(dict.fromkeys(n for e in examined for n in e.not_proven)),
    )
