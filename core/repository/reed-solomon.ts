/**
 * Systematic Reed-Solomon over GF(2^8), as `docs/format.md` ("Parity") defines it; the same bytes as klauspost/reedsolomon and JavaReedSolomon make.
 * Of the packages for it, the native one has a code of its own, and the WebAssembly build of the Rust crate that was tried failed with memory accesses
 * out of bounds at its second call, so these are its few lines. Exact and small rather than fast: parity is made once, and read when every copy is gone.
 */

/** Products of all pairs, by the polynomial x^8 + x^4 + x^3 + x^2 + 1: row a, column b. */
const products = ((): readonly Uint8Array[] => {
  const [exp, log] = [new Uint8Array(510), new Uint8Array(256)];
  for (let power = 0, value = 1; power < 255; power += 1) {
    exp[power] = exp[power + 255] = value;
    log[value] = power;
    value = (value << 1) ^ (value & 0x80 ? 0x11d : 0);
  }
  return Array.from({ length: 256 }, (_, a) =>
    Uint8Array.from({ length: 256 }, (_, b) => (a === 0 || b === 0 ? 0 : exp[log[a]! + log[b]!]!)),
  );
})();

const product = (a: number, b: number): number => products[a]![b]!;

type Matrix = readonly (readonly number[])[];

/** By Gauss and Jordan. Of rows of the coding matrix any as many as there are columns are independent, so a pivot is always found. */
const inverse = (matrix: Matrix): Matrix => {
  const size = matrix.length;
  const work = matrix.map((row, at) => [...row, ...Array.from({ length: size }, (_, column) => (column === at ? 1 : 0))]);
  for (let column = 0; column < size; column += 1) {
    const pivot = work.findIndex((row, at) => at >= column && row[column] !== 0);
    [work[column], work[pivot]] = [work[pivot]!, work[column]!];
    const scale = products[work[column]![column]!]!.indexOf(1);
    work[column] = work[column]!.map((value) => product(value, scale));
    for (const [at, row] of work.entries()) {
      const factor = row[column]!;
      if (at !== column && factor !== 0) work[at] = row.map((value, n) => value ^ product(factor, work[column]![n]!));
    }
  }
  return work.map((row) => row.slice(size));
};

const multiply = (left: Matrix, right: Matrix): Matrix =>
  left.map((row) => right[0]!.map((_, column) => row.reduce((sum, value, at) => sum ^ product(value, right[at]![column]!), 0)));

/** One row for each stripe, data first: a Vandermonde matrix (row r, column c: r^c) times the inverse of its top, which makes the top the identity. */
const codingMatrix = (data: number, pieces: number): Matrix => {
  const power = (base: number, exponent: number): number => (exponent === 0 ? 1 : product(base, power(base, exponent - 1)));
  const vandermonde = Array.from({ length: data + pieces }, (_, row) => Array.from({ length: data }, (_, column) => power(row, column)));
  return multiply(vandermonde, inverse(vandermonde.slice(0, data)));
};

/** The sum of the stripes, each times its factor. */
const combine = (factors: readonly number[], stripes: readonly Uint8Array[]): Uint8Array => {
  const sum = new Uint8Array(stripes[0]!.length);
  for (const [at, stripe] of stripes.entries()) {
    const times = products[factors[at]!]!;
    for (let byte = 0; byte < sum.length; byte += 1) sum[byte]! ^= times[stripe[byte]!]!;
  }
  return sum;
};

/** The parity of equally long stripes: `pieces` stripes of their length. Together they are 256 at most. */
export const encodeParity = (data: readonly Uint8Array[], pieces: number): Uint8Array[] =>
  codingMatrix(data.length, pieces)
    .slice(data.length)
    .map((factors) => combine(factors, data));

/** The data stripe at `wanted` from those that are there. `stripes` are data, then parity, undefined where lost; as many as there are data stripes must be there. */
export const rebuildStripe = (stripes: readonly (Uint8Array | undefined)[], pieces: number, wanted: number): Uint8Array => {
  const data = stripes.length - pieces;
  const matrix = codingMatrix(data, pieces);
  const there = stripes.flatMap((stripe, at) => (stripe === undefined ? [] : [{ stripe, row: matrix[at]! }])).slice(0, data);
  const factors = inverse(there.map(({ row }) => row))[wanted]!;
  return combine(
    factors,
    there.map(({ stripe }) => stripe),
  );
};
