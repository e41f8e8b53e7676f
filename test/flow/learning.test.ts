// The loop closed: what people say changes what the next listing meets. Real: the whole gate on PostgreSQL, its text model in
// threads, the commands as processes of their own; made up: the marketplace, its sellers and its people.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Decision } from '../../src/domain/decision.ts'
import type { Verdict } from '../../src/domain/verdict.ts'
import { ran } from '../support/processes.ts'
import { bargain, drawNothing, LIVE_MS, MARKET, sayByLog, silent, wordOn } from './learning-market.ts'
import { startGateUnderTest, type GateUnderTest } from '../support/running-gate.ts'

const PAIRS = 40

let t: GateUnderTest
beforeAll(async () => {
  t = await startGateUnderTest()
  await drawNothing(t)
})
afterAll(() => t?.stop())

const touchstone = (...words: string[]) => ran(words, { DATABASE_URL: t.url })
const json = async <T>(...words: string[]): Promise<T> => {
  const { code, out, err } = await touchstone(...words, '--json')
  if (code !== 0) throw new Error(`touchstone ${words.join(' ')} ended with ${code}: ${err}`)
  return JSON.parse(out) as T
}

const say = (verdicts: readonly Verdict[]) => sayByLog(t, verdicts)

const screened = async (listingId: string): Promise<Decision> => {
  const all = (await t.settled()).decisions.filter((d) => d.listingId === listingId && d.stage === 'screening')
  expect(all).toHaveLength(1)
  const [one] = all
  if (one === undefined) throw new Error(`${listingId} was not decided`)
  return one
}

/** Shares of a fusion's card; those of a text model lack them. */
interface Figures {
  brier: number
  recall: { silent: { value: number } }
}

interface Made {
  readonly made: readonly {
    readonly model: {
      name: string
      version: string
      sha256: string
      card: { measured: { heldOut: { rows: number; auc: number }; candidate: Figures } }
    }
    readonly present: boolean
  }[]
}
const versionOf = ({ made }: Made, name: string): string =>
  made.find(({ model }) => model.name === name)?.model.version ?? 'none was made'

/** Milliseconds until the gate of this process decides with the version. */
async function live(version: string): Promise<number> {
  const since = performance.now()
  await t.until(`${version} decides here`, async () => {
    const { scorecard, textModel } = t.gate.live.current()
    return [scorecard.version, textModel?.version].includes(version)
  })
  return performance.now() - since
}

describe('verdicts', () => {
  let trained: Made
  let shipped: Record<string, string>

  it('are needed: without them nothing is learnt, and the command says how many of which are missing', async () => {
    const { code, out, err } = await touchstone('train', '--json')
    expect([code, out]).toEqual([1, ''])
    expect(err).toMatch(/labels-missing: 0 listings .* 10 more confirmed listings to learn from \(0 of 10\).*rejected/s)
    expect(await json('models', 'list')).toMatchObject({ items: [] })
  })

  it('become versions with a card, the same bytes for the same seed', async () => {
    for (let i = 0; i < PAIRS; i++) {
      await t.submit(bargain(`honest-${i}`, `honest seller ${i}`))
      await t.submit(silent(`fake-${i}`, `fake seller ${i}`))
    }
    const { decisions } = await t.settled()
    shipped = decisions[0]?.models ?? {}
    expect(shipped['fusion']).toBe(t.gate.live.current().scorecard.version)
    expect(decisions.filter((d) => d.listingId.startsWith('honest')).every((d) => d.outcome === 'hold')).toBe(true)
    expect(decisions.filter((d) => d.listingId.startsWith('fake')).every((d) => d.outcome === 'allow')).toBe(true)
    await say(decisions.map(wordOn))
    trained = await json<Made>('train', '--seed', '7')
    expect(trained.made.map(({ model, present }) => [model.name, present])).toEqual([
      ['fusion', false],
      ['text', false],
    ])
    expect(trained).toMatchObject({
      labels: 2 * PAIRS,
      // One seller each, and no words twice: none is left out.
      learntFrom: 1.4 * PAIRS,
      heldOut: 0.6 * PAIRS,
      refused: [],
      made: [
        {
          model: {
            card: { measured: { comparison: { standing: 'better' }, champion: { version: shipped['fusion'] } } },
          },
        },
        { model: { card: { trained: { marketplaces: [MARKET], seed: 7, invented: false } } } },
      ],
    })
    const again = await json<Made>('train', '--seed', '7')
    expect(again.made.map(({ model, present }) => [model.version, model.sha256, present])).toEqual(
      trained.made.map(({ model }) => [model.version, model.sha256, true]),
    )
    expect((await json<{ items: unknown[] }>('models', 'list')).items).toHaveLength(2)
  })

  it('show how a version does on what it did not learn from, beside what decides: on verdicts and on a file', async () => {
    const fusion = `fusion@${versionOf(trained, 'fusion')}`
    const text = versionOf(trained, 'text')
    const compared = await json<{ rows: number; candidate: Figures }>('evaluate', '--model', fusion)
    expect(compared).toMatchObject({
      candidate: { version: versionOf(trained, 'fusion'), text: `text ${text}` },
      champion: { version: shipped['fusion'], text: `text ${shipped['text']}` },
      comparison: { standing: 'better', honest: { hold: { more: false } } },
    })
    const [ofFusion, ofText] = trained.made.map(({ model }) => model.card.measured)
    expect(compared.rows).toBe(ofFusion?.heldOut.rows)
    // The text model that decided then said nothing here: with its silence the figures would be others than the card's.
    expect(compared.candidate.recall).toEqual(ofFusion?.candidate.recall)
    expect(compared.candidate.brier).toBeCloseTo(ofFusion?.candidate.brier ?? Number.NaN, 5)
    const alone = await json('evaluate', '--model', `text@${text}`)
    expect(alone).toMatchObject({
      rows: ofText?.heldOut.rows,
      candidate: { version: text, scored: ofText?.heldOut.rows, auc: ofText?.heldOut.auc },
      champion: { version: shipped['text'], scored: 0, auc: null },
      comparison: { on: 0, standing: 'not compared' },
    })

    const directory = mkdtempSync(join(tmpdir(), 'touchstone-learning-'))
    try {
      const file = join(directory, 'labelled.jsonl')
      const row = (listing: object, label: string) => JSON.stringify({ listing: { revision: 1, ...listing }, label })
      writeFileSync(
        file,
        `${row(bargain('file-1', 'x'), 'legitimate')}\n${row(silent('file-2', 'y'), 'counterfeit')}\n`,
      )
      const both = await json<
        Record<'candidate' | 'champion', { models: string; overall: { falsePositives: object } }>
      >('evaluate', '--model', fusion, '--input', file)
      expect(both.champion).toMatchObject({ overall: { falsePositives: { stopped: { count: 1, of: 1 } } } })
      expect(both.candidate).toMatchObject({ overall: { falsePositives: { stopped: { count: 0, of: 1 } } } })
      expect(both.candidate.models).toBe(`fusion ${versionOf(trained, 'fusion')}, text ${text}`)
      expect(both.champion.models).toBe(`fusion ${shipped['fusion']}, text ${shipped['text']}`)
      const apart = await touchstone('evaluate', '--model', `text@${text}`, '--input', file)
      expect(apart.err).toMatch(new RegExp(`Warning: the fusion .* was fitted to the text model .*, not to ${text}`))
    } finally {
      rmSync(directory, { recursive: true })
    }
    // Four commands: with the whole machine busy they took longer than the usual limit.
  }, 90_000)

  it('change nothing by themselves: what was trained does not decide until somebody promotes it', async () => {
    await t.submit(bargain('before', 'another seller'))
    expect(await screened('before')).toMatchObject({ outcome: 'hold', models: shipped })
  })

  it('a version that does not exist, or is none of ours, is not promoted', async () => {
    const unknown = await touchstone('models', 'promote', 'fusion@none')
    expect([unknown.code, unknown.err]).toEqual([1, expect.stringContaining('there is no version none')])
    expect((await touchstone('models', 'promote', 'fusion')).code).toBe(2)
    expect((await touchstone('models', 'rollback', 'fusion')).err).toContain('nothing-to-roll-back')
    // It was fitted to the text model of the same training, which does not decide yet.
    const early = await touchstone('models', 'promote', `fusion@${versionOf(trained, 'fusion')}`)
    const [fusion, text] = [versionOf(trained, 'fusion'), versionOf(trained, 'text')]
    expect(early.code).toBe(1)
    expect(early.err).toMatch(new RegExp(`model-mismatch: .*promote both at once, as text@${text} fusion@${fusion}`))
    // So what a training prints is one command.
    const { out } = await touchstone('train', '--seed', '7')
    expect([...out.matchAll(/touchstone models promote (.+)/g)].map(([, names]) => names)).toEqual([
      `text@${text} fusion@${fusion}`,
    ])
    expect((await touchstone('models', 'promote', `text@${text}`, `text@${text}`)).code).toBe(2)
    expect(t.gate.live.current().scorecard.version).toBe(shipped['fusion'])
  })

  it('once promoted, change what the next listing meets within two seconds, and lose or double none on the way', async () => {
    const [text, fusion] = [versionOf(trained, 'text'), versionOf(trained, 'fusion')]
    let sent = 0
    let on = true
    const stream = (async () => {
      for (; on; sent++) await t.submit(silent(`stream-${sent}`, `stream seller ${sent}`))
    })()
    expect(await json('models', 'promote', `text@${text}`, `fusion@${fusion}`)).toMatchObject({
      name: 'fusion',
      version: fusion,
      text: { name: 'text', version: text, before: null },
      overruled: [],
      warnings: [],
    })
    expect(await live(fusion)).toBeLessThan(LIVE_MS)
    on = false
    await stream
    await t.submit(bargain('after', 'one more seller'))
    await t.submit(silent('silent-after', 'one more silent seller'))
    const { decisions } = await t.settled()
    const streamed = decisions.filter((d) => d.listingId.startsWith('stream-'))
    expect(streamed.map((d) => d.listingId).toSorted()).toEqual(
      Array.from({ length: sent }, (_, i) => `stream-${i}`).toSorted(),
    )
    const pairs = new Set(streamed.map((d) => `${d.models['fusion']} ${d.models['text']}`))
    expect(pairs).toContain(`${shipped['fusion']} ${shipped['text']}`)
    // None met one of them without the other.
    for (const pair of pairs) expect([`${shipped['fusion']} ${shipped['text']}`, `${fusion} ${text}`]).toContain(pair)

    expect(await screened('after')).toMatchObject({ outcome: 'allow', models: { fusion, text } })
    const caught = await screened('silent-after')
    expect(caught).toMatchObject({ models: { fusion, text } })
    expect(caught.outcome).not.toBe('allow')
    expect(caught.signals.find((s) => s.name === 'text-model')).toMatchObject({ state: 'scored' })
    const told = (await t.gate.models.active()).map((m) => `${m.name}@${m.version}`)
    expect(told).toEqual(expect.arrayContaining([`fusion@${fusion}`, `text@${text}`]))
  })

  it('what ships can be shown, and tried like any other version, on what the one that decides has not learnt from', async () => {
    const [fusion, text] = [`fusion@${shipped['fusion']}`, `text@${shipped['text']}`]
    expect(await json('models', 'show', fusion)).toMatchObject({ ships: true, active: false, card: { name: 'fusion' } })
    expect((await touchstone('models', 'show', text)).out).toMatch(/, ships\n.*Learnt from \d+ listings/s)
    expect(await json('evaluate', '--model', fusion)).toMatchObject({
      // What decides has learnt from the others.
      rows: 0.6 * PAIRS,
      leftOut: { learntByTheOther: 1.4 * PAIRS },
      candidate: { version: shipped['fusion'] },
      champion: { version: versionOf(trained, 'fusion') },
    })
    // Beside itself a version is even, whichever text model the verdicts were recorded with.
    expect(await json('evaluate', '--model', `fusion@${versionOf(trained, 'fusion')}`)).toMatchObject({
      champion: { version: versionOf(trained, 'fusion'), text: `text ${versionOf(trained, 'text')}` },
      comparison: { difference: 0, standing: 'even' },
    })
  })

  it('the text model does not go from under the fusion that was fitted to it, but by force', async () => {
    const [text, ships] = [versionOf(trained, 'text'), `text@${shipped['text']}`]
    for (const words of [
      ['rollback', 'text'],
      ['promote', ships],
    ]) {
      const { code, err } = await touchstone('models', ...words)
      expect([code, err]).toEqual([1, expect.stringMatching(`model-mismatch: .*fitted to the text model ${text}`)])
    }
    expect((await t.gate.models.active()).map((m) => m.name).toSorted()).toEqual(['fusion', 'text'])
    expect(await json('models', 'promote', ships, '--force')).toMatchObject({ version: null, before: text })
    await json('models', 'promote', `text@${text}`)
    expect(await json('models', 'rollback', 'text', '--force')).toMatchObject({
      version: null,
      overruled: [expect.stringContaining(text)],
    })
    await json('models', 'promote', `text@${text}`)
    await live(text)
  })

  it('are undone by a rollback: what shipped decides again', async () => {
    const now = versionOf(trained, 'fusion')
    expect(await json('models', 'promote', `fusion@${shipped['fusion']}`)).toMatchObject({ version: null, before: now })
    expect(await json('models', 'rollback', 'fusion')).toMatchObject({ version: now, before: null, warnings: [] })
    expect(await json('models', 'rollback', 'fusion')).toMatchObject({
      version: null,
      warnings: [expect.stringContaining(versionOf(trained, 'text'))],
    })
    expect(await live(shipped['fusion'] ?? '')).toBeLessThan(LIVE_MS)
    await json('models', 'rollback', 'text')
    expect(await live(shipped['text'] ?? '')).toBeLessThan(LIVE_MS)
    await t.submit(bargain('undone', 'yet another seller'))
    await t.submit(silent('silent-undone', 'yet another silent seller'))
    expect(await screened('undone')).toMatchObject({ outcome: 'hold', models: shipped })
    expect(await screened('silent-undone')).toMatchObject({ outcome: 'allow', models: shipped })
  })
})
