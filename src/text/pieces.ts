// Finds names of which only a part is written: the first letters and a sign, or fancy letters that stop short of the end.
import { strengthOf } from './blobs.ts'
import { classOf, LATIN, NOT_A_WORD, UNSPACED } from './characters.ts'
import { MOST_LETTERS, type DisguiseIndex } from './disguise-index.ts'
import type { DisguisedHit } from './mention.ts'
import type { Normalised } from './normalise.ts'

const MAX_PIECES = 50

/** `普拉～`, `香*`, `𝗖𝗵𝗮𝗻𝗲`. Partial unless all but the last letter is there. Linear. */
export function findPieces(n: Normalised, index: DisguiseIndex, hits: DisguisedHit[]): void {
  let found = 0
  for (let i = 0; i < n.text.length && found < MAX_PIECES; i++) {
    const unit = n.text.charCodeAt(i)
    const kind = classOf(unit)
    const hit =
      kind === NOT_A_WORD && strengthOf(unit) === 2
        ? beginningBefore(n.text, i, index)
        : kind === LATIN && isFancy(n, i)
          ? pieceAt(n, i, index)
          : undefined
    if (kind === LATIN && isFancy(n, i))
      while (i + 1 < n.text.length && classOf(n.text.charCodeAt(i + 1)) === LATIN) i++
    if (hit === undefined) continue
    hits.push(hit)
    found++
  }
}

/** One to three Han letters that stand alone before a sign and begin a name. */
function beginningBefore(text: string, sign: number, index: DisguiseIndex): DisguisedHit | undefined {
  let start = sign
  while (start > 0 && sign - start < 4 && classOf(text.charCodeAt(start - 1)) === UNSPACED) start--
  if (start === sign || sign - start > 3 || classOf(text.charCodeAt(sign + 1)) === UNSPACED) return undefined
  const skeleton = index.byBeginning.get(text.slice(start, sign))
  if (skeleton === undefined) return undefined
  const partial = sign - start < 2 || sign - start < skeleton.letters.length - 1
  return { name: skeleton.name, disguise: 'masked', partial, start, end: sign + 1 }
}

function pieceAt(n: Normalised, start: number, index: DisguiseIndex): DisguisedHit | undefined {
  if (start > 0 && classOf(n.text.charCodeAt(start - 1)) === LATIN) return undefined
  let end = start
  while (end < n.text.length && classOf(n.text.charCodeAt(end)) === LATIN && isFancy(n, end)) end++
  if (end - start < 4 || end - start > MOST_LETTERS || classOf(n.text.charCodeAt(end)) === LATIN) return undefined
  const word = n.text.slice(start, end)
  const skeleton = index.byPiece.get(word)
  if (skeleton === undefined) return undefined
  const partial = !skeleton.letters.startsWith(word) || word.length < skeleton.letters.length - 1
  return { name: skeleton.name, disguise: 'lookalike', partial, start, end }
}

/** Mathematical letters and those in circles and squares. */
function isFancy({ source, starts }: Normalised, i: number): boolean {
  const code = source.codePointAt(starts[i] ?? 0) ?? 0
  return (
    (code >= 0x1d400 && code <= 0x1d7ff) || (code >= 0x24b6 && code <= 0x24e9) || (code >= 0x1f130 && code <= 0x1f189)
  )
}
