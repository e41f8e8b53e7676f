// A reader for commands on a busy machine. Real: the reader with its threads where one hangs; else one of ours that says `busy` when told.
import { expect, onTestFinished, test, vi } from 'vitest'
import { setImmediate as turn } from 'node:timers/promises'
import { patient } from '../../../src/apps/patient-reader.ts'
import type { KeptPicture } from '../../../src/domain/kept-picture.ts'
import type { Picture } from '../../../src/imaging/picture.ts'
import type { PictureReader } from '../../../src/pipeline/pictures/ports.ts'
import { reading, sha256Of, WILD_THREAD } from '../../support/pictures.ts'

const never = new AbortController().signal
const unseen = (fault: 'busy' | 'not-a-picture'): Picture => ({ state: 'unseen', fault, message: '' })
const SEEN = { state: 'seen' } as Picture
const KEPT = {} as KeptPicture

/** Sees a picture of one byte only where it is alone, and one of none never. */
function crowded() {
  let running = 0
  const calls: { readonly bytes: number; beside: number }[] = []
  async function crowdedOut(bytes: Uint8Array): Promise<boolean> {
    running += 1
    const call = { bytes: bytes.length, beside: 0 }
    calls.push(call)
    for (let turns = 0; turns < 3; turns++) {
      call.beside = Math.max(call.beside, running - 1)
      await turn()
    }
    running -= 1
    return call.beside > 0
  }
  const reader: PictureReader = patient({
    foresee: () => 0,
    read: async (bytes: Uint8Array) =>
      (await crowdedOut(bytes)) && bytes.length > 0
        ? unseen('busy')
        : bytes.length > 0
          ? SEEN
          : unseen('not-a-picture'),
    keep: async (bytes: Uint8Array) => ((await crowdedOut(bytes)) || bytes.length === 0 ? undefined : KEPT),
    close: async () => undefined,
  })
  const bytesOf = (length: number) => new Uint8Array(length)
  return {
    calls,
    reader,
    read: (length: number) => reader.read(bytesOf(length), 'hash', never),
    keep: (length: number) => reader.keep(bytesOf(length), 'hash'),
  }
}

test('what others kept from being read is read again alone, while those that come meanwhile wait', async () => {
  const { calls, read } = crowded()
  const first = [read(1), read(1), read(0), read(1)]
  await turn()
  await turn()
  const later = [read(1)]
  const pictures = await Promise.all([...first, ...later])
  expect(pictures).toEqual([SEEN, SEEN, unseen('not-a-picture'), SEEN, SEEN])
  // What is wrong with a picture for good is said once.
  expect(calls.filter(({ bytes }) => bytes === 0)).toHaveLength(1)
  expect(calls.filter(({ bytes, beside }) => bytes === 1 && beside === 0)).toHaveLength(4)
})

test('what could not be kept beside others is kept alone', async () => {
  const { keep } = crowded()
  expect(await Promise.all([keep(1), keep(1), keep(0)])).toEqual([KEPT, KEPT, undefined])
})

test('who is closed asks no more', async () => {
  let asked = 0
  const reader: PictureReader & { close(): Promise<void> } = patient({
    foresee: () => 0,
    read: async () => ((asked += 1), unseen('busy')),
    keep: async () => undefined,
    close: async () => undefined,
  })
  const reads = reader.read(new Uint8Array(1), 'hash', never)
  await turn()
  await reader.close()
  expect(await reads).toEqual(unseen('busy'))
  expect(asked).toBeLessThanOrEqual(3)
})

test('who waits no longer is not read for again, neither at once nor when its turn comes', async () => {
  const asked: AbortSignal[] = []
  const first = new AbortController()
  const second = new AbortController()
  const told = Promise.withResolvers<void>()
  const reader: PictureReader = patient({
    foresee: () => 0,
    read: async (_bytes: Uint8Array, sha256: string, until: AbortSignal) => {
      asked.push(until)
      if (sha256 === 'out') first.abort()
      if (asked.length === 4) await told.promise
      return unseen('busy')
    },
    keep: async () => undefined,
    close: async () => undefined,
  })
  expect(await reader.read(new Uint8Array(1), 'out', first.signal)).toEqual(unseen('busy'))
  expect(asked).toHaveLength(1)
  // The first of two reads again alone; the other stops waiting before its turn.
  const end = new AbortController()
  const both = [
    reader.read(new Uint8Array(1), 'holds', end.signal),
    reader.read(new Uint8Array(1), 'waits', second.signal),
  ]
  await vi.waitFor(() => expect(asked).toHaveLength(4))
  second.abort()
  end.abort()
  told.resolve()
  expect(await Promise.all(both)).toEqual([unseen('busy'), unseen('busy')])
  expect(asked).toHaveLength(4)
  expect(asked[3]?.aborted).toBe(true)
})

test('a picture that hangs is at fault for good when it hangs alone too', async () => {
  const { reader } = reading({ thread: WILD_THREAD, timeMs: 500 })
  onTestFinished(() => reader.close())
  const hanging = Buffer.from('hang')
  expect(await patient(reader).read(hanging, sha256Of(hanging), never)).toMatchObject({ fault: 'too-slow' })
})
