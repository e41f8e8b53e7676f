// What `doctor` says of the topics: a line for each deviation, or one that all is as it should be.
import type { ExaminedTopic } from '../../../adapters/kafka-log/examine-topics.ts'
import type { Finding } from './finding.ts'

/** Where none is there yet nothing is wrong: as with the tables, the first start makes them. */
export function findingsOf(topics: readonly ExaminedTopic[]): Finding[] {
  if (topics.length > 0 && topics.every(({ settings }) => settings.every(({ setting }) => setting === 'topic')))
    return [
      {
        name: 'topics',
        state: 'warning',
        detail: `none of the ${topics.length} topics is there yet`,
        cure: 'the first start makes them; whoever wants them before runs `touchstone topics`',
      },
    ]
  const deviations = topics.flatMap(({ topic, settings }) =>
    settings.flatMap(({ setting, found, wanted, state, cure }): Finding[] => {
      if (state === 'ok') return []
      const detail = `${topic}: ${setting} is ${found}, wanted is ${wanted}`
      return [{ name: 'topics', state, detail, ...(cure === undefined ? {} : { cure }) }]
    }),
  )
  if (deviations.length > 0) return deviations
  return [{ name: 'topics', state: 'ok', detail: `${topics.length} topics are there and as they should be` }]
}
