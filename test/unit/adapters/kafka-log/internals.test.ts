// Real: kafkajs's queue of requests, as every client of the adapter has it. No broker is needed.
import { EventEmitter } from 'node:events'
import { createRequire } from 'node:module'
import { expect, onTestFinished, test, vi } from 'vitest'
import { createKafka, hangUp } from '../../../../src/adapters/kafka-log/client.ts'
import { createTelemetry } from '../../../../src/telemetry.ts'

interface Queue {
  readonly pending: unknown[]
  scheduleCheckPendingRequests(): void
  destroy(): void
}

test('after an answer no timer is set for requests that do not wait: it would be of a negative time, of which Node warns', () => {
  // Making a client is what loads the mend, whichever command does.
  hangUp(createKafka({ brokers: ['127.0.0.1:1'], clientId: 'test' }, createTelemetry({ level: 'silent' }).log))
  const RequestQueue = createRequire(import.meta.url)('kafkajs/src/network/requestQueue') as new (
    given: object,
  ) => Queue
  const logger = { namespace: () => logger, debug() {} }
  const queue = new RequestQueue({
    instrumentationEmitter: new EventEmitter(),
    maxInFlightRequests: null,
    requestTimeout: 1_000,
    enforceRequestTimeout: false,
    clientId: 'test',
    broker: '127.0.0.1:1',
    logger,
    isConnected: () => true,
  })
  onTestFinished(() => queue.destroy())
  const timer = vi.spyOn(globalThis, 'setTimeout')
  onTestFinished(() => timer.mockRestore())
  queue.scheduleCheckPendingRequests()
  expect(timer).not.toHaveBeenCalled()
  queue.pending.push({})
  queue.scheduleCheckPendingRequests()
  expect(timer.mock.calls.map(([, ms]) => Number(ms) > 0)).toEqual([true])
})
