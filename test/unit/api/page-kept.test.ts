// Which pictures of a case people see, and which of its listing nobody can look at, by place. Real: the functions of the page, read as the browser reads them.
import { expect, it } from 'vitest'

interface Found {
  readonly revision: number
  readonly pictures: readonly { readonly revision: number; readonly ordinal: number }[]
  readonly pictureCount: { readonly listed: number; readonly kept: number }
}

interface Picture {
  readonly revision: number
  readonly ordinal: number
  readonly sha256: string
}
interface Kept {
  readonly revision: number
  readonly pictures: readonly Picture[]
  readonly openedRevision: number | null
}

const { keptOf, missingFrom, placesInWords } = (await import(
  new URL('../../../src/api/page/kept.js', import.meta.url).href
)) as {
  keptOf: (found: Kept) => { readonly own: readonly Picture[]; readonly earlier: readonly Picture[] }
  missingFrom: (found: Found) => number[]
  placesInWords: (ordinals: readonly number[]) => string
}

const caseOf = (listed: number, pictures: Found['pictures']): Found => ({
  revision: 2,
  pictures,
  pictureCount: { listed, kept: pictures.length },
})
const kept = (revision: number, ...ordinals: number[]) => ordinals.map((ordinal) => ({ revision, ordinal }))

it('finds what the revision of the case lists and does not keep; what an earlier one showed does not stand for it', () => {
  expect(missingFrom(caseOf(5, [...kept(2, 0, 2, 3), ...kept(1, 1, 4)]))).toEqual([1, 4])
  expect(missingFrom(caseOf(3, kept(2, 2, 1, 0)))).toEqual([])
  expect(missingFrom(caseOf(0, kept(1, 0)))).toEqual([])
  expect(missingFrom(caseOf(2, []))).toEqual([0, 1])
})

it.each([
  [[1], '2'],
  [[1, 4], '2 and 5'],
  [[12, 13, 14], '13 to 15'],
  [[0, 2, 3, 6, 7, 8, 9], '1, 3, 4 and 7 to 10'],
])('says the places as people count: %j', (ordinals, words) => {
  expect(placesInWords(ordinals)).toBe(words)
})

it.each([
  [2, [0, 30, 24]],
  [1, [30, 0, 24]],
  [3, [0, 0, 30]],
  [null, [0, 0, 24]],
])('shows all that a case was opened with, revision %j, and of the others the newest', (openedRevision, earlier) => {
  const pictures = [4, 3, 2, 1].flatMap((revision) =>
    Array.from({ length: 30 }, (_none, ordinal) => ({ revision, ordinal, sha256: `${revision}-${ordinal}` })),
  )
  const kept = keptOf({ revision: 4, pictures, openedRevision })
  expect(kept.own).toHaveLength(30)
  expect([1, 2, 3].map((revision) => kept.earlier.filter((one) => one.revision === revision).length)).toEqual(earlier)
})
