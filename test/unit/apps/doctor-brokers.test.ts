// What doctor makes of the brokers' limits and of how we reach them. Pure.
import { describe, expect, it } from 'vitest'
import { TRANSACTION_MS } from '../../../src/adapters/kafka-log/fenced-writer.ts'
import { checkLimits, describeSafety } from '../../../src/apps/commands/doctor/brokers.ts'
import { ERRORS } from '../../../src/errors.ts'

const limits = {
  'transaction.max.timeout.ms': 900_000,
  'group.min.session.timeout.ms': 6_000,
  'group.max.session.timeout.ms': 1_800_000,
}

describe('the limits of the brokers', () => {
  it('are wrong where a worker could not join or nothing could be published', () => {
    expect(checkLimits(limits, 5_999).map((f) => f.state)).toEqual(['wrong'])
    expect(checkLimits(limits, 1_800_001).map((f) => f.state)).toEqual(['wrong'])
    const [finding] = checkLimits({ ...limits, 'transaction.max.timeout.ms': TRANSACTION_MS - 1 }, 6_000)
    expect(finding).toMatchObject({ state: 'wrong', cure: expect.stringContaining('transaction.max.timeout.ms') })
    // The catalogue of errors imports nothing, and says the number too.
    expect(ERRORS['transactions-refused'].remedy).toContain(`at least ${TRANSACTION_MS}.`)
  })

  it('are fine at their edges, and where the brokers do not tell', () => {
    expect(checkLimits({ ...limits, 'transaction.max.timeout.ms': TRANSACTION_MS }, 6_000).map((f) => f.state)).toEqual(
      ['ok'],
    )
    const unknown = Object.fromEntries(Object.keys(limits).map((name) => [name, undefined])) as never
    expect(checkLimits(unknown, 1)).toEqual([expect.objectContaining({ state: 'ok' })])
  })
})

describe('how the brokers are reached', () => {
  const sasl = { mechanism: 'plain', username: 'u', password: 'hush' } as const

  it('warns of a password, and of records, that cross the network as they are', () => {
    expect(describeSafety({ sasl })).toMatchObject({ state: 'warning', cure: expect.stringContaining('password') })
    expect(describeSafety({ sasl: { ...sasl, mechanism: 'scram-sha-512' } }).state).toBe('warning')
    expect(JSON.stringify(describeSafety({ sasl }))).not.toContain('hush')
  })

  it('is content with TLS, and with plain text where nobody signs in', () => {
    expect(describeSafety({ tls: {}, sasl })).toEqual({ name: 'kafka safety', state: 'ok', detail: 'TLS, SASL plain' })
    expect(describeSafety({ tls: { cert: 'x' } }).detail).toBe('TLS, a certificate signs in')
    expect(describeSafety({}).state).toBe('ok')
  })
})
