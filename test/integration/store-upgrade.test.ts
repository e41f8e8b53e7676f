// What a newer version finds in the tables of an older one. Real: PostgreSQL, the migrations and the store.
import { expect, onTestFinished, test } from 'vitest'
import { connect } from '../../src/adapters/postgres/connect.ts'
import { createGateStore } from '../../src/adapters/postgres/gate-store.ts'
import { migrate } from '../../src/adapters/postgres/migrate.ts'
import { STORE_MIGRATIONS } from '../../src/adapters/postgres/migrations.ts'
import { groupNames } from '../../src/apps/ground.ts'
import { topicNames } from '../../src/events/topics.ts'
import { freshDatabase } from '../support/database.ts'

test('offsets of the group that had one name for every prefix are taken along, so that no listing is read twice', async () => {
  const { url, drop } = await freshDatabase()
  const database = await connect(url)
  onTestFinished(async () => {
    await database.close()
    await drop()
  })
  const pool = database.deciding
  const before = STORE_MIGRATIONS.findIndex(({ name }) => name === 'groups named after the topics')
  await migrate(pool, 'store', STORE_MIGRATIONS.slice(0, before))
  const old = await createGateStore({ pool, outputs: {} })
  const prefixes = ['touchstone', 'shop.v1', 'a_b-c']
  const partitions = [0, 1]
  for (const [i, prefix] of prefixes.entries())
    for (const partition of partitions)
      await old.place('touchstone-gate', topicNames(prefix).listings, partition, BigInt(100 * (i + 1) + partition))

  await migrate(pool, 'store', STORE_MIGRATIONS)
  const store = await createGateStore({ pool, outputs: {} })
  const places = (group: (prefix: string) => string) =>
    Promise.all(
      prefixes.flatMap((prefix) =>
        partitions.map((partition) => store.place(group(prefix), topicNames(prefix).listings, partition, 0n)),
      ),
    )
  const reached = [100n, 101n, 200n, 201n, 300n, 301n]
  expect(await places((prefix) => groupNames(prefix).listings)).toEqual(reached)
  // For a process of the version before that is still about.
  expect(await places(() => 'touchstone-gate')).toEqual(reached)
})
