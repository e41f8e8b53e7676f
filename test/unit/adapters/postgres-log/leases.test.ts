// Real: the arithmetic of shares and the sorting of failures; no database.
import fc from 'fast-check'
import pg from 'pg'
import { expect, test } from 'vitest'
import { isTransient } from '../../../../src/adapters/postgres-log/connection.ts'
import { fairShare } from '../../../../src/adapters/postgres-log/leases.ts'
import { TouchstoneError } from '../../../../src/errors.ts'

test('shares add up to all partitions and differ by one at most; who is not a member gets nothing', () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.uuid(), { minLength: 1, maxLength: 30 }),
      fc.integer({ min: 1, max: 60 }),
      (members, partitions) => {
        const shares = members.map((member) => fairShare(members, member, partitions))
        expect(shares.reduce((sum, share) => sum + share, 0)).toBe(partitions)
        expect(Math.max(...shares) - Math.min(...shares)).toBeLessThanOrEqual(1)
        expect(fairShare(members, 'stranger', partitions)).toBe(0)
      },
    ),
  )
})

const database = (code: string): pg.DatabaseError => Object.assign(new pg.DatabaseError('x', 1, 'error'), { code })
const system = (code: string): Error => Object.assign(new Error('x'), { code })

test.each([
  [database('57P01'), true],
  [database('57P03'), true],
  [database('08006'), true],
  [database('53300'), true],
  [database('40P01'), true],
  [database('57014'), true],
  [database('42P01'), false],
  [database('22021'), false],
  [database('28P01'), false],
  [system('ECONNREFUSED'), true],
  [system('ERR_INVALID_ARG_TYPE'), false],
  [new AggregateError([system('ECONNREFUSED'), system('ECONNREFUSED')]), true],
  [new AggregateError([system('ECONNREFUSED'), new Error('bug')]), false],
  [new Error('Connection terminated unexpectedly'), true],
  [new Error('timeout exceeded when trying to connect'), true],
  [new TypeError('undefined is not a function'), false],
  [new TouchstoneError('database-unavailable', 'x'), true],
  [new TouchstoneError('offset-out-of-range', 'x'), false],
  ['a string', false],
])('%o is worth waiting for: %s', (error, expected) => {
  expect(isTransient(error)).toBe(expected)
})
