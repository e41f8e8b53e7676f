// A person's word comes in from the log and decides. Real: PostgreSQL, the whole gate, the log in PostgreSQL and on Kafka; made up: the people.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Decision } from '../../src/domain/decision.ts'
import type { Verdict } from '../../src/domain/verdict.ts'
import { lastHeader } from '../../src/events/header.ts'
import { verdictRecorded } from '../../src/events/index.ts'
import { encodeEvent } from '../../src/events/wire.ts'
import { GATE_SOURCE } from '../../src/pipeline/sources.ts'
import { kafkaLegs, type StartedLeg } from '../support/kafka/legs.ts'
import { startGateUnderTest, type GateUnderTest } from '../support/running-gate.ts'
import { verdictOn } from '../support/verdicts.ts'

let t: GateUnderTest

const recordOf = (verdict: Verdict, source: string) => ({
  key: Buffer.from(verdict.listingId),
  ...encodeEvent(verdictRecorded, verdict, {
    id: verdict.verdictId,
    source,
    time: verdict.at,
    subject: verdict.listingId,
  }),
})

/** Sends verdicts as a marketplace's review tool does, and waits until they are read. */
async function say(verdicts: readonly Verdict[], source = '/review-tool'): Promise<void> {
  const { log, topics } = t.gate
  await log.append(
    topics.verdicts,
    verdicts.map((verdict) => recordOf(verdict, source)),
  )
  await allRead()
}

async function allRead(): Promise<void> {
  const { log, topics, groups, store } = t.gate
  for (const { partition, low, high } of await log.ranges(topics.verdicts))
    await t.until(
      `the verdicts of partition ${partition} are read`,
      async () => (await store.place(groups.verdicts, topics.verdicts, partition, low)) >= high,
    )
}

const decisionsOf = async (listingId: string) =>
  (await t.settled()).decisions.filter((decision) => decision.listingId === listingId)

/** A listing that the shipped gate stops, and its screening decision. */
async function stopped(listingId: string): Promise<Decision> {
  await t.submit({
    listingId,
    title: 'Rolex Submariner 1:1 super clone, best replica',
    condition: 'new',
    price: { amount: 189, currency: 'USD' },
  })
  const decision = (await decisionsOf(listingId)).at(-1)
  if (decision?.caseId === undefined) throw new Error('the listing was not stopped')
  return decision
}

describe.each([{ name: 'PostgreSQL', start: undefined }, ...kafkaLegs()])(
  'with the log on $name, a verdict',
  ({ start }) => {
    let kafka: StartedLeg | undefined
    beforeAll(async () => {
      kafka = await start?.()
      t = await startGateUnderTest({}, undefined, kafka?.brokers)
    })
    afterAll(async () => {
      await t?.stop()
      await kafka?.stop()
    })

    it('allows what the marketplace’s own people rejected, once however often they say it, and takes their word back', async () => {
      const decision = await stopped('cleared')
      const rejected = verdictOn(decision, 'rejected')
      await say([rejected, rejected])
      await say([rejected])
      const after = await decisionsOf('cleared')
      expect(after.map((d) => [d.stage, d.outcome, d.sequence])).toEqual([
        ['screening', decision.outcome, 1],
        ['review', 'allow', 2],
      ])
      expect(JSON.stringify(after[1]?.reasons)).not.toMatch(/\d/)
      expect((await t.gate.reader.history('cleared'))?.current).toMatchObject({ outcome: 'allow', caseId: null })

      await say([verdictOn(decision, 'confirmed', { supersedes: rejected.verdictId, source: 'appeal' })])
      expect((await decisionsOf('cleared')).map((d) => [d.stage, d.outcome, d.sequence]).slice(2)).toEqual([
        ['review', 'block', 3],
      ])
    })

    it('blocks what was confirmed, and an edit does not escape it', async () => {
      const decision = await stopped('confirmed')
      await say([verdictOn(decision, 'confirmed', { brandId: 'rolex' })])
      await t.submit({ listingId: 'confirmed', revision: 2, title: 'A wooden chair' }, 'revised')
      const after = await decisionsOf('confirmed')
      expect(after.map((d) => [d.revision, d.stage, d.outcome])).toEqual([
        [1, 'screening', decision.outcome],
        [1, 'review', 'block'],
        [2, 'screening', 'hold'],
      ])
      expect(after[2]?.hold?.onDeadline).toBe('block')
    })

    it('turns a verdict on what is not known here into a dead letter, with its bytes and where it was', async () => {
      const decision = await stopped('known')
      const before = (await t.deadLetters()).length
      const unknown = { ...verdictOn(decision, 'rejected'), listingId: 'nobody-sent-it' }
      await say([unknown, verdictOn(decision, 'cannot-tell')])
      const letters = await t.deadLetters()
      expect(letters).toHaveLength(before + 1)
      const letter = letters.find((l) => Buffer.from(l.key ?? []).toString() === 'nobody-sent-it')
      const said = (name: string) =>
        Buffer.from(lastHeader(letter?.headers ?? {}, `touchstone-error-${name}`) ?? []).toString()
      expect([said('code'), said('topic')]).toEqual(['unknown-decision', t.gate.topics.verdicts])
      expect(JSON.parse(Buffer.from(letter?.value ?? []).toString())).toEqual(unknown)
      expect(await decisionsOf('known')).toHaveLength(1)
      expect(await t.gate.reader.history('nobody-sent-it')).toBeUndefined()
    })

    it('publishes a verdict of its own from the outbox once, and reads it back without effect', async () => {
      const decision = await stopped('own')
      const { log, topics, store } = t.gate
      const own = verdictOn(decision, 'rejected')
      const row = { ...recordOf(own, GATE_SOURCE), topic: topics.verdicts, marketplace: null }
      await store.place('test', topics.verdicts, 0, 0n)
      await store.commit({ group: 'test', topic: topics.verdicts, partition: 0, from: 0n, next: 1n }, [], () => ({
        standings: [],
        revisions: [],
        decisions: [],
        cases: [],
        refusals: [],
        outbox: [row],
      }))
      const published = await t.until('the verdict is on its topic', async () => {
        const found = []
        for (const { partition, low } of await log.ranges(topics.verdicts))
          for (const record of await log.read(topics.verdicts, partition, low, 1_000))
            if (Buffer.from(lastHeader(record.headers, 'ce_id') ?? []).toString() === own.verdictId) found.push(record)
        return found.length > 0 && found
      })
      expect(published).toHaveLength(1)
      expect(JSON.parse(Buffer.from(published[0]?.value ?? []).toString())).toEqual(own)
      await allRead()
      expect(await decisionsOf('own')).toHaveLength(1)
      expect((await t.gate.reader.history('own'))?.current.caseId).toBe(decision.caseId)
    })
  },
)
