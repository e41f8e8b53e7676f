// Measures what a listing's picture costs that is compared with the banks, on one thread: eight look-ups, of each turned and mirrored form of it, among the up to three hashes of each picture in them.
//
//   node scripts/bench/bank-matches.ts [--size=PICTURES] [--json]
import { BANK_KINDS } from '../../src/domain/bank.ts'
import { hexOf, type SeenPicture } from '../../src/imaging/picture.ts'
import { filledEntries } from './bank-entries.ts'
import { fillRandom, flip } from './hashes.ts'
import { times } from './times.ts'

const SIZES = [10_000, 100_000, 1_000_000]
/** Pictures that are in a bank, each asked for a few bits apart. */
const KNOWN = 500
const QUESTIONS = 1_000

const json = process.argv.includes('--json')
const asked = process.argv.find((word) => word.startsWith('--size='))?.slice('--size='.length)

const knownHashes = Array.from({ length: KNOWN }, () => fillRandom(new Uint8Array(32)))

type Question = Pick<SeenPicture, 'sha256' | 'variants' | 'blank'>
const BLANK: Question = { sha256: '', variants: [], blank: true }

/** Turned and mirrored forms share no bits that a look-up could use. */
const pictureOf = (hash: Uint8Array): Question => ({
  sha256: '',
  variants: [hash, ...Array.from({ length: 7 }, () => fillRandom(new Uint8Array(32)))],
  blank: false,
})

// Drawn before the clock runs.
const strange = Array.from({ length: QUESTIONS }, () => pictureOf(fillRandom(new Uint8Array(32))))
const alike = knownHashes.map((hash) => pictureOf(flip(hash.slice(), 6)))

const rows = []
for (const size of asked === undefined ? SIZES : [Number(asked)]) {
  const entries = filledEntries(
    size,
    knownHashes.map((hash) => ({ hash: hexOf(hash) })),
  )
  let n = 0
  const strangers = times(() => void entries.match(strange[n++ % strange.length] ?? BLANK))
  const known = times(() => {
    const found = entries.match(alike[n++ % alike.length] ?? BLANK)
    if (!found.some(({ kind }) => kind === 'counterfeit')) throw new Error('a known picture was not found')
  })
  rows.push({ pictures: size, banks: BANK_KINDS.length, strangersMs: strangers, knownMs: known })
  process.stderr.write(
    `a picture against ${size}: p50 ${strangers.p50} ms, p99 ${strangers.p99} ms, processor ${strangers.cpu} ms; a known one ${known.p50}, ${known.p99}, ${known.cpu}\n`,
  )
}
const report = { bench: 'bank-matches', distance: 31, rows }
process.stdout.write(`${json ? JSON.stringify(report) : JSON.stringify(report, null, 2)}\n`)
