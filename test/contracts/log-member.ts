// A member of a group as a process of its own, to be killed and frozen; asks its parent for offsets and tells it what it handled.
import type { Batch, BatchResult, Log, SubscribeOptions } from '../../src/pipeline/log/ports.ts'

export type Ask =
  | { readonly id: number; readonly kind: 'place'; readonly partition: number; readonly low: bigint }
  | { readonly id: number; readonly kind: 'commit'; readonly batch: Batch }

type Question = Ask extends infer A ? (A extends Ask ? Omit<A, 'id'> : never) : never

interface Setup {
  readonly module: string
  readonly argument: string
  readonly options: SubscribeOptions
}

const setup = JSON.parse(process.argv[2] ?? '{}') as Setup
const { open } = (await import(setup.module)) as { open(argument: string): Promise<Log> }

const waiting = new Map<number, (value: never) => void>()
let asked = 0
process.on('message', ({ id, value }: { id: number; value: never }) => waiting.get(id)?.(value))
process.on('disconnect', () => process.exit(0))

function ask<T>(question: Question): Promise<T> {
  asked += 1
  const id = asked
  return new Promise<T>((resolve) => {
    waiting.set(id, resolve)
    process.send?.({ ...question, id })
  })
}

const log = await open(setup.argument)
const subscription = log.subscribe(setup.options, {
  place: async (_topic, partition, low) => ask<bigint>({ kind: 'place', partition, low }),
  handle: async (batch) => ask<BatchResult>({ kind: 'commit', batch }),
})
await subscription.done
