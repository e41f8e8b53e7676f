// Whoever tries a listing in earnest tells the watch of the banks, and nobody else. Real: gate, image-hash, banks, watch; made up: pictures and store.
import { expect, it } from 'vitest'
import { topicNames } from '../../../src/events/topics.ts'
import type { Gate } from '../../../src/pipeline/assess.ts'
import { createBankEntries } from '../../../src/pipeline/banks/entries.ts'
import { createBankWatch } from '../../../src/pipeline/banks/quarantine.ts'
import { dryRun } from '../../../src/pipeline/intake.ts'
import { createRescreening } from '../../../src/pipeline/rescreening.ts'
import type { RescreenStore } from '../../../src/pipeline/rescreening/ports.ts'
import { imageHash } from '../../../src/signals/image-hash/signal.ts'
import { createTelemetry } from '../../../src/telemetry.ts'
import { listingOf } from './assessments.ts'
import { bank, hash, image, seen } from './banks/samples.ts'
import { plainGate } from '../../support/plain-gate.ts'

const topics = topicNames('t')

function world() {
  const entries = createBankEntries()
  entries.putBank(bank('fakes'))
  entries.put(image('x', 'fakes', hash('x')))
  const compiled = plainGate([imageHash])
  const gate: Gate = {
    ...compiled,
    banks: { size: 1, against: 1, change: 1n, match: (picture) => entries.match(picture) },
    pictures: { look: () => Promise.resolve([seen(hash('x'))]), keep: () => Promise.resolve(undefined) },
  }
  const quarantined: string[] = []
  const telemetry = createTelemetry({ level: 'silent' })
  const watch = createBankWatch(
    {
      alarm: (_bank, imageId) => {
        quarantined.push(imageId)
        return Promise.resolve('quarantined')
      },
    },
    telemetry,
    { limit: 4, perHour: 5 },
  )
  return { gate, telemetry, watch, quarantined }
}
const listing = (seller: number) => ({
  ...listingOf(`L-${seller}`, 1),
  sellerId: `S-${seller}`,
  images: [{ url: 'https://shop.example/1.jpg' }],
})

it.each([
  { why: 'a signal could not look', afterChange: 0n, quarantines: 1, matches: 5 },
  // All at once, though the picture met them long ago.
  { why: 'a picture has left its bank', afterChange: 1n, quarantines: 0, matches: 0 },
])('what is tried again because $why puts what it meets into quarantine: $quarantines', async (told) => {
  const { gate, telemetry, watch, quarantined } = world()
  const settled = Promise.withResolvers<void>()
  const { afterChange } = told
  let claims = 0
  const store: RescreenStore = {
    claim: (_limit, _pauses, banksAt) =>
      Promise.resolve(
        claims++ > 0 || banksAt !== 1n
          ? []
          : Array.from({ length: 5 }, (_, i) => ({ listing: listing(i), attempts: 1, seen: [], afterChange })),
      ),
    queueDeparted: () => Promise.resolve(0),
    settle(_ids, settle) {
      settle(new Map(), new Date())
      settled.resolve()
      return Promise.resolve()
    },
  }
  const loop = createRescreening({ store, gate: () => gate, topics, telemetry, matched: watch.saw })
  await settled.promise
  await loop.stop()
  await watch.stop()
  expect(quarantined).toHaveLength(told.quarantines)
  const counted = /touchstone_bank_matches_total\{kind="counterfeit"\} (\d+)/.exec(await telemetry.registry.metrics())
  expect(Number(counted?.[1] ?? 0)).toBe(told.matches)
})

it('a dry run counts nowhere', async () => {
  const { gate, telemetry } = world()
  const tried = await dryRun(gate, listing(0), topics, new Date())
  expect(tried).toMatchObject({ kind: 'ok', value: { signals: [{ name: 'image-hash', state: 'scored' }] } })
  expect(await telemetry.registry.metrics()).not.toContain('touchstone_bank_matches_total{')
})
