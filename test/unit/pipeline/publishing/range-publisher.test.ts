// The protocol of a range over a made-up log and outbox: whatever fails, dies or is overtaken, every row is visible once and in order.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createRangePublisher } from '../../../../src/pipeline/publishing/range-publisher.ts'
import type { Publisher } from '../../../../src/pipeline/ports.ts'
import { createTelemetry } from '../../../../src/telemetry.ts'
import { createWorld, Died, PLACES, type Fate, type World } from './world.ts'

const telemetry = createTelemetry({ level: 'silent' })
const publisherOn = (world: World, owner: string, step: (what: string) => Promise<Fate>, rows = 2_000): Publisher =>
  createRangePublisher({
    ...world.process(owner, step),
    range: '0',
    places: PLACES,
    telemetry,
    rows,
    clock: world.clock,
  })
const calm = () => Promise.resolve<Fate>('well')

/** Publishes without trouble until nothing waits. */
async function settle(world: World, owner = 'last'): Promise<Publisher> {
  world.pass(60_000)
  const publisher = publisherOn(world, owner, calm)
  for (let quiet = 0; quiet < 2;) quiet = (await publisher.publish()) === 0 ? quiet + 1 : 0
  return publisher
}

const allInOrder = (world: World): void => {
  for (const [name, positions] of world.visible()) {
    const head = Number(world.heads().get(name))
    expect(positions, name).toEqual(Array.from({ length: head }, (_, i) => BigInt(i + 1)))
  }
}

describe('the publisher of a range', () => {
  const fates = fc.infiniteStream(
    fc.oneof(
      { weight: 24, arbitrary: fc.constant<Fate>('well') },
      { weight: 2, arbitrary: fc.constantFrom<Fate>('fails', 'fails-after') },
      { weight: 1, arbitrary: fc.constantFrom<Fate>('dies', 'dies-after') },
    ),
  )
  const jumps = fc.infiniteStream(
    fc.oneof({ weight: 12, arbitrary: fc.nat(40) }, { weight: 1, arbitrary: fc.integer({ min: 1_000, max: 4_000 }) }),
  )

  /** Two owners at a time, overtaking each other at every step; who dies is replaced. */
  const story = (controls: { fencing?: boolean; looking?: boolean }) =>
    fc.asyncProperty(
      fc.boolean(),
      fc.scheduler(),
      fates,
      jumps,
      fc.array(fc.nat(20), { minLength: 4, maxLength: 12 }),
      async (leasing, s, fate, jump, batches) => {
        const world = createWorld({ ...controls, leasing })
        let trouble = true
        const live = async (name: string) => {
          for (let life = 0; life < 6 && trouble; life++) {
            const step = async (what: string): Promise<Fate> => {
              await s.schedule(Promise.resolve(), `${name}: ${what}`)
              world.pass(Number(jump.next().value))
              return trouble && !what.endsWith('answered') ? (fate.next().value ?? 'well') : 'well'
            }
            const publisher = publisherOn(world, `${name}${life}`, step, 5)
            try {
              for (let round = 0; round < 12 && trouble; round++) {
                await publisher.publish().catch((error: unknown) => {
                  if (error instanceof Died) throw error
                })
                world.pass(50)
                await s.schedule(Promise.resolve(), `${name} naps`)
              }
            } catch {
              // Dead: the next life begins.
            }
          }
        }
        const writing = async () => {
          for (const [i, rows] of batches.entries()) {
            await s.schedule(Promise.resolve(), 'the store commits')
            world.append(i, rows)
          }
        }
        await s.waitFor(Promise.all([live('a'), live('b'), writing()]))
        trouble = false
        await settle(world)
        allInOrder(world)
        expect(world.marks().map((mark) => mark.tail)).toEqual(world.marks().map((mark) => mark.head))
      },
    )

  const RUNS = { seed: 7, numRuns: 300, endOnFailure: true }

  it('shows every row once and in order, whatever fails, dies or is overtaken', async () => {
    await fc.assert(story({}), RUNS)
  })

  it('is held to that: without looking at the end of the log, rows double', async () => {
    expect((await fc.check(story({ looking: false }), RUNS)).failed).toBe(true)
  })

  it('is held to that: without fencing, rows double or lose their order', async () => {
    expect((await fc.check(story({ fencing: false }), RUNS)).failed).toBe(true)
  })

  it('refuses a store that is older than the topics, sends nothing, and does not fence while it is refused', async () => {
    const world = createWorld()
    world.append(0, 5)
    const restore = world.moment()
    world.append(0, 5)
    await settle(world, 'a')
    restore()
    world.pass(60_000)
    const steps: string[] = []
    const publisher = publisherOn(world, 'b', (what) => {
      steps.push(what)
      return calm()
    })
    await expect(publisher.publish()).rejects.toMatchObject({ code: 'store-behind-log' })
    expect(steps.filter((step) => step === 'fence')).toHaveLength(1)
    world.pass(20_000)
    await expect(publisher.publish()).rejects.toMatchObject({ code: 'store-behind-log' })
    await expect(publisher.publish()).rejects.toMatchObject({ code: 'store-behind-log' })
    expect(steps.filter((step) => step === 'fence')).toHaveLength(1)
    expect(world.visible().get('decisions[0]')).toHaveLength(10)
  })

  it('knows a restored store also when it has given the same positions to other rows', async () => {
    const world = createWorld()
    world.append(0, 5)
    const restore = world.moment()
    world.append(0, 5)
    await settle(world, 'a')
    restore()
    world.append(0, 20)
    await expect(settle(world, 'b')).rejects.toMatchObject({ code: 'store-behind-log' })
    expect(world.visible().get('decisions[0]')).toHaveLength(10)
  })

  it('refuses topics that end with the records of another store', async () => {
    const world = createWorld()
    world.append(2, 3)
    await settle(world, 'a')
    world.storeId = 'store-2'
    world.append(2, 3)
    await expect(settle(world, 'b')).rejects.toMatchObject({ code: 'store-foreign' })
    expect(world.visible().get('verdicts[0]')).toHaveLength(3)
    world.storeId = 'store-1'
    await settle(world, 'c')
    allInOrder(world)
  })

  it('goes on by itself once a refused store fits again', async () => {
    const world = createWorld()
    world.append(0, 3)
    await settle(world, 'a')
    world.storeId = 'store-2'
    world.pass(60_000)
    const publisher = publisherOn(world, 'b', calm)
    await expect(publisher.publish()).rejects.toMatchObject({ code: 'store-foreign' })
    world.storeId = 'store-1'
    world.append(0, 3)
    await expect(publisher.publish()).rejects.toMatchObject({ code: 'store-foreign' })
    world.pass(60_000)
    expect(await publisher.publish()).toBe(3)
    allInOrder(world)
  })

  it('publishes again what the log lost, as far as the store still keeps it', async () => {
    const world = createWorld()
    world.append(0, 4)
    world.append(1, 4)
    await settle(world, 'a')
    world.append(0, 4)
    await settle(world, 'b')
    world.lose(0, 2)
    world.append(0, 1)
    await settle(world, 'c')
    allInOrder(world)
    world.prune()
    world.lose(0, 2)
    world.append(0, 2)
    await settle(world, 'd')
    expect(world.visible().get('decisions[0]')).toEqual([1n, 2n, 10n, 11n])
  })

  it('trusts the store where retention left nothing of ours', async () => {
    const world = createWorld()
    world.append(0, 4)
    await settle(world, 'a')
    world.lose(0, 0)
    world.append(0, 2)
    await settle(world, 'b')
    expect(world.visible().get('decisions[0]')).toEqual([5n, 6n])
  })

  it('writes less at once where brokers are too slow for much, and more again later', async () => {
    const world = createWorld()
    world.append(0, 3_000)
    const { outbox, log } = world.process('a', calm)
    const sizes: number[] = []
    let slow = true
    const slowly: typeof log = {
      ...log,
      async fence(range) {
        const writer = await log.fence(range)
        return {
          ...writer,
          async write(records, storeId) {
            sizes.push(records.length)
            if (slow && records.length > 300) throw new Error('not within 12 s')
            await writer.write(records, storeId)
          },
        }
      },
    }
    const publisher = createRangePublisher({
      outbox,
      log: slowly,
      range: '0',
      places: PLACES,
      telemetry,
      clock: world.clock,
    })
    for (let tries = 0; tries < 40; tries++) {
      await publisher.publish().catch(() => undefined)
      world.pass(1_000)
      slow &&= tries < 8
    }
    allInOrder(world)
    expect(sizes.slice(0, 4)).toEqual([2_000, 1_000, 500, 250])
    expect(Math.max(...sizes.slice(9))).toBeGreaterThan(500)
  })

  it('leaves a range to its owner, and takes it at once when that gives it up', async () => {
    const world = createWorld()
    const [one, two] = [publisherOn(world, 'one', calm), publisherOn(world, 'two', calm)]
    world.append(0, 2)
    expect(await one.publish()).toBe(2)
    world.append(0, 3)
    expect(await two.publish()).toBe(0)
    await one.release()
    world.pass(500)
    expect(await two.publish()).toBe(3)
    allInOrder(world)
  })

  it('asks for the lease again before it writes, when reading took longer than the lease', async () => {
    const world = createWorld()
    const slow = publisherOn(world, 'slow', (what) => {
      if (what === 'after') world.pass(10_000)
      return calm()
    })
    world.append(0, 2)
    expect(await slow.publish()).toBe(0)
    expect(world.visible().get('decisions[0]')).toEqual([])
  })
})
