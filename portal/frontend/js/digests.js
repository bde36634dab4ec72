// SHA-256 (FIPS 180-4) and SM3 (GB/T 32905-2016) over a stream of bytes. Both pad and count alike; only the compression of a
// 64-byte block differs. Written out here because WebCrypto has no SM3 and cannot take a file piece by piece.

class BlockDigest {
  #block = new Uint8Array(64);
  #view = new DataView(this.#block.buffer);
  #filled = 0;
  #length = 0;

  constructor(initial) {
    this.state = Int32Array.from(initial);
  }

  update(bytes) {
    this.#length += bytes.length;
    let at = 0;
    if (this.#filled) {
      at = Math.min(64 - this.#filled, bytes.length);
      this.#block.set(bytes.subarray(0, at), this.#filled);
      this.#filled += at;
      if (this.#filled < 64) return this;
      this.compress(this.#view, 0);
      this.#filled = 0;
    }
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (; at + 64 <= bytes.length; at += 64) this.compress(view, at);
    this.#block.set(bytes.subarray(at));
    this.#filled = bytes.length - at;
    return this;
  }

  hex() {
    const bits = this.#length * 8; // exact to 2^53
    this.#block[this.#filled++] = 0x80;
    if (this.#filled > 56) {
      this.#block.fill(0, this.#filled);
      this.compress(this.#view, 0);
      this.#filled = 0;
    }
    this.#block.fill(0, this.#filled, 56);
    this.#view.setUint32(56, Math.floor(bits / 2 ** 32));
    this.#view.setUint32(60, bits % 2 ** 32);
    this.compress(this.#view, 0);
    return Array.from(this.state, (word) => (word >>> 0).toString(16).padStart(8, "0")).join("");
  }
}

const left = (word, count) => (word << count) | (word >>> (32 - count));
const right = (word, count) => (word >>> count) | (word << (32 - count));

// FIPS 180-4 §4.2.2: the first 32 bits of the fractional parts of the cube roots of the first 64 primes.
const K256 = Int32Array.from([
  0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
  0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
  0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
  0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
  0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
  0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
  0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
  0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
]);

export class Sha256 extends BlockDigest {
  #w = new Int32Array(64);

  constructor() {
    super([0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19]);
  }

  compress(view, at) {
    const w = this.#w;
    for (let i = 0; i < 16; i++) w[i] = view.getInt32(at + 4 * i);
    for (let i = 16; i < 64; i++) {
      const x = w[i - 15], y = w[i - 2];
      w[i] = (w[i - 16] + w[i - 7] | 0) + (right(x, 7) ^ right(x, 18) ^ (x >>> 3)) + (right(y, 17) ^ right(y, 19) ^ (y >>> 10));
    }
    const s = this.state;
    let a = s[0], b = s[1], c = s[2], d = s[3], e = s[4], f = s[5], g = s[6], h = s[7];
    for (let i = 0; i < 64; i++) {
      const t1 = (h + (right(e, 6) ^ right(e, 11) ^ right(e, 25)) + ((e & f) ^ (~e & g)) + K256[i] + w[i]) | 0;
      const t2 = ((right(a, 2) ^ right(a, 13) ^ right(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))) | 0;
      h = g; g = f; f = e; e = (d + t1) | 0; d = c; c = b; b = a; a = (t1 + t2) | 0;
    }
    s[0] += a; s[1] += b; s[2] += c; s[3] += d; s[4] += e; s[5] += f; s[6] += g; s[7] += h;
  }
}

// GB/T 32905-2016 §4.2: T_j, already rotated by j as §5.3.3 needs it.
const T = Int32Array.from({ length: 64 }, (_, j) => left(j < 16 ? 0x79cc4519 : 0x7a879d8a, j % 32));
const p0 = (x) => x ^ left(x, 9) ^ left(x, 17);
const p1 = (x) => x ^ left(x, 15) ^ left(x, 23);

export class Sm3 extends BlockDigest {
  #w = new Int32Array(68);

  constructor() {
    super([0x7380166f, 0x4914b2b9, 0x172442d7, 0xda8a0600, 0xa96f30bc, 0x163138aa, 0xe38dee4d, 0xb0fb0e4e]);
  }

  compress(view, at) {
    const w = this.#w;
    for (let j = 0; j < 16; j++) w[j] = view.getInt32(at + 4 * j);
    for (let j = 16; j < 68; j++) w[j] = p1(w[j - 16] ^ w[j - 9] ^ left(w[j - 3], 15)) ^ left(w[j - 13], 7) ^ w[j - 6];
    const s = this.state;
    let a = s[0], b = s[1], c = s[2], d = s[3], e = s[4], f = s[5], g = s[6], h = s[7];
    for (let j = 0; j < 64; j++) {
      const a12 = left(a, 12);
      const ss1 = left((a12 + e + T[j]) | 0, 7);
      const ff = j < 16 ? a ^ b ^ c : (a & b) | (a & c) | (b & c);
      const gg = j < 16 ? e ^ f ^ g : (e & f) | (~e & g);
      const tt1 = (ff + d + (ss1 ^ a12) + (w[j] ^ w[j + 4])) | 0;
      const tt2 = (gg + h + ss1 + w[j]) | 0;
      d = c; c = left(b, 9); b = a; a = tt1; h = g; g = left(f, 19); f = e; e = p0(tt2);
    }
    s[0] ^= a; s[1] ^= b; s[2] ^= c; s[3] ^= d; s[4] ^= e; s[5] ^= f; s[6] ^= g; s[7] ^= h;
  }
}

const PIECE = 4 << 20;

/** Both digests of a File or Blob, read piece by piece; `said(bytes)` after each. Rejects when the file cannot be read. */
export async function digestsOf(file, said = () => {}) {
  const sha256 = new Sha256(), sm3 = new Sm3();
  for (let at = 0; at < file.size; at += PIECE) {
    const piece = new Uint8Array(await file.slice(at, at + PIECE).arrayBuffer());
    sha256.update(piece);
    sm3.update(piece);
    said(at + piece.length);
  }
  return { sha256: sha256.hex(), sm3: sm3.hex() };
}
