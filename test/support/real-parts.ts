// Parts that a developer's machine may lack: their tests are skipped loudly there, and fail where they are required.

/**
 * For `test.runIf(realPart('Kafka', brokers !== undefined, 'set KAFKA_BROKERS'))`: whether the part is there. With
 * TOUCHSTONE_REQUIRE_REAL=1, as in continuous integration, a missing part throws, which fails the test file.
 */
export function realPart(name: string, available: boolean, remedy: string): boolean {
  if (available) return true
  const message = `${name} is missing (${remedy})`
  if (process.env['TOUCHSTONE_REQUIRE_REAL'] === '1')
    throw new Error(`${message}, and TOUCHSTONE_REQUIRE_REAL=1 demands it`)
  console.warn(`${message}: its tests are skipped`)
  return false
}
