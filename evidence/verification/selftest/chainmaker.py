"""Known answers of ChainMaker 2.x: figures of real blocks of a chain of version 2.3.2 (SHA-256, P-256, certificates), and the
published SM2 example in the chain's own way of signing.

Sources: block 2 and the CMEVI record `evidence21.Evidence` of the chain in chainmaker-explorer's test data (mirror
nxm77/chainmaker); GM/T 0003.5-2012 (SM2 with Z_A over "message digest").
"""

import base64
import zlib
from collections.abc import Callable

from .signatures import SM2_KEY, SM2_R, SM2_S

FORMATS = ("chainmaker", "proof-package")

_HEAD = bytes.fromhex(
    "08f8f47b1a06636861696e3120022a2045e0421f82bf7888cb420eee27591cee8c94aa83596b5dc4d074c09237552d4932206ccb"
    "7410936eae3908aed5d339cccc2426e3968b3c703661462b26ba489f50bc40014a2022f64695b6bf6c98dbd874cd0654220410cf"
    "af132a0660c2fb81dce8a78d7eb2522008da7c45cb204377e7e42249cda5713fa865116ddbb4cb5a1949b2e5b438a6ab5a2007f7"
    "f9dbd700f9c5a9543e93918e32f93801cb3cfe798f2027d180d519eb530160c8c0a6ab0672b7070a1677782d6f7267322e636861"
    "696e6d616b65722e6f72671a9c07"
)
_PEM = (
    "MIICfjCCAiSgAwIBAgIDAqBoMAoGCCqGSM49BAMCMIGKMQswCQYDVQQGEwJDTjEQMA4GA1UECBMHQmVpamluZzEQMA4GA1UEBxMHQmVp"
    "amluZzEfMB0GA1UEChMWd3gtb3JnMi5jaGFpbm1ha2VyLm9yZzESMBAGA1UECxMJcm9vdC1jZXJ0MSIwIAYDVQQDExljYS53eC1vcmcy"
    "LmNoYWlubWFrZXIub3JnMB4XDTIzMTIwMTA4NDMxNFoXDTI4MTEyOTA4NDMxNFowgZcxCzAJBgNVBAYTAkNOMRAwDgYDVQQIEwdCZWlq"
    "aW5nMRAwDgYDVQQHEwdCZWlqaW5nMR8wHQYDVQQKExZ3eC1vcmcyLmNoYWlubWFrZXIub3JnMRIwEAYDVQQLEwljb25zZW5zdXMxLzAt"
    "BgNVBAMTJmNvbnNlbnN1czEuc2lnbi53eC1vcmcyLmNoYWlubWFrZXIub3JnMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE+DytBNev"
    "EJ4XXD/tZqt2BY7++skCCj0tCj07OI2FfUcUIM9bMPFrYh0EDgJBS/KJ0NneEeO4o+vABwpx7lDCeaNqMGgwDgYDVR0PAQH/BAQDAgbA"
    "MCkGA1UdDgQiBCAEgaVE7OqGH+8c2Gsztli1vldk6lXI42r0S0YPcMOxVTArBgNVHSMEJDAigCB16bKFkgJkiohsPJ6dScT4cn2mQvTA"
    "Hr3fZWql5w7k1DAKBggqhkjOPQQDAgNIADBFAiEAkvo+28lC1GqgIrNNaXyVgWqgRBABbu+eUwa0pHelNGoCIBSOlF/morDQ0Iru8deg"
    "BGG1GEtnalxYENvmW2zVP7fv"
)
_TAIL = bytes.fromhex(
    "7a46304402202b3b95c6fe0c0f9262cc471ec16586d6b5a9d96b37b6169b7546ef1c677e7276022013020eb699e73192e5a5b505"
    "2b8aa44db73963ac315c3fbc5974c3959e67f009"
)
VOTE = bytes.fromhex(
    "0801122e516d566b71777745456e66506a773752694b6f5955714e3768464e3374635161473461554a4c5a55463655344c371802"
    "2a2045e0421f82bf7888cb420eee27591cee8c94aa83596b5dc4d074c09237552d49"
)
VOTER = bytes.fromhex(
    "3059301306072a8648ce3d020106082a8648ce3d03010703420004ea1ba9b56ca21608e923ec5fca344afef1da191950a89901e4"
    "5387d5055cbe70943de01e7de7851bc01fcfbdc6e6dccc7f93d3dc9a7c358610655f88d9140df9"
)
VOTE_SIGNATURE = bytes.fromhex(
    "3045022072ecdaf17da1fa56317f6dbd359af67046e6bd313d4b2f2438cdb9e5dc9d42e70221009401873a75d0efebba80978faf"
    "4895334b79dc39b22497a08438b058c6fe61f8"
)
RECORD = bytes.fromhex(
    "0a80020a06636861696e311a40313739636139393064346461313133346361396661633962393466646466343466656431643666"
    "30323331383432306539383737663034626561626462303138208ec1a6ab06320a65766964656e636532313a0845766964656e63"
    "65420c0a046861736812046134313242780a086d65746164617461126c7b226861736854797065223a2266696c65222c22686173"
    "68416c676f726974686d223a22736861323536222c22757365726e616d65223a227461696675222c2274696d657374616d70223a"
    "2231363732303438383932222c2270726f766554696d657374616d70223a22227d420a0a026964120430333332520408d0f70712"
    "87010a3c0a1677782d6f7267312e636861696e6d616b65722e6f726710011a202cae3f2a9958b10705536025974531a2bb295402"
    "ddb7fb601ee67c43188c13631247304502207954f346c1a37a349585286cd1585e4d3431221302533cc86d6c4b087f111e150221"
    "00f88573e2da6f1c3eca5f1e9e5734a7331c8c4514c625fa2c494a8cdd82aa2c792234121012026f6b1a0753756363657373209d"
    "011a206c8da415dd16bdca32953e63b61545bf0b4aa257eb8c8ed3d3bf68ec63269e68"
)
SENDER = bytes.fromhex(
    "3059301306072a8648ce3d020106082a8648ce3d0301070342000466eef4a0b418bcf266eaf78f58b942572d86f338da0f5fe489"
    "a267dacac5c3b613be9dd75a0cbd454dd543aae590cf132d969ff60710811a9a8470608bab4e40"
)
TRANSACTION = zlib.decompress(base64.b85decode(
    'c-qZbdyrG*6;Cz`yIzMDR~B(qSfN;8k-g765M}SZxk+x4oA+arZ6)`a_dA=LL@n7}@G*n9C`cKs7VD^}_^hMiA6T^t?M&7BXs3#uIzGo'
    'b9cz6cD!s`rRA6}-#`^t{obP<+JKyh|@BB_~<^m7(0Mq#x8_z&J1CY+Zvj#n=)1s)TWm%q;ctMX!JgS#q5Y$32j|z}Z5HX#A!ji<o22N'
    '`bS%U!*F%*(|cRzLKz0=_zlTL@vgOk2h4DP_q)bbg$gZ8aDs3oQY?E+h3iSvLNhb$d9Lv;aEfLTR(NEn2PbAXwL76X*WOFJE18fY0voD'
    'Xy#TJZQCKANFc`9dzLOQY;2-k1ZNb!eFg`6$w9q`ID)6Ny9yJW0(Z%U0a>VtvK?DwQgt@uS_WYF;p+s((Ec(fE{aq<CP8F?(w5h$qsk9'
    '&dg|RJ|kPe%CR!M^sbmSMU9|XUBPO?cN%H`oY*&y6f-R)OXj%{IlC;FZwjhe7fL~e>Ff2xa*_MGd8$fjmZYh_;1)VlXX`0dPHT2s6J6O'
    'LyNR)XR@j-N-)@!YSnSZcst)byv|Sm`c2I&R&{Hz&YyAlU60IS)k_s|&g>a`74d3CT=00IAwHmp(294Wv)HypikSQLD5Qu%Mcnk)t+*o'
    'Ip@`e3-SXrtRs$>IUhbpI6meZ}sF~SDlDAJJnN>Z+YQ6{zHR7l%A&rh`Mm=LABksun>+bPJO6y}|5!KMx$V_GD$HDrj+C8#Htyqkx$6c'
    ')IwZM=|8RM>TWgeL~yWY*J=PFj3x;vsCi}Y$(wF=OjJA2aSkn2X*q0D{KK%>@8qEV+J?e#h~_2o2?Y#6U&lY+~|wnG!pN4u4A#GOod-f'
    '+<K7IxZ#N#iLEcTO6%{pe&MoHW8|i%)>C4LNx5C2Xf-(m0}&=z-Z&nsW!u*Pj@ta(<`xI6=2PaM0OfZ0FWfse-o8kF0{WH;%3X%}-9H3'
    'N)8aqR|vitqM9{IYEv!n-6+^tL4j8&I2AlR!$=WN~%WG3j6Dkvzx1{ePXdhHo7^(CdGm;n-nvLv46zl8d2P-Mj}ejYN6XjRBKynm7`M|'
    '9s|<qbwmGn=fi(qHT04*Ph2&3%_n;`v!43=;l*=@dV$@~Kl8-GHB<J<h*ByyD)T_2y*J~oH{!m!mAG3-ns3}SszA7=1rIa3l|rAkFX$R'
    'ocrm2N)5n4?#b*n*;TvlalUhO2&359!MsO|Vc68LIR(RU1kJdmneQ73rtv+yq(daQ9FDv+!t=IgYisLZELt|5KS^FIyB-S2-9vhT)W@_'
    '-F(IIbYv`A&rHOUm!SWBg@G_Sy6ElM-lqDba=&nMq%Q7t`>O;F{G+ne-Q(}JHCt9p_iz>Z*x0UcH#Bdu}%aH^eJD?U-J9lI5?z{8D;9d'
    '`{)Hf2?VaBEr#qqP!k!cc7!xmv9N4)!kGu+qGJRq)I6(DyF9^MaXAbg7@dL?f^N#&GvzD--^G&#M-D+B;wTyrb({HLwDhEmtni7NXFy='
    'D(+O<M(!%GM}mL>0NsN$|YL{AL^LqjV#<uLAO7-*w?oAvHg*`?_NpHS$8(yWdTiX7pmU=#e?MfU%Y(Z2mAGN9jo48em-)?Td$tO<n}MW'
    'XlLgiG7l;y&wO^Va0CA4;_Elvf5xtz=lAX02=0^j?74go_tCQ?bJ<AG7ahR89mm4bGv0A=V-S>?cJz{z$48rJ68BL}Ex^z;Dfmbdk5!|'
    '%OcQvNHj=^q8iQxeB$+pR8Pq`F49U=D8{;m@q&s8`xZP$-wi<m2$_+3$YQ`ZyMG}m~oet#KbZR(UqudAeMCCBO#1P<weT)eTNVEiSh&9'
    '7_u>@;2<+wByW8py6o;Fk!V=qJC6UG(B%BKxwfrJv_K`Y33X_>~GNQ?kgNhLyF3=v7F%%}N^J?+Sbf~jFHXexvU>EY%91UhK+(KW_L%Z'
    'v|49Y&_&Fl8G$6kvQ*)%icA91ZC!WDU0xQAdElLq0s|a55fTHb$E#(v&Qa;b1Dy2C+;-4@@pt4qwpAmWgE9s7m;_=m5rz%EpO!?35gch'
    '0RcoOHc)dOg7`kD@;5T^pw~jTCrywxiE|lH<EWScfirfBf<>9n2GAd72;9q&~@T6Wx+ujCurW8iR%j?x)20x!8{i4mq}e8=B(u8SOt_^'
    'LLaOHE!pf~(eA*J{-jMu%DCQ!=q(kONy060ry=Gj#$;1pTnAJ_PMr|<_;Xx7!6u08<oydqnIigSH>DJpS&1>%NUFt+QgqZEm5LZdc%zn'
    'b5@mq6kteOLXsi-Kd}f#5Ob3Sp!ED%AB@tbyRFrM9k{=J4AV{}NXYr^JWXoj(PZ`mE+-gaA0VXHmec6&FWGm?T;lV<*9Ic3f6qhpcG8q'
    'lgwrrTLCBOy}qesSN4^BrZ2y_%7NhULpACNLeYeoXSJ`+ag(ulTN<a1??NP%`&cGyjkG*LwTE_2b}A014UYos|5%8(|rPfDPfYM%)PhK'
    'sqfy^u6zYhoN|@{4j9kLKJY^|$Mv{?mWP=i{BWKd*f&{`ZaZmW*q@%H(%#+tJO9Zl*6(Ol}CPe)i6n({cm5cUd1rlb`L<PhYqgc=3{3f'
    'A`z>wmk9h#-9BhzypV<4<AYWjVGpl;t1;NOz`(i{rKsle)R`U{p#tbe*C*qpCa?=J_xp_JuW~JWFL$c!+q(TwZezwEUYag;SlO^B~m5-'
    'a35kqabqnsEar+uKW<Kz!D`mY^i!4sL@MPF00w2I-x1Jd;X>a@Q@;pGMIwoj6<o&yK5IN}3J(XWEWu$0cisp}{V{#Q<&m5*uwOok`hu9'
    'Q#=<lirt>sstcpO!pP~9JRzogn2W3KQK;S?=C-P3r;XaD`UR<HRn~vf3fHud20h%EtpkOF@y-`*lPt>v$QKC#XBov~<p_(Tf^zznWJdR'
    'iLedb~*Zp&8739C6=#s?uO5avauB&Be`ZjE~Ql)w<yK$Mj)z4UnWH-l7LZ~LcT??IWz25#PT-^I__{Pc`;c0l+3*xhHXU9xNS-(GlBVg'
    'H*mK6xd-|Jv^4?rWAU&BZ_Kd~fF-8~f_b@T2!sZ)=-d>G|^8>_=K>KjF<{-!uEGr;q)$A2j=Gr=R`R@5+80Nf?DbOeU*Vpd3mY0#;p>v'
    'wMv-8Y|jrWwz|#tXV8TV-8cyn3KW<M>?U)vf)9*pyNFjB*bQ=ifAp@q>2?NnT;q^p>+Xg@TA!f7ib!_=j^Ct3jsdSK^c?zgk9t+2#tC}'
    'ZYYVT;X#Cuv<WwT6#FZAr{6;A&7?g=2o5~~m`e_=O|bh4gHflM=IoHt)@*jIH&96)oBgheXq34=LsZHEQTuQV4iU*9nMjFDIi^RweowG'
    'pmo4FW(SW5I>_?zsKavV??t&*gXt7FSxuVMlN{KX|ECXSdEQX_Qj?GA!$_dzS0*!6G!t!0#>$;a-5qZ;>x?)k{ZNoI?_T@LP>$%{Cd9O'
    'Y2!u!8$>z#S#b33-dPE&B@MYp^wSGI0``M`BA?TR{B{-Z}f-a#&%|7m;Ii|t(>s)294F=@UXnKNz4z3Nu}n#^Cor{ZF!1T8DZqnTw>J6'
    'bZGw9}Ns2M@q{5yn_80t%d{HNaXB)bd&$<X}<K!Yqe^7%XC1UIIlPk|doZ2)qD`Fv1H44%MP8yhvmXyiUUOiX)B}by|oO5rpM2PC_8ip'
    '!g6a4q{oc_g5dNm%QEv3<!b*V=yZ~oCx#!#tSGO=0L4p;t`!*U|9nObF5B+v<Q!~5Tu3m5{9v;AYm}VA)?gP@@uZ1Z)JUcBkM~Bz!t}`'
    'JwQ4L*1`y?V=;pyh=M^m6k-t=RX#C+6+jGyQ4vH=0Rw_4_k-|?J5UcIyr`d0_w;srzVG$FsP_GSyYI4_HmryD>D7N+@lExH-k-iyfA!o'
    'Cz3Tr0+N>T9'
))  # fmt: skip
BLOCK_HASH = bytes.fromhex("45e0421f82bf7888cb420eee27591cee8c94aa83596b5dc4d074c09237552d49")
TX_ROOT = bytes.fromhex("22f64695b6bf6c98dbd874cd0654220410cfaf132a0660c2fb81dce8a78d7eb2")
"""The root over one transaction: its own leaf."""
ORDER_HASH = bytes.fromhex("08da7c45cb204377e7e42249cda5713fa865116ddbb4cb5a1949b2e5b438a6ab")
"""`dag_hash` of a block with one transaction: a message with one empty message in field 2."""


def _header_bytes() -> bytes:
    """The header with the proposer's certificate as PEM, whose lines have 64 characters."""
    lines = [_PEM[i : i + 64] for i in range(0, len(_PEM), 64)]
    pem = "\n".join(["-----BEGIN CERTIFICATE-----", *lines, "-----END CERTIFICATE-----", ""])
    return _HEAD + pem.encode() + _TAIL


def _block(change: Callable[[bytes], bytes] = bytes) -> bool:
    """Whether the header of block 2 has the hash that it states, under the first hash that is tried."""
    from ..chains import chainmaker_messages as messages
    from ..chains.chainmaker_hashing import Block
    from ..codecs import protobuf

    block = Block("self-test", protobuf.parse(change(_header_bytes()), messages.HEADER))
    return block.algorithm == "SHA-256" and block.stated_hash == BLOCK_HASH


def _proposed(message: bytes) -> bool:
    """Whether the proposer's signature, which block 2 carries, is over `message`."""
    from ..chains import chainmaker_members as members
    from ..chains import chainmaker_messages as messages
    from ..codecs import protobuf

    header = protobuf.parse(_header_bytes(), messages.HEADER)
    suite = members.Suite("SHA-256")
    member = members.read(header.message("proposer"), members.Certificates(()), suite)
    return members.signed(member, header.data("signature"), message, suite)


def _voted(vote: bytes) -> bool:
    from ..chains.chainmaker_members import Member, Suite, signed

    return signed(Member("", VOTER, None), VOTE_SIGNATURE, vote, Suite("SHA-256"))


def _leaf(transaction: bytes, version: int) -> bool:
    """Whether this is the transaction of block 2, hashed as its version hashes it."""
    from .. import digests
    from ..chains import chainmaker_messages as messages
    from ..chains.chainmaker_hashing import leaf_bytes
    from ..codecs import protobuf

    tx = protobuf.parse(transaction, messages.TRANSACTION)
    return digests.digest("SHA-256", leaf_bytes(tx, version)) == TX_ROOT


def _sent(change: Callable[[bytes], bytes] = bytes) -> bool:
    """Whether the sender of the real record has signed it (as changed)."""
    from ..chains import chainmaker_messages as messages
    from ..chains.chainmaker_members import Member, Suite, signed
    from ..codecs import protobuf

    tx = protobuf.parse(change(RECORD), messages.TRANSACTION)
    payload, entry = tx.message("payload"), tx.message("sender")
    if payload is None or entry is None:
        return False
    return signed(Member("", SENDER, None), entry.data("signature"), payload.raw, Suite("SHA-256"))


def _recorded(key: str) -> bytes | None:
    """The value of a parameter of the real record."""
    from ..chains import chainmaker_messages as messages
    from ..chains.chainmaker_records import places
    from ..codecs import protobuf

    found = [p.value for p in places(protobuf.parse(RECORD, messages.TRANSACTION)) if p.key == key]
    return found[0] if len(found) == 1 else None


def _guomi(message: bytes, chain_hash: str) -> bool:
    """The published signature, in DER, by a public-key member of a chain with this hash."""
    from ..chains.chainmaker_members import Member, Suite, signed

    numbers = b"".join(b"\x02\x21\x00" + v.to_bytes(32) for v in (SM2_R, SM2_S))
    spki = bytes.fromhex("3059301306072a8648ce3d020106082a811ccf5501822d03420004") + SM2_KEY
    signature = b"\x30" + bytes([len(numbers)]) + numbers
    return signed(Member("", spki, None), signature, message, Suite(chain_hash))


def _needed(nodes: int) -> int:
    from ..chains.chainmaker_votes import needed_of

    return needed_of(nodes)


def _order() -> bytes:
    from .. import digests

    return digests.digest("SHA-256", b"\x12\x00")


CASES: dict[str, Callable[[], bool]] = {
    "hash of a real header": lambda: _block(),
    "hash of the header at another time": lambda: not _block(lambda h: h.replace(b"\x60\xc8", b"\x60\xc9")),
    "signature of its proposer": lambda: _proposed(BLOCK_HASH),
    "signature of its proposer, other block": lambda: not _proposed(TX_ROOT),
    "precommit of a validator": lambda: _voted(VOTE),
    "precommit of a validator, other height": lambda: not _voted(VOTE.replace(b"\x18\x02", b"\x18\x03")),
    "leaf of a real transaction, without its gas": lambda: _leaf(TRANSACTION, 2030200),
    "leaf of a real transaction, with its gas": lambda: not _leaf(TRANSACTION, 2299),
    "leaf of a changed transaction": lambda: not _leaf(TRANSACTION.replace(b"chain1", b"chain2", 1), 2030200),
    "order of execution": lambda: _order() == ORDER_HASH,
    "sender of a real record": lambda: _sent(),
    "sender of a changed record": lambda: not _sent(lambda r: r.replace(b"a412", b"a413", 1)),
    "digest of a real record": lambda: _recorded("hash") == b"a412",
    "SM2 on a chain with SM3": lambda: _guomi(b"message digest", "SM3"),
    "SM2 on a chain with SM3, other message": lambda: not _guomi(b"message digesu", "SM3"),
    "SM2 on a chain with SHA-256 is another signature": lambda: not _guomi(b"message digest", "SHA-256"),
    "three of four, five of seven": lambda: [_needed(n) for n in (1, 4, 7, 10)] == [1, 3, 5, 7],
}
