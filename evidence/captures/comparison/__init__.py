"""Two captures beside each other: two snapshots of one page, or a work and its alleged copy. It shows what is equal and what is not,
in counts, and never says what that means. For display only: nothing here reaches a verdict.

    alignment, texts, passages, pictures   compute, over hostile content: only in the jail (`jailed`)
    result                                 the form of what is computed, strict, as it lies in the vault
    models, queue, working, tasks          each pair of texts and each pair of pictures is compared once
    facts, resources                       what is cheap, compared while the page is made
    sides, choosing, page, views           the pages
"""
