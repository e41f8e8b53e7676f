// Finds brand names that someone took pains to hide: signs between or in place of letters, digits read as letters.
import { strengthOf, eachBlob, type Blob } from './blobs.ts'
import { classOf, DIGIT, LATIN, NOT_A_WORD, UNSPACED } from './characters.ts'
import { foldLetters, type DisguiseIndex, type Skeleton } from './disguise-index.ts'
import { withGaps, withoutSigns } from './signs-in-names.ts'
import { findPieces } from './pieces.ts'
import type { DictionaryName, DisguisedHit } from './mention.ts'
import type { Normalised } from './normalise.ts'

/** Odd words looked at in one field: many more than an honest text has, few enough to bound what one listing costs. */
const MAX_ODD = 200
const LONGEST = 40
const ASCII = /^[\0-\x7f]*$/

/** Linear in the text but for at most MAX_ODD odd words, each of bounded cost. */
export function findDisguises(n: Normalised, index: DisguiseIndex): DisguisedHit[] {
  const hits: DisguisedHit[] = []
  const { text } = n
  let odd = 0
  let mixed = false
  let singles: Blob[] = []
  let before: Blob | undefined
  let pending: { blob: Blob; before: Blob | undefined } | undefined
  eachBlob(text, (blob) => {
    if (pending !== undefined) {
      unmaskBlob(text, pending.blob, pending.before, blob, index, hits)
      pending = undefined
    }
    if (blob.end - blob.start === 1 && (singles.length === 0 || blob.start - (singles.at(-1)?.end ?? 0) <= 2))
      singles.push(blob)
    else {
      joinSingles(text, singles, index, hits)
      singles = blob.end - blob.start === 1 ? [blob] : []
    }
    if (
      blob.letters > 1 &&
      blob.end - blob.start <= LONGEST &&
      (blob.strong + blob.weak > 0 || blob.trailing > 0) &&
      odd < MAX_ODD
    ) {
      odd++
      pending = { blob, before }
    }
    mixed ||= blob.letters > 1 && (blob.digits > 0 || blob.weak > 0 || hasOddCase(n, blob))
    before = blob
  })
  if (pending !== undefined) unmaskBlob(text, pending.blob, pending.before, undefined, index, hits)
  joinSingles(text, singles, index, hits)
  if (!ASCII.test(n.source)) {
    unmaskUnspaced(text, index, hits)
    findPieces(n, index, hits)
  }
  if (mixed) unfold(n, index, hits)
  return hits
}

/** `g u c c i`: four single letters or more with one blank between. */
function joinSingles(text: string, singles: readonly Blob[], index: DisguiseIndex, hits: DisguisedHit[]): void {
  if (singles.length < 4) return
  const letters = singles.map((b) => text.charAt(b.start)).join('')
  for (let from = 0; from + 4 <= singles.length && from < MAX_ODD; from++) {
    for (let length = Math.min(24, singles.length - from); length >= 4; length--) {
      const found = index.byLetters.get(letters.slice(from, from + length))
      if (found === undefined || found.name.copied === 'unknown') continue
      // Four letters may be an abbreviation or a row of sizes; then nothing else may stand in the row.
      if (length < 5 && length !== singles.length) continue
      hits.push({
        name: found.name,
        disguise: 'masked',
        partial: false,
        start: singles[from]?.start ?? 0,
        end: singles[from + length - 1]?.end ?? 0,
      })
      from += length - 1
      break
    }
  }
}

/** Tries the odd word alone, then with its neighbours, for names of several words. */
function unmaskBlob(
  text: string,
  blob: Blob,
  before: Blob | undefined,
  after: Blob | undefined,
  index: DisguiseIndex,
  hits: DisguisedHit[],
): void {
  const near = (a: Blob | undefined, b: Blob | undefined) =>
    a !== undefined && b !== undefined && b.start - a.end - a.trailing <= 1
  const ranges: [number, number][] = [[blob.start, blob.end]]
  if (blob.trailing > 0) ranges.push([blob.start, blob.end + blob.trailing])
  if (after !== undefined && near(blob, after)) ranges.push([blob.start, after.end])
  if (before !== undefined && near(before, blob)) ranges.push([before.start, blob.end])
  for (const [start, end] of ranges) {
    if (end - start > LONGEST) continue
    const found = withoutSigns(text, start, end, index) ?? withGaps(text, start, end, index)
    if (found !== undefined) {
      hits.push({ ...found, start, end })
      return
    }
  }
}

/** `香*儿`, `普*达`, `古*驰`: one sign between two Han or kana letters, as a letter or beside them all. */
function unmaskUnspaced(text: string, index: DisguiseIndex, hits: DisguisedHit[]): void {
  let odd = 0
  for (let i = 1; i + 1 < text.length && odd < MAX_ODD; i++) {
    const unit = text.charCodeAt(i)
    if (classOf(unit) !== NOT_A_WORD || strengthOf(unit) !== 2 || classOf(text.charCodeAt(i - 1)) !== UNSPACED) continue
    const width = unit >= 0xd800 && unit <= 0xdbff ? 2 : 1
    if (classOf(text.charCodeAt(i + width)) !== UNSPACED) continue
    odd++
    for (const { skeleton, position } of index.byNeighbours.get(text.charAt(i - 1) + text.charAt(i + width)) ?? []) {
      const hit = around(text, i, width, skeleton, position)
      if (hit === undefined) continue
      hits.push(hit)
      break
    }
  }
}

function around(
  text: string,
  sign: number,
  width: number,
  { letters, name }: Skeleton,
  position: number,
): DisguisedHit | undefined {
  const after = letters.slice(position)
  if (!text.startsWith(after, sign + width)) return undefined
  for (const before of [letters.slice(0, position), letters.slice(0, position - 1)]) {
    const start = sign - before.length
    if (before === '' || start < 0 || text.slice(start, sign) !== before) continue
    return { name, disguise: 'masked', partial: false, start, end: sign + width + after.length }
  }
  return undefined
}

/** `RoIex`, `GUCCl`: a capital I after a small letter, a small l after a capital. */
function hasOddCase(n: Normalised, blob: Blob): boolean {
  for (let i = blob.start + 1; i < blob.end; i++) if (isOddCase(n, i)) return true
  return false
}

function isOddCase({ source, starts }: Normalised, i: number): boolean {
  const here = source.charAt(starts[i] ?? 0)
  if (here !== 'I' && here !== 'l') return false
  const before = source.charAt(starts[i - 1] ?? 0)
  return here === 'I' ? before >= 'a' && before <= 'z' : before >= 'A' && before <= 'Z' && before !== 'I'
}

/** `Ro1ex`, `L0UIS VUITT0N`, `Ch@nel`: digits and signs read as letters, in names that have none. */
function unfold(n: Normalised, index: DisguiseIndex, hits: DisguisedHit[]): void {
  const found = hits.length
  index.folded.find(
    foldLetters(n.text),
    (pattern, start, end) => {
      const name = index.foldedNames[pattern]
      if (name === undefined || hits.length - found >= MAX_ODD) return false
      if (isWrittenInDigits(n, name, start, end)) hits.push({ name, disguise: 'lookalike', partial: false, start, end })
      return true
    },
    { wholeWords: true },
  )
}

function isWrittenInDigits(n: Normalised, name: DictionaryName, start: number, end: number): boolean {
  let signs = 0
  let run = 0
  let longestRun = 0
  for (let i = start; i < end; i++) {
    const unit = n.text.charCodeAt(i)
    const kind = classOf(unit)
    const wanted = name.text.charCodeAt(i - start)
    const differs = unit !== wanted
    if (differs && kind === LATIN && !isOddCase(n, i)) return false
    if (differs) signs++
    run = differs && kind === DIGIT ? run + 1 : 0
    longestRun = Math.max(longestRun, run)
  }
  const letters = end - start
  if (signs === 0) return false
  // Model numbers look like short names with digits: of four or five letters only one may be hidden, and of those that are copied.
  if (letters < 6)
    return signs === 1 && name.copied !== 'unknown' && (letters > 4 || (name.copied === 'most' && !name.ambiguous))
  return signs * 2 <= letters && longestRun <= 2
}
