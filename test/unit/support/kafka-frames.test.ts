// Frames of Kafka cut from bytes, alone: the reader of the proxy under chunks of every size.
import { expect, test } from 'vitest'
import { frameReader, readRequest } from '../../support/kafka/frames.ts'

function request(correlationId: number, clientId: string | null, body: string): Buffer {
  const name = Buffer.from(clientId ?? '')
  const head = Buffer.alloc(14)
  head.writeInt32BE(10 + name.length + body.length, 0)
  head.writeInt16BE(26, 4)
  head.writeInt16BE(3, 6)
  head.writeInt32BE(correlationId, 8)
  head.writeInt16BE(clientId === null ? -1 : name.length, 12)
  return Buffer.concat([head, name, Buffer.from(body)])
}
const FRAMES = [request(1, 'a client', 'x'), request(2, null, ''), request(3, 'ä', 'y'.repeat(300))]

test.each([1, 2, 3, 5, 13, 64, 10_000])('chunks of %i bytes', (size) => {
  const stream = Buffer.concat(FRAMES)
  const seen: Buffer[] = []
  const read = frameReader((frame) => seen.push(frame))
  for (let at = 0; at < stream.length; at += size) read(stream.subarray(at, at + size))
  expect(seen).toEqual(FRAMES)
})

test('a frame that is not whole yet is kept back', () => {
  const seen: Buffer[] = []
  const read = frameReader((frame) => seen.push(frame))
  read(Buffer.concat(FRAMES).subarray(0, -1))
  expect(seen).toEqual(FRAMES.slice(0, 2))
})

test('the head of a request', () => {
  expect(FRAMES.map(readRequest)).toMatchObject([
    { apiKey: 26, apiVersion: 3, correlationId: 1, clientId: 'a client' },
    { correlationId: 2, clientId: null },
    { correlationId: 3, clientId: 'ä' },
  ])
})

test('bytes that are no request, such as a raw token of a log-in', () => {
  expect(readRequest(Buffer.from([0, 0, 0, 3, 1, 2, 3]))).toBeUndefined()
  expect(
    readRequest(Buffer.concat([Buffer.from([0, 0, 0, 12]), Buffer.alloc(8, 1), Buffer.from([127, 0, 1, 1])])),
  ).toBeUndefined()
})
