// The banks as one file and back: everything is real, no file is touched.
import { describe, expect, test } from 'vitest'
import { createBankEntries } from '../../../../src/pipeline/banks/entries.ts'
import * as inSteps from '../../../../src/pipeline/banks/snapshot.ts'
import { bank, hash, image, seen, uuid } from './samples.ts'

function atOnce<T>(steps: Generator<void, T>): T {
  for (;;) {
    const step = steps.next()
    if (step.done === true) return step.value
  }
}
const writeSnapshot = (...of: Parameters<typeof inSteps.writeSnapshot>) => atOnce(inSteps.writeSnapshot(...of))
const readSnapshot = (bytes: Uint8Array) => atOnce(inSteps.readSnapshot(bytes))

/** Some pictures have derived forms, as those of before have none. */
const formsFor = (i: number) =>
  i % 3 === 0 ? {} : { forms: [hash(`half ${i}`), hash(`bright ${i}`)].map((one) => one.toString('hex')) }

function sample() {
  const entries = createBankEntries()
  entries.putBank(bank('a', { name: 'Fälschungen 🎉', brandId: 'nike' }))
  entries.putBank(bank('b', { kind: 'allowed', maxDistance: 5 }))
  for (let i = 0; i < 50; i++) entries.put(image(`i${i}`, i % 2 === 0 ? 'a' : 'b', hash(`i${i}`), formsFor(i)))
  entries.put(image('q', 'a', hash('q'), { state: 'quarantined' }))
  const scope = ['tab\t, "quote" and \n', null]
  const quarantine = { scope, since: '2026-01-01T00:00:00Z', by: 'quarantine', why: 'too-many-sellers' as const }
  entries.put(image('s', 'a', hash('s'), { state: 'quarantined', quarantine }))
  return entries
}

describe('a snapshot', () => {
  test('with any byte changed, cut off or added is refused', () => {
    const bytes = writeSnapshot('store', 7n, sample())
    for (let at = 0; at < bytes.length; at += 37) {
      const damaged = Buffer.from(bytes)
      damaged[at] = (damaged[at] ?? 0) ^ 1
      expect(() => readSnapshot(damaged), `byte ${at}`).toThrow(/^it is (damaged|of another version)/)
    }
    for (const length of [0, 5, 30, 60, bytes.length - 1])
      expect(() => readSnapshot(bytes.subarray(0, length))).toThrow(/^it is (cut off|damaged|of another version)/)
    expect(() => readSnapshot(Buffer.concat([bytes, Buffer.from('x')]))).toThrow('damaged')
    expect(() => readSnapshot(Buffer.from('touchstone banks 9\n'.padEnd(200)))).toThrow('another version')
  })

  test('gives back what was held: banks, pictures, sources, and what is in quarantine', () => {
    const before = sample()
    const { identity, change, banks, images, count } = readSnapshot(writeSnapshot('store', 7n, before))
    expect([identity, change, count]).toEqual(['store', 7n, 52])
    const after = createBankEntries({ filling: true })
    for (const one of banks) after.putBank(one)
    for (const one of images) after.hold(one)
    after.ready()
    expect([after.size, after.quarantined, after.sum]).toEqual([before.size, before.quarantined, before.sum])
    for (let i = 0; i < 50; i++) {
      const picture = seen(hash(`i${i}`, 4), i % 8)
      expect(after.match(picture)).toEqual(before.match(picture))
      expect(after.match(picture)).toHaveLength(1)
    }
    const matchesFor = (marketplace: string | null) => after.match(seen(hash('s')), marketplace).length
    expect(['tab\t, "quote" and \n', null, 'elsewhere'].map(matchesFor)).toEqual([0, 0, 1])
    expect(after.quarantinedForSome).toBe(1)
    for (const i of [1, 2]) {
      expect(after.match(seen(hash(`half ${i}`)))).toMatchObject([{ imageId: uuid(`i${i}`), form: 'half' }])
      expect(after.match(seen(hash(`bright ${i}`)))).toMatchObject([
        { imageId: uuid(`i${i}`), form: 'half-brightened' },
      ])
    }
    expect(after.match(seen(hash('q')))).toEqual([])
    expect(writeSnapshot('store', 7n, after)).toEqual(writeSnapshot('store', 7n, before))
  })

  test('is of the moment of its first step, whatever comes and goes before its last', () => {
    const entries = sample()
    for (let i = 0; i < 500; i++) entries.put(image(`m${i}`, 'a', hash(`m${i}`)))
    const whole = writeSnapshot('store', 7n, entries)
    const steps = inSteps.writeSnapshot('store', 7n, entries)
    for (let n = 0; n < 5; n++) expect(steps.next().done).toBe(false)
    for (let i = 0; i < 400; i++) entries.drop(uuid(`m${i}`))
    for (let i = 0; i < 400; i++) entries.put(image(`n${i}`, 'b', hash(`n${i}`)))
    entries.put(image('i1', 'b', hash('i1'), { state: 'quarantined' }))
    expect(atOnce(steps)).toEqual(whole)
  })

  test('of nothing is one too', () => {
    const { banks, images } = readSnapshot(writeSnapshot('store', 0n, createBankEntries()))
    expect([banks, [...images]]).toEqual([[], []])
  })
})
