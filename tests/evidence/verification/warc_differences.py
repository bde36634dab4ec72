"""Why the engine, warcio and FastWARC answer differently about a web archive: each cause once, who is right, and by what rule.

A difference is a row `file: (engine, warcio, fastwarc, causes)`. The comparison fails for a difference that stands in no row, for
a row that no longer differs, and for an answer that changed. A new difference is understood first, and only then written down.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from evidence.verification import Verdict

from .warc_oracles import FAILS, OPEN, PASSES, TOOLS, opinion, opinions

ENGINE, WARCIO, FASTWARC = "engine", "warcio", "fastwarc"

CAUSES: Mapping[str, tuple[tuple[str, ...], str]] = {
    "no digest": ((ENGINE,), "nothing was compared, so nothing passed; both tools end with exit code 0"),
    "unknown algorithm": ((ENGINE,), "a digest that nobody can compute refutes nothing; both tools call it a failure"),
    "weak": ((ENGINE,), "MD5 can be made to match; the tools do not ask"),
    "base32 by custom": ((ENGINE,), "WARC 1.1 gives no encoding: lower case and unpadded base32 (RFC 4648) are the same value"),
    "encoding": ((ENGINE, WARCIO), "FastWARC reads hex and base32 alone; base64 in both alphabets is the same value"),
    "label": ((ENGINE, WARCIO), "FastWARC knows neither `sha-256`, which warcio.js writes, nor sha384, sha3 and BLAKE2"),
    "de-chunked": ((ENGINE,), "the payload is the entity body, transfer coding removed (WARC 1.1 §5.9); the tools hash as stored only"),
    "payload is block": ((ENGINE, WARCIO), "of records that are not HTTP the payload is the block (WARC 1.1 §5.9, §6.3)"),
    "payload elsewhere": (
        (ENGINE,),
        "the payload of a revisit or a segment is not in this record: warcio does not look, FastWARC compares with what is here",
    ),
    "revisit block": ((ENGINE, FASTWARC), "the block digest of a revisit covers its block like any other; warcio never checks it"),
    "cut": ((ENGINE, FASTWARC), "the record ends before its length; warcio calls that `not checked` and exits with 0"),
    "cut trailer": ((ENGINE,), "a gzip member without its check sum is cut (RFC 1952 §2.3); both tools pass it"),
    "length": ((ENGINE, FASTWARC), "Content-Length is missing or wrong and hides what follows; warcio reads nothing more and exits with 0"),
    "length abort": ((ENGINE,), "19 digits of length: warcio exits with 0, FastWARC is taken down by the allocation"),
    "length sign": ((ENGINE,), "`+n` is no length (1*DIGIT); both tools accept it"),
    "junk": ((ENGINE, FASTWARC), "bytes between records belong to nothing; warcio warns and passes"),
    "version line": ((ENGINE,), "a blank after the version is malformed; both tools accept it"),
    "line feeds": ((ENGINE, FASTWARC), "header lines end with CRLF (WARC 1.1 §4); warcio accepts LF"),
    "folded": ((ENGINE,), "a folded line is one line (WARC 1.1 §4); the tools lose the second half"),
    "crash": ((ENGINE, FASTWARC), "a blank before the colon, or a digest that is none, takes warcio down"),
    "empty block": ((ENGINE, FASTWARC), "an empty block has a digest, too; warcio does not compare it"),
    "zeros": ((ENGINE,), "trailing zero bytes are padding of tapes and blocks and hide nothing: noted, not failed"),
    "one member": ((ENGINE, FASTWARC), "several whole records in one gzip member are readable without ambiguity: noted; warcio stops"),
    "members": ((ENGINE,), "one member, six records: readable and in order; both tools stop with an error"),
    "empty member": ((ENGINE, WARCIO), "an empty gzip member is not the end of the file; FastWARC reads no further"),
    "HTTP line feeds": ((ENGINE, WARCIO), "an HTTP header with LF ends at its empty line too (RFC 9112 §2.2)"),
    "HTTP of a file": ((ENGINE, FASTWARC), "the content type says HTTP, whatever the address; warcio goes by the address"),
    "HTTP header": ((ENGINE, WARCIO), "FastWARC stops at HTTP headers of 16 to 32 KiB"),
    "ambiguous": ((ENGINE,), "two digests that differ are one too many; both tools take the first"),
    "bomb": ((ENGINE,), "beyond 200 : 1 reading stops by rule; the tools inflate whatever comes"),
    "twice packed": ((ENGINE,), "compressed twice: not opened, so open; the tools call it an error"),
    "no archive": ((ENGINE,), "what is no WARC refutes nothing; an empty file passes with both tools, a page fails"),
    "ARC": ((ENGINE,), "ARC states no digests, so nothing was compared; FastWARC does not read it"),
    "broken ARC": ((ENGINE, FASTWARC), "the first line of the ARC is malformed; warcio exits with 0"),
    "writer defect": ((ENGINE,), "42 wrong block digests, all reproduced by WRD-02: open; warcio stumbles over Brotli"),
}

Row = tuple[str, str, str, tuple[str, ...]]


def rows(engine: str, warcio: str, fastwarc: str, cause: str, *names: str) -> dict[str, Row]:
    return dict.fromkeys(names, (engine, warcio, fastwarc, (cause,)))


def differences(paths: Sequence[Path], verdicts: Mapping[str, Verdict]) -> dict[str, tuple[str, str, str]]:
    """The files about which the three do not say the same."""
    said = {tool: opinions(tool, paths) for tool in TOOLS}
    found = {}
    for path in paths:
        three = (opinion(verdicts[path.name]), said[WARCIO][path.name], said[FASTWARC][path.name])
        if len(set(three)) > 1:
            found[path.name] = three
    return found


def frozen(table: Mapping[str, Row]) -> dict[str, tuple[str, str, str]]:
    """The table as `differences` gives it, every cause being one that is explained."""
    for name, (*three, causes) in table.items():
        for cause in causes:
            right, _ = CAUSES[cause]
            if ENGINE not in right or (WARCIO in right and three[1] != three[0]) or (FASTWARC in right and three[2] != three[0]):
                raise ValueError(f"{name}: {cause} does not explain {three}")
    return {name: (row[0], row[1], row[2]) for name, row in table.items()}


CRASHES = "crashes"
EDGES: dict[str, Row] = {
    **rows(OPEN, PASSES, PASSES, "weak", "alg_md5_b32.warc"),
    **rows(OPEN, FAILS, FAILS, "unknown algorithm", "alg_nocolon.warc", "alg_unknown_xyz.warc"),
    **rows(PASSES, FAILS, FAILS, "base32 by custom", "alg_sha1_b32l.warc", "alg_sha256_b32nopad.warc"),
    **rows(PASSES, PASSES, FAILS, "encoding", "alg_sha1_b64.warc", "alg_sha256_b64.warc", "alg_sha256_b64u.warc"),
    **rows(PASSES, PASSES, FAILS, "label", "alg_sha-256_hex.warc", "alg_sha3-256_hex.warc", "alg_sha384_hex.warc"),
    **rows(OPEN, PASSES, PASSES, "no digest", "combo_no_digest.warc"),
    **rows(OPEN, PASSES, PASSES, "no archive", "empty.warc"),
    **rows(OPEN, FAILS, FAILS, "no archive", "html_not_warc.warc"),
    **rows(OPEN, PASSES, PASSES, "bomb", "gz_bomb_50MB.warc.gz"),
    **rows(OPEN, FAILS, FAILS, "twice packed", "gz_double.warc.gz.gz"),
    **rows(PASSES, FAILS, PASSES, "one member", "gz_single_member_two_ok.warc.gz"),
    **rows(PASSES, FAILS, FAILS, "zeros", "gz_trailing_zeros.warc.gz"),
    **rows(FAILS, PASSES, FAILS, "cut", "gz_truncated_last.warc.gz", "len_too_long_eof.warc"),
    **rows(FAILS, PASSES, PASSES, "cut trailer", "gz_truncated_trailer.warc.gz"),
    **rows(PASSES, FAILS, FAILS, "folded", "hdr_folded_digest.warc"),
    **rows(FAILS, CRASHES, FAILS, "crash", "hdr_space_before_colon.warc"),
    **rows(FAILS, PASSES, CRASHES, "length abort", "len_huge.warc"),
    **rows(FAILS, PASSES, FAILS, "length", "len_missing.warc"),
    **rows(FAILS, PASSES, FAILS, "junk", "len_too_short_digest_matches_short.warc"),
    **rows(PASSES, PASSES, FAILS, "payload is block", "response_dns_payload.warc"),
    **rows(FAILS, PASSES, FAILS, "revisit block", "revisit_block_bad.warc"),
    **rows(OPEN, PASSES, FAILS, "payload elsewhere", "revisit_payload_of_original.warc", "segment1_payload_whole.warc"),
    **rows(PASSES, FAILS, FAILS, "de-chunked", "te_ce_payload_over_dechunked.warc", "te_chunked_payload_over_dechunked.warc"),
    **rows(FAILS, PASSES, PASSES, "version line", "ver_WARC_1.0sp.warc"),
    **rows(FAILS, PASSES, FAILS, "line feeds", "warc_lf_headers.warc"),
}
"""Archives made for the edges."""

WORLD: dict[str, Row] = {
    **rows(
        OPEN, PASSES, FAILS, "payload elsewhere",
        "20130729-heritrix-revisit-with-http-headers.warc.gz",
        "20141124-heritrix-server-not-modified.warc.gz",
        "20141129-heritrix-revisit-with-http-headers-and-new-warc-headers.warc.gz",
        "warciojs_example-url-agnostic-revisit.warc.gz",
    ),
    **rows(PASSES, PASSES, FAILS, "payload is block", "example-resource.warc.gz"),
    **rows(FAILS, PASSES, FAILS, "broken ARC", "bad.arc"),
    **rows(OPEN, PASSES, FAILS, "ARC", "example.arc.gz"),
    **rows(PASSES, FAILS, FAILS, "members", "example-bad.warc.gz.bad"),
    **rows(PASSES, FAILS, FAILS, "de-chunked", "jswacz_lil-projects.warc.gz"),
    **rows(PASSES, PASSES, FAILS, "label", "pywacz_example-iana.warc", "pywacz_example-warcinfo-metadata.warc"),
    **rows(OPEN, CRASHES, FAILS, "writer defect", "rwp_netpreserve-twitter.warc"),
    # The revisit in it finds its original beside it, so that the engine has nothing left open.
    "example.warc": (PASSES, PASSES, FAILS, ("payload elsewhere",)),
    "example.warc.gz": (PASSES, PASSES, FAILS, ("payload elsewhere",)),
}  # fmt: skip
"""Archives found in the world."""
