// Pure. A test of a real part may be skipped on a developer's machine, and nowhere else.
import { expect, test, vi } from 'vitest'
import { realPart } from '../../support/real-parts.ts'

test('a missing part is skipped loudly, or fails where it is required', () => {
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => {})
  vi.stubEnv('TOUCHSTONE_REQUIRE_REAL', '')
  expect(realPart('Kafka', false, 'set KAFKA_BROKERS')).toBe(false)
  expect(warn).toHaveBeenCalledWith('Kafka is missing (set KAFKA_BROKERS): its tests are skipped')
  vi.stubEnv('TOUCHSTONE_REQUIRE_REAL', '1')
  expect(() => realPart('Kafka', false, 'set KAFKA_BROKERS')).toThrow(/Kafka is missing \(set KAFKA_BROKERS\)/)
  expect(realPart('Kafka', true, 'set KAFKA_BROKERS')).toBe(true)
})
