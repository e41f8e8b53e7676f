// Real: what doctor makes of what the log says of reading. The log is the test's.
import { expect, test } from 'vitest'
import { examineReading } from '../../../src/apps/commands/doctor/reading.ts'

test('a batch that cannot be read is named with the command that goes on behind it, and no worker is asked for', async () => {
  const reason = 'The offsets 40 to 49 of t[1] are one batch that cannot be read: why'
  const findings = await examineReading(
    {
      ranges: async () => [0, 1].map((partition) => ({ partition, low: 3n, high: 60n })),
      backlog: async () => [
        { partition: 0, records: 57, seconds: 900, held: false },
        { partition: 1, records: 15, seconds: 900, held: false, unreadable: { reason, next: 50n } },
      ],
    },
    { topic: 't', group: 'g' },
    new Map([[1, 45n]]),
  )
  expect(findings).toEqual([
    {
      name: 'offsets',
      state: 'wrong',
      detail: reason,
      cure: expect.stringMatching(/: touchstone offsets move t 1 45 50$/),
    },
  ])
})
