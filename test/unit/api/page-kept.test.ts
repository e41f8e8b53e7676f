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
  readonly decisions: readonly { readonly revision: number; readonly stage: string; readonly outcome: string }[]
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
  [
    'a sample that was held later',
    ['screening allow', 'screening hold', 'screening hold', 'screening hold'],
    [30, 30, 24],
  ],
  ['a sample', ['screening allow', 'screening allow', 'screening allow', 'screening allow'], [30, 0, 24]],
  ['what was held at once', ['screening hold', 'screening hold', 'screening block', 'screening hold'], [30, 0, 24]],
  ['what was stopped again after a word', ['screening block', 'review allow', 'screening block'], [30, 0, 30]],
])('shows all that a case was opened with, and of what lies between the newest: %s', (_, said, earlier) => {
  const pictures = [4, 3, 2, 1].flatMap((revision) =>
    Array.from({ length: 30 }, (_none, ordinal) => ({ revision, ordinal, sha256: `${revision}-${ordinal}` })),
  )
  const decisions = said.map((one, at) => {
    const [stage = '', outcome = ''] = one.split(' ')
    return { revision: at + 1, stage, outcome }
  })
  const kept = keptOf({ revision: 4, pictures, decisions })
  expect(kept.own).toHaveLength(30)
  expect([1, 2, 3].map((revision) => kept.earlier.filter((one) => one.revision === revision).length)).toEqual(earlier)
})
