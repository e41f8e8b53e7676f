// What counts, what is denied and what has an honest meaning. Real: the phrases that ship, the normaliser, the automaton.
import { describe, expect, it } from 'vitest'
import { findPhrases } from '../../../../src/signals/wording/find.ts'
import { lexicon } from '../../../../src/signals/wording/phrases.ts'
import { normalise } from '../../../../src/text/normalise.ts'

const hits = (text: string, brandIds: readonly string[] = []) => findPhrases(normalise(text), brandIds)
const counted = (text: string) =>
  hits(text)
    .filter((h) => h.excused === undefined)
    .map((h) => h.phrase.forms[0])

describe('denials', () => {
  it.each([
    'not a replica',
    'This is NOT a replica!',
    'no replicas, fakes or copies',
    'We never ever sell any kind of replica',
    'I hate fakes',
    'money back if fake',
    'keine Replik',
    'pas de réplique',
    'не реплика',
    '绝非高仿',
    '偽物ではありません',
    'replicas are not tolerated',
  ])('%s', (text) => {
    expect(counted(text)).toEqual([])
    expect(hits(text).length).toBeGreaterThan(0)
  })

  it('end with their clause', () => {
    expect(counted('No box. Replica')).toEqual(['replica'])
    expect(counted('No box, AAA+ quality')).toEqual(['aaa+'])
    expect(counted('Not used - replica')).toEqual(['replica'])
  })

  it('do not reach from one end of a text to the other', () => {
    expect(counted(`not ${'very '.repeat(20)}replica`)).toEqual(['replica'])
  })
})

describe('overlaps', () => {
  it('count the longest phrase once', () => {
    expect(counted('aaa replica')).toHaveLength(1)
    expect(counted('super clone')).toEqual(['super clone'])
  })

  it('do not find phrases inside words or numbers', () => {
    expect(counted('replicated, dupery, 11:15, superfakery, aaaardvark')).toEqual([])
  })
})

describe('brands that use the word themselves', () => {
  it('excuse it only for goods that are theirs alone', () => {
    expect(hits('replica', ['maison-margiela'])[0]?.excused).toMatch(/Margiela/)
    expect(hits('replica', ['maison-margiela', 'gucci'])[0]?.excused).toBeUndefined()
    expect(hits('replica', [])[0]?.excused).toBeUndefined()
  })
})

it('takes linear time on a text made of nothing but phrases and denials', () => {
  const text = 'no replica fake aaa 1:1 '.repeat(2_000)
  expect(hits(text).length).toBeGreaterThan(4_000)
})

it('names a public source for every phrase, and no phrase twice', () => {
  const forms = lexicon.phrases.flatMap((p) => p.forms.map((f) => normalise(f).text))
  expect(forms.filter((f, i) => forms.indexOf(f) !== i)).toEqual([])
  for (const { source } of lexicon.phrases) expect(lexicon.sources[source]).toMatch(/^https?:/)
})
