// The count of the chaos run, alone: it finds nothing in a world that is whole, and each single damage in one that is not.
import { expect, test } from 'vitest'
import { count } from '../../../scripts/chaos/kafka-count.ts'
import { DAMAGES, WHOLE } from '../../../scripts/chaos/kafka-damage.ts'

test.each(DAMAGES)('$name', ({ found, world }) => {
  expect(count(world)[found]).toBeGreaterThan(0)
})

test('a decision that a person takes later is counted apart and keeps the sequence', () => {
  const later = structuredClone(WHOLE) as { decisions: { value: string }[] } & typeof WHOLE
  const last = later.decisions.at(-1)
  if (last === undefined) throw new Error('the world is empty')
  last.value = Buffer.from(Buffer.from(last.value, 'base64').toString().replace('"screening"', '"review"')).toString(
    'base64',
  )
  expect(count(later)).toMatchObject({ lost: 1, doubled: 0, outOfOrder: 0, screened: 4 })
})

test('a world in which every record ended as it should', () => {
  expect(count(WHOLE)).toEqual({
    input: 13,
    screened: 5,
    refused: 4,
    deadLetters: 2,
    repeats: 1,
    withdrawals: 1,
    lost: 0,
    doubled: 0,
    outOfOrder: 0,
    disagreeing: 0,
    wrong: [],
  })
})
