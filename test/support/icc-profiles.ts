// Colour profiles (ICC.1:2022) put together tag by tag, so that a test can say what no tool would.
import { u32 } from './png-files.ts'

const fixed = (value: number): Buffer => {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(Math.round(value * 65_536))
  return bytes
}
const u16 = (value: number): Buffer => Buffer.from([value >> 8, value & 255])
const kind = (name: string): Buffer => Buffer.concat([Buffer.from(name), u32(0)])
const xyz = (...values: number[]): Buffer => Buffer.concat([kind('XYZ '), ...values.map(fixed)])

/** Of none a straight line, of one a gamma, of more the light at even steps. */
export const curve = (...values: number[]): Buffer =>
  Buffer.concat([
    kind('curv'),
    u32(values.length),
    ...values.map((value) => u16(Math.round(value * (values.length === 1 ? 256 : 65_535)))),
  ])
export const formula = (type: number, ...numbers: number[]): Buffer =>
  Buffer.concat([kind('para'), u16(type), u16(0), ...numbers.map(fixed)])

/** As much of a table as says which kind it is, and of how many channels. */
export const table = (name: string, channels: number): Buffer =>
  Buffer.concat([kind(name), Buffer.from([channels, 3, 2, 0])])

export const PLAIN = curve(2.2)
export const FALLING = curve(1, 0)

type Tags = readonly (readonly [name: string, data: Buffer])[]

const PRIMARIES: Tags = [
  ['rXYZ', xyz(0.436, 0.2225, 0.0139)],
  ['gXYZ', xyz(0.3851, 0.7169, 0.0971)],
  ['bXYZ', xyz(0.1431, 0.0606, 0.7141)],
]
export const coloured = (all: Buffer): Tags => [...PRIMARIES, ['rTRC', all], ['gTRC', all], ['bTRC', all]]
export const grey = (all: Buffer): Tags => [['kTRC', all]]

export function profile(tags: Tags, { space = 'RGB ', kind = 'mntr', version = 2, illuminant = 0.9642 } = {}): Buffer {
  let at = 132 + 12 * tags.length
  const entries = tags.map(([name, data]) => {
    const entry = Buffer.concat([Buffer.from(name), u32(at), u32(data.length)])
    at += data.length
    return entry
  })
  const head = Buffer.concat([
    u32(at),
    u32(0),
    Buffer.from([version, 0, 0, 0]),
    Buffer.from(`${kind}${space}XYZ `),
    Buffer.alloc(12),
    Buffer.from('acsp'),
    Buffer.alloc(28),
    ...[illuminant, 1, 0.8249].map(fixed),
    Buffer.alloc(48),
  ])
  return Buffer.concat([head, u32(tags.length), ...entries, ...tags.map(([, data]) => data)])
}
