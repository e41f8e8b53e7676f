// The Kafkas that the tests know how to start.
export const KAFKA_VERSIONS = ['4.1.2', '3.9.2'] as const
export type KafkaVersion = (typeof KAFKA_VERSIONS)[number]

/** The one that TOUCHSTONE_TEST_KAFKA names; the newest tried one when it says nothing. Throws on a version not known. */
export function chosenVersion(wanted: string | undefined = process.env['TOUCHSTONE_TEST_KAFKA']): KafkaVersion {
  if (wanted === undefined || wanted === '') return KAFKA_VERSIONS[0]
  const version = KAFKA_VERSIONS.find((known) => known === wanted)
  if (version === undefined)
    throw new Error(`TOUCHSTONE_TEST_KAFKA=${wanted}: the tests know ${KAFKA_VERSIONS.join(' and ')}`)
  return version
}
