/** A fingerprint of which texts that differ in a few characters differ in a few bits. */
export interface Fingerprint {
  readonly high: number;
  readonly low: number;
  /** The numbers of the text: "falls 5 %" and "falls 6 %" are not one piece of news. */
  readonly numbers: string;
}

const GRAM = 4;
/** Of 64 bits; the bound of Manku, Jain and Das Sarma, "Detecting near-duplicates for web crawling", WWW 2007. */
const MOST_BITS = 3;

/** SimHash (Charikar 2002) over the runs of four characters of a headline, without case, marks and a closing " - Source". */
export function fingerprint(title: string): Fingerprint {
  const plain = plainTitle(title);
  const counts = new Int32Array(64);
  for (let from = 0; from <= Math.max(0, plain.length - GRAM); from++) {
    const gram = plain.slice(from, from + GRAM);
    const low = hash(gram, 0x811c9dc5);
    const high = hash(gram, 0x9747b28c);
    for (let bit = 0; bit < 32; bit++) {
      counts[bit] += (low >>> bit) & 1 ? 1 : -1;
      counts[32 + bit] += (high >>> bit) & 1 ? 1 : -1;
    }
  }
  let [high, low] = [0, 0];
  for (let bit = 0; bit < 32; bit++) {
    if (counts[bit] > 0) low |= 1 << bit;
    if (counts[32 + bit] > 0) high |= 1 << bit;
  }
  return { high, low, numbers: (plain.match(/\d+/g) ?? []).join(' ') };
}

export const nearlyEqual = (a: Fingerprint, b: Fingerprint): boolean =>
  a.numbers === b.numbers && bitsOf(a.high ^ b.high) + bitsOf(a.low ^ b.low) <= MOST_BITS;

/** Four pieces of 16 bits: of texts that are nearly equal, one piece at least is the same. */
export const bandsOf = ({ high, low }: Fingerprint): readonly number[] => [
  low & 0xffff,
  0x10000 + (low >>> 16),
  0x20000 + (high & 0xffff),
  0x30000 + (high >>> 16),
];

function plainTitle(title: string): string {
  const cut = title.replace(/\s[-–—|]\s[^-–—|]{2,30}$/, '');
  return (cut.length < 20 ? title : cut)
    .normalize('NFKD')
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}]+/gu, ' ')
    .trim();
}

/** FNV-1a, then the mixing of MurmurHash3. */
function hash(text: string, seed: number): number {
  let value = seed;
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return (value ^ (value >>> 16)) >>> 0;
}

function bitsOf(word: number): number {
  let left = word - ((word >>> 1) & 0x55555555);
  left = (left & 0x33333333) + ((left >>> 2) & 0x33333333);
  return Math.imul((left + (left >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}
