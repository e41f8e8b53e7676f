// Whose word a matched picture is, as the page tells it. Real: the page's own sentences; made up: the document, and what the service answers.
import { afterEach, beforeEach, expect, it, vi } from 'vitest'

const PAGE = new URL('../../../src/api/page/origins.js', import.meta.url).href
const VERDICT = {
  verdictId: 'V',
  verdict: 'confirmed',
  by: { subject: 'ann', role: 'analyst' },
  at: '2026-01-01T00:00:00Z',
}
const ALONGSIDE = '; an edit in between showed it, and the verdict was not about that'

/** What the page says of a match of a bank; `image`: of its picture by now, undefined where it has left. */
async function wordsOf(evidence: object, image?: object): Promise<string> {
  vi.stubGlobal('fetch', (path: string) =>
    Promise.resolve(
      path.startsWith('/v1/cases/')
        ? Response.json({ verdicts: [VERDICT], pictures: [] })
        : image === undefined
          ? Response.json({ code: 'not-found' }, { status: 404 })
          : Response.json({ sha256: 'x', state: 'active', source: image }),
    ),
  )
  const { originOf } = (await import(PAGE)) as { originOf: (match: object) => Promise<{ words: unknown[] }> }
  const match = { bankId: 'confirmed', imageId: 'i', kind: 'counterfeit', brandId: null, distance: 4, source: evidence }
  return (await originOf(match)).words.join('')
}

beforeEach(() => {
  vi.stubGlobal('document', { createElement: () => ({ append: () => undefined, setAttribute: () => undefined }) })
})
afterEach(() => {
  vi.unstubAllGlobals()
})

it('tells of a picture that nobody looked at, until somebody vouches for it', async () => {
  const source = { kind: 'verdict', verdictId: 'V', caseId: 'C' }
  expect(await wordsOf(source, source)).toMatch(/^Matches a counterfeit picture confirmed by an analyst on /)
  expect(await wordsOf(source, source)).not.toContain(ALONGSIDE)
  const alongside = { ...source, by: 'nobody' }
  expect(await wordsOf(alongside, alongside)).toContain(ALONGSIDE)
  // It has left the bank, so what the decision saw is what is known; somebody has vouched since.
  expect(await wordsOf(alongside)).toContain(ALONGSIDE)
  expect(await wordsOf(alongside, source)).not.toContain(ALONGSIDE)
})
