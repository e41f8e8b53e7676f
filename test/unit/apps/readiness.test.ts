// When the worker counts as stale, from what it says of itself and what was seen of its backlog. Pure.
import { describe, expect, it } from 'vitest'
import { checkLoop, checkWorker, describeFailure, describeWorkers } from '../../../src/apps/readiness.ts'
import { TouchstoneError } from '../../../src/errors.ts'
import type { PartitionLag } from '../../../src/pipeline/backlog.ts'
import type { Progress } from '../../../src/pipeline/run.ts'

const healthy: Progress = {
  held: [0, 1],
  busy: new Set(),
  failing: new Map(),
  committedMs: 60_000,
  renewedMs: 900,
  polledMs: 150,
}
const lag = (stillMs: number, reader: PartitionLag['reader'] = 'here', partition = 0): PartitionLag => ({
  partition,
  records: 7,
  seconds: stillMs / 1_000,
  reader,
  stillMs,
})
const worker = (progress: Partial<Progress>, lags: readonly PartitionLag[] = [], stopped?: unknown) =>
  checkWorker({ ...healthy, ...progress }, lags, stopped)

describe('the worker', () => {
  it('is ready when idle, with something that just came, and without a partition while others read them all', () => {
    expect(worker({}).ok).toBe(true)
    expect(worker({}, [lag(9_000)]).ok).toBe(true)
    expect(worker({ held: [] }, [lag(0, 'elsewhere')])).toMatchObject({ ok: true, detail: 'works on 0 partitions' })
  })

  it('is stale when something waited ten seconds and nothing was committed, in any one partition', () => {
    expect(worker({}, [lag(0, 'here', 1), lag(12_000)])).toEqual({
      name: 'worker',
      ok: false,
      detail: 'records wait in partition 0 and nothing was committed for 12 s',
    })
    expect(worker({ committedMs: 50, failing: new Map([[0, 12_000]]) }, [lag(12_000)]).ok).toBe(false)
  })

  it('is ready with a long batch in hand, and with a turn to come, but not for ever', () => {
    expect(worker({ busy: new Set([0]) }, [lag(25_000)]).ok).toBe(true)
    expect(worker({ committedMs: 4_000 }, [lag(25_000)]).ok).toBe(true)
    expect(worker({ busy: new Set([0]), committedMs: 4_000 }, [lag(31_000)]).ok).toBe(false)
    // A batch that failed once is no long batch.
    expect(worker({ busy: new Set([0]), failing: new Map([[0, 12_000]]) }, [lag(12_000)]).ok).toBe(false)
  })

  it('is not stale for a failed commit after which nothing waits: it had succeeded', () => {
    expect(worker({ failing: new Map([[0, 60_000]]) }, [{ ...lag(0), records: 0 }]).ok).toBe(true)
  })

  it('is stale when nobody reads a partition where something waits; what others do not do is only said', () => {
    expect(worker({}, [lag(12_000, 'nobody')])).toMatchObject({
      ok: false,
      detail: expect.stringMatching('nobody reads'),
    })
    expect(worker({}, [lag(12_000, 'elsewhere', 1)])).toMatchObject({
      ok: true,
      detail: 'works on 2 partitions; another process makes no progress in partition 1',
    })
  })

  it('is stale when its leases are not renewed, the log is not read, or it was stopped', () => {
    expect(worker({ renewedMs: 11_000 }).ok).toBe(false)
    expect(worker({ polledMs: 11_000 }).ok).toBe(false)
    expect(worker({}, [], new Error('secret host')).detail).toBe('stopped by an unexpected failure; see the log')
  })
})

describe('a loop', () => {
  it('is stale after ten seconds without a good round; the janitor, who naps a minute, after ten minutes', () => {
    expect([9_000, 11_000].map((ms) => checkLoop('clock', ms).ok)).toEqual([true, false])
    expect([90_000, 601_000].map((ms) => checkLoop('janitor', ms).ok)).toEqual([true, false])
    // It waits for hosts that were silent before.
    expect([90_000, 301_000].map((ms) => checkLoop('rescreening', ms).ok)).toEqual([true, false])
    const small = new TouchstoneError('topics-wrong', 'd.v1[0] is small')
    expect(checkLoop('publisher-0', 11_000, small).detail).toMatch(
      /^has done nothing for 11 s: topics-wrong: d\.v1\[0\] is small\. Run/,
    )
    expect(checkLoop('publisher-0', 9_000, small).detail).toBe('goes on')
    const refused = checkLoop('publisher-0', 100, new TouchstoneError('store-foreign', 'd.v1[0] is not ours'))
    expect(refused).toMatchObject({ ok: false, detail: expect.stringMatching(/^stands still: store-foreign: d/) })
  })
})

describe('a part that fails', () => {
  it('is named by its code with the cure, and never by an address', () => {
    const said = describeFailure(new TouchstoneError('log-unavailable', 'connect ECONNREFUSED 10.0.0.1:9092'))
    expect(said).toMatch(/^log-unavailable: The brokers cannot be reached\. Check KAFKA_BROKERS/)
    expect(said + describeFailure(new Error('connect ECONNREFUSED 10.0.0.1:9092'))).not.toContain('10.0.0.1')
  })
})

describe('the workers, as a process without one sees them', () => {
  it('are described and never make it stale', () => {
    expect(describeWorkers([])).toEqual({ name: 'workers', ok: true, detail: 'nothing waits' })
    expect(describeWorkers([lag(60_000, 'elsewhere'), lag(90_000, 'nobody', 3)])).toEqual({
      name: 'workers',
      ok: true,
      detail: '14 records wait, the oldest for 90 s; nobody reads partition 3',
    })
  })
})
