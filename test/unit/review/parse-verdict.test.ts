// Reading verdicts of strangers. Real: the schema and what is said of what does not fit.
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { parseVerdict, sameVerdict } from '../../../src/review/parse-verdict.ts'

const file = new URL('../../../fixtures/events/touchstone.verdict.recorded.v1.json', import.meta.url)
const { data: example } = JSON.parse(readFileSync(file, 'utf8')) as { data: Record<string, unknown> }
const read = (change: Record<string, unknown>) => {
  const reading = parseVerdict({ ...example, ...change })
  if (reading.kind !== 'ok') throw new Error(reading.message)
  return reading.value
}

it.each([
  ['no id', { verdictId: undefined }, '/verdictId'],
  ['an id that no database takes', { verdictId: 'a\u0000' }, '/verdictId'],
  ['a decision that is no uuid', { decisionId: 'D-1' }, '/decisionId'],
  ['another word', { verdict: 'fake' }, '/verdict'],
  ['nobody who said it', { by: { role: 'analyst' } }, '/by/subject'],
  ['a day that is none', { at: '2026-02-30T00:00:00Z' }, '/at'],
  ['a revision below 1', { revision: 0 }, '/revision'],
  ['itself superseded', { supersedes: example['verdictId'] }, '/supersedes'],
])('says which field is wrong: %s', (_, change, path) => {
  expect(parseVerdict({ ...example, ...change })).toMatchObject({ kind: 'invalid', path })
})

it('takes what only people with brands and cases can say as missing or null, and leaves other fields out', () => {
  const none = { caseId: null, brandId: undefined, reason: null, note: null, supersedes: undefined }
  expect(read({ ...none, later: 1 })).not.toHaveProperty('later')
})

it('never throws, whatever the data', () => {
  fc.assert(
    fc.property(fc.anything(), fc.constantFrom(...Object.keys(example)), (value, field) => {
      expect(['ok', 'invalid']).toContain(parseVerdict(value).kind)
      expect(['ok', 'invalid']).toContain(parseVerdict({ ...example, [field]: value }).kind)
    }),
  )
})

it('tells two verdicts with one id apart by any field, but not by null and nothing', () => {
  const one = read({})
  expect(sameVerdict(one, read({ decisionId: String(example['decisionId']).toUpperCase() }))).toBe(true)
  expect(sameVerdict(read({ note: null }), read({ note: undefined }))).toBe(true)
  const other = {
    caseId: 'other',
    listingId: 'L-2',
    revision: 2,
    decisionId: '6d7e4bce-ad2b-5c38-9af1-f764ecc399eb',
    brandId: 'nike',
    verdict: 'rejected',
    reason: 'other',
    note: 'other',
    by: { subject: 'other', role: 'brand' },
    at: '2026-01-01T00:00:00Z',
    source: 'audit',
    supersedes: 'v-0',
  }
  expect(Object.keys(other).toSorted()).toEqual(
    Object.keys(example)
      .filter((k) => k !== 'verdictId')
      .toSorted(),
  )
  for (const [field, value] of Object.entries(other))
    expect(sameVerdict(one, read({ [field]: value })), field).toBe(false)
})
