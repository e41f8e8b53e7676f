// What a transaction sends in which request, and the numbers that brokers know repeated batches by. Pure: nothing is stubbed.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { roundsOf, sequenceAfter, type PartitionBatch } from '../../../../src/adapters/kafka-log/transactions.ts'

const MiB = 1024 * 1024
const batch = (partition: number, bytes: number, topic = 'decisions'): PartitionBatch => ({
  topic,
  partition,
  messages: [{ value: null }],
  bytes,
})

describe('rounds', () => {
  it('one batch that is larger than a request goes alone', () => {
    const rounds = roundsOf([batch(0, 9 * MiB), batch(1, 10)])
    expect(rounds.map((round) => round.map(({ partition }) => partition))).toEqual([[0], [1]])
  })

  it('what was put off is not overtaken by what comes after it on its partition', () => {
    const large = batch(1, 3 * MiB)
    const small = batch(1, 10)
    expect(roundsOf([batch(0, 2 * MiB), large, small])).toEqual([[batch(0, 2 * MiB)], [large], [small]])
  })

  const anyBatch = fc
    .record({ partition: fc.nat(3), bytes: fc.integer({ min: 1, max: 6 * MiB }), topic: fc.constantFrom('a', 'b') })
    .map(({ partition, bytes, topic }) => batch(partition, bytes, topic))
  it('have every batch once, and each partition in its order', () => {
    const name = ({ topic, partition }: PartitionBatch) => `${topic}${partition}`
    fc.assert(
      fc.property(fc.array(anyBatch, { maxLength: 30 }), (batches) => {
        const rounds = roundsOf(batches)
        expect(rounds.flat()).toHaveLength(batches.length)
        expect(Map.groupBy(rounds.flat(), name)).toEqual(Map.groupBy(batches, name))
        for (const round of rounds) {
          expect(new Set(round.map(name)).size).toBe(round.length)
          const bytes = round.reduce((sum, one) => sum + one.bytes, 0)
          expect(round.length === 1 || bytes <= 4 * MiB).toBe(true)
        }
      }),
    )
  })
})

describe('sequence numbers', () => {
  // https://github.com/apache/kafka/blob/4.1.2/clients/src/main/java/org/apache/kafka/common/record/DefaultRecordBatch.java, incrementSequence
  it.each([
    [0, 1, 1],
    [2 ** 31 - 2, 1, 2 ** 31 - 1],
    [2 ** 31 - 1, 1, 0],
    [2 ** 31 - 10, 500, 490],
  ])('after %i and %i records comes %i', (first, records, next) => {
    expect(sequenceAfter(first, records)).toBe(next)
  })
})
