// Worker and API as processes of their own: a listing in at the one, decided by the other. Real: the bin, PostgreSQL, Kafka.
import { afterEach, describe, expect, it } from 'vitest'
import { createKeyStore } from '../../src/adapters/postgres/access-store.ts'
import { connect } from '../../src/adapters/postgres/connect.ts'
import { createApiKey } from '../../src/api/secrets.ts'
import { topicNames } from '../../src/events/topics.ts'
import { freshDatabase } from '../support/database.ts'
import { kafkaOrSkip } from '../support/kafka/kafka.ts'
import { checks, killProcesses, touchstone } from '../support/processes.ts'
import { until } from '../support/until.ts'
import { deleteTopics, onKafka } from '../support/running-gate.ts'

const kafka = kafkaOrSkip()

afterEach(killProcesses)

describe.each([
  { log: 'PostgreSQL', settings: {} as Record<string, string> },
  ...(kafka === undefined ? [] : [{ log: 'Kafka', settings: onKafka(kafka) }]),
])('worker and api on $log', ({ settings }) => {
  it('need a database of their own, and say so', async () => {
    for (const command of ['worker', 'api']) {
      const one = touchstone(command, settings)
      expect(await one.ended).toBe(2)
      expect(one.err()).toMatch(/settings-invalid: DATABASE_URL: must be given: /)
    }
  })

  it('decide what came in elsewhere, show it on the feed, and end in order', async () => {
    const database = await freshDatabase()
    const env = { ...settings, DATABASE_URL: database.url, TOUCHSTONE_PARTITIONS: '3' }
    try {
      const api = touchstone('api', env)
      const url = await api.said(/listens on (\S+),/)
      const { key, keyId, hash } = createApiKey()
      const access = await connect(database.url)
      await createKeyStore(access.reading).create({ keyId, role: 'ingest', brandIds: [] }, hash)
      await access.close()
      const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' }
      const listing = { listingId: 'L-1', revision: 1, sellerId: 'S-1', title: 'A wooden chair' }
      const taken = await fetch(`${url}/v1/listings`, { method: 'POST', headers, body: JSON.stringify(listing) })
      expect(taken.status).toBe(202)
      // It takes and serves without any worker, and says that nobody works.
      const alone = await until('the lag is seen', async () => {
        const seen = await checks(url)
        return (seen.of.get('workers')?.detail ?? '').includes('nobody reads') && seen
      })
      expect(alone.status).toBe(200)
      expect(alone.of.get('workers')?.detail).toMatch(/^1 records wait/)
      expect([...alone.of.keys()].sort()).toEqual(['banks', 'log', 'reference-data', 'store', 'workers'])

      const worker = touchstone('worker', env)
      const monitor = await worker.said(/metrics on (\S+)/)
      const feed = await until('it is on the feed', async () => {
        const response = await fetch(`${url}/v1/decisions?wait=1`, { headers })
        const page = (await response.json()) as { items: { data: { listingId: string; outcome: string } }[] }
        return page.items.length > 0 && page.items
      })
      expect(feed.map((item) => item.data)).toEqual([expect.objectContaining({ listingId: 'L-1', outcome: 'allow' })])
      await until('the worker is ready', async () => (await checks(monitor)).status === 200)
      const { of } = await checks(monitor)
      for (const name of ['store', 'log', 'worker', 'verdicts', 'clock', 'janitor'])
        expect(of.get(name)?.ok, name).toBe(true)
      expect((await fetch(`${monitor}/healthz`)).status).toBe(200)
      const metrics = await (await fetch(`${monitor}/metrics`)).text()
      expect(metrics).toMatch(/^touchstone_partitions_held 3$/m)
      await until('it is published', async () =>
        /^touchstone_published_total 1$/m.test(await (await fetch(`${monitor}/metrics`)).text()),
      )

      for (const one of [worker, api]) {
        one.child.kill('SIGTERM')
        const began = performance.now()
        expect(await one.ended, one.err()).toBe(0)
        expect(performance.now() - began).toBeLessThan(20_000)
        expect(one.err()).toMatch(/SIGTERM: finishing[^]*Stopped\./)
      }
    } finally {
      await killProcesses()
      await database.drop()
      const prefix = settings['TOUCHSTONE_TOPIC_PREFIX']
      if (kafka !== undefined && prefix !== undefined) await deleteTopics(kafka, Object.values(topicNames(prefix)))
    }
  }, 90_000)
})
